"""Pieces that several methods share, one file an idea."""
