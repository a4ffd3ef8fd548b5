"""Layers that several methods share, against torch's own."""

from __future__ import annotations

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from reelbench.plugins.layers.recurrence import PaddedLSTM, last_step, reverse_valid


@pytest.mark.parametrize("both_ways", [False, True])
def test_states_are_those_of_a_packed_lstm(both_ways):
    torch.manual_seed(0)
    ours = PaddedLSTM(5, 4, both_ways=both_ways)
    torch.manual_seed(0)
    theirs = torch.nn.LSTM(5, 4, batch_first=True, bidirectional=both_ways)
    x, lengths = torch.randn(4, 7, 5), torch.tensor([3, 7, 1, 5])
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    expected = pad_packed_sequence(theirs(packed)[0], batch_first=True)[0]
    torch.testing.assert_close(ours(x, torch.arange(7) < lengths[:, None]), expected)


def test_padding_stays_where_it_is_when_steps_are_reversed():
    x, mask = torch.arange(8.0).view(2, 4, 1), torch.tensor([[True, True, True, False], [True] * 4])
    assert reverse_valid(x, mask).squeeze(-1).tolist() == [[2, 1, 0, 3], [7, 6, 5, 4]]
    assert torch.equal(reverse_valid(reverse_valid(x, mask), mask), x)
    assert last_step(x, mask.sum(1)).tolist() == [[2], [7]]


def test_a_batch_of_empty_sequences_has_no_step_and_ends_at_zero():
    padded = PaddedLSTM(3, 4, both_ways=True)
    states = padded(torch.zeros(2, 0, 3), torch.zeros(2, 0, dtype=torch.bool))
    assert states.shape == (2, 0, 8)
    assert torch.equal(last_step(states, torch.zeros(2, dtype=torch.int64)), torch.zeros(2, 8))
