"""Tasks: what is shown, what must be predicted, how it is scored; and the datasets they read."""
