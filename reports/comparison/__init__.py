"""Two rows of a benchmark held side by side: how they differ on each metric, on which examples, and on which kinds of them."""
