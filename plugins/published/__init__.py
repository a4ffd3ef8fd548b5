"""Baselines of the papers' tables: published methods that the nine are compared with, one folder an area."""
