"""HSE (Zhang, Hu & Sha, ECCV 2018): hierarchical sequence embedding of videos and paragraphs."""
