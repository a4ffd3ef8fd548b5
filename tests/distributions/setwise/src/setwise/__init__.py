"""A method that says who is who in sets of clips, registered by ``method.py``."""
