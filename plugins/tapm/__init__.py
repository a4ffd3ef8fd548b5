"""TAPM: a language generator that is adapted to a visual encoder before it tells stories."""
