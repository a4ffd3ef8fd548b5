"""BN-LSTM (Yoo, YouTube-8M workshop at CVPR 2017): tagging as translation of a video into its tags."""
