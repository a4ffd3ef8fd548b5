"""Matchers of a video and a sentence that papers compare themselves with."""
