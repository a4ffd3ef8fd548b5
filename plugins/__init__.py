"""Methods, one folder each, and the baselines that stand beside them."""
