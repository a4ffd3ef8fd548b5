"""Seeds derived by hashing names: one axis never moves another, and a new method moves nobody's numbers.

The axes of a fit are ``init`` (parameters), ``order`` (batches), ``sample`` (what ``sample`` and ``prepare`` draw)
and ``step`` (dropout, latents). Neither the consumer of a fit nor a variant's name is hashed, so that an upstream fit
is shared.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def derive_seed(seed: int, *names: str | int) -> int:
    """A seed in [0, 2**63) from a seed and the names of an axis."""
    text = "\x1f".join([str(seed), *map(str, names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1


class ExampleGenerator:
    """One numpy generator that is set to a given example's own stream, whatever was drawn before.

    Setting it costs a few microseconds, a fresh generator several times that. A stream depends on the key's names and
    on the example's id only.
    """

    def __init__(self) -> None:
        import numpy as np

        self._bits = np.random.Philox(key=0)
        self._state = self._bits.state
        self.rng: np.random.Generator = np.random.Generator(self._bits)

    def key(self, seed: int, *names: str | int) -> None:
        """Choose the family of streams: a seed, and say a phase and an epoch."""
        self._state["state"]["key"][:] = (derive_seed(seed, *names), 0)

    def at(self, example: int) -> np.random.Generator:
        """The generator at the start of an example's stream (``example`` as :func:`stream_of` gives it)."""
        state = self._state
        state["state"]["counter"][:] = (0, 0, example, 0)
        state["buffer_pos"], state["has_uint32"] = 4, 0
        self._bits.state = state
        return self.rng


def stream_of(example_id: str) -> int:
    """An example's number among a family of streams."""
    return derive_seed(0, example_id)
