"""How recurrences begin."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from reelbench.plugins.layers.recurrent_start import started


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.LSTMCell, nn.GRUCell])
def test_every_gate_keeps_the_length_of_a_state(kind):
    recurrence = started(kind(5, 8))
    weights = [p for n, p in recurrence.named_parameters() if n.startswith("weight_hh")]
    for gate in weights[0].split(8):
        torch.testing.assert_close(gate @ gate.T, torch.eye(8), atol=1e-5, rtol=0)


def test_an_lstm_remembers_before_it_has_learnt():
    lstm = started(nn.LSTM(3, 4, num_layers=2), forget=30.0)
    for layer in range(2):
        bias = getattr(lstm, f"bias_ih_l{layer}").detach() + getattr(lstm, f"bias_hh_l{layer}").detach()
        assert bias.tolist() == [0.0] * 4 + [30.0] * 4 + [0.0] * 8
    cell = torch.randn(2, 1, 4)
    with torch.no_grad():
        _, (_, after) = lstm(torch.zeros(1, 1, 3), (torch.zeros(2, 1, 4), cell))
    torch.testing.assert_close(
        after[0], cell[0]
    )  # the first layer's input and state are zero: nothing is added


def test_a_grus_gates_have_no_bias():
    gru = started(nn.GRU(3, 4))
    assert not any(p.any() for n, p in gru.named_parameters() if n.startswith("bias"))
