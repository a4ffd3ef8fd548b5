"""A method that adapts a visual encoder to a frozen language model, registered by ``method.py``."""
