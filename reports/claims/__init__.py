"""Statements of the papers as data, and what the record says of each: holds, smaller than claimed, refuted, or open."""
