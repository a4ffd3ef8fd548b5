"""Bundles: everything that another lab needs to check a table without training anything, in a folder or a zip."""
