"""A tiny fit guards the harness's own meaning of a fit.

The expected norms are not a truth from elsewhere: they say that weights moved although
``reelbench.fingerprints.SEMANTICS`` did not, so that caches would mix two meanings. Where a change of the loop is
meant to move weights, raise the number there and write the new norms here.
"""

import pytest
from safetensors.torch import load_file
from toys import Painter, fit, phase_of

from reelbench.fingerprints import SEMANTICS

GOLDEN = {
    "semantics": 2,
    "norms": {
        "head.1.bias": 0.29388,
        "head.1.weight": 1.22179,
        "look.bias": 0.86957,
        "look.weight": 2.25924,
        "words.weight": 14.20158,
    },
}


def test_the_weights_of_a_tiny_fit_move_only_with_the_semantics_number(tmp_path):
    phases = phase_of(Painter(), epochs=2, learning_rate=0.01, validate=None, select="last")
    fit(Painter(), tmp_path, phases=phases, seed=7)
    norms = {
        name: float(value.float().norm())
        for name, value in load_file(tmp_path / "weights-0.safetensors").items()
    }
    assert SEMANTICS["fit"] == GOLDEN["semantics"], "write this semantics' norms here"
    assert norms == pytest.approx(GOLDEN["norms"], rel=1e-3)
