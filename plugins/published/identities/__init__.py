"""Baselines of the tables of character grounding and re-identification (thesis ch. 6)."""
