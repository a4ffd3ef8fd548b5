"""ASST: clips of a video found by attending to every word at every temporal scale."""
