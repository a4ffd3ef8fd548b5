"""Localizers of the papers' tables: CCA, MCN and CTRL."""
