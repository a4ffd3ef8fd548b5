"""Predictions made elsewhere: read from files, checked, scored and recorded as external rows."""
