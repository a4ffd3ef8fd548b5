"""Captioners that the papers' tables compare with: LSTM, soft attention, S2VT, LSTM-E and h-RNN."""
