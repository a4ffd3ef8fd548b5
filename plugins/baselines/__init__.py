"""Standing baselines, one file each: what a number is worth without a method."""
