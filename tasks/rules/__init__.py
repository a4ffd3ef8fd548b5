"""How each task is checked, measured and aggregated: the array work behind the task files, imported when scoring."""
