"""Gaze predictors that GEAN is compared with (thesis Tables 3.2 and 3.3)."""
