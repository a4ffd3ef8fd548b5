"""Storytellers that TAPM's tables compare with."""
