"""Readers of datasets, one a dataset: published files as they are, and microworld."""
