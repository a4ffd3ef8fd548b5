"""How a recurrence begins: weights under which an LSTM or a GRU learns in hundreds of steps rather than thousands."""

from __future__ import annotations

from typing import TypeVar

from torch import nn

LASTING = 3.0
"""A forget gate's bias under which what is read first, a video say, is still there at the end of a sentence."""

Recurrence = TypeVar("Recurrence", nn.LSTM, nn.GRU, nn.LSTMCell, nn.GRUCell)


def started(recurrence: Recurrence, *, forget: float = 1.0) -> Recurrence:
    """The recurrence itself, each gate with Glorot's input weights, orthogonal recurrent ones, and no bias.

    An LSTM's forget gates get the bias ``forget``, so that it remembers before it has learnt to.
    Source: Jozefowicz et al., ICML 2015 (the bias); Saxe et al., ICLR 2014 (orthogonal weights).
    """
    hidden = recurrence.hidden_size
    for name, parameter in recurrence.named_parameters():
        gates = parameter.detach().chunk(len(parameter) // hidden)
        if name.startswith("bias"):
            parameter.detach().zero_()
            if isinstance(recurrence, nn.LSTM | nn.LSTMCell) and name.startswith("bias_ih"):
                gates[1].fill_(forget)  # torch's order: input, forget, cell, output
            continue
        fill = nn.init.xavier_uniform_ if name.startswith("weight_ih") else nn.init.orthogonal_
        for gate in gates:
            fill(gate)
    return recurrence
