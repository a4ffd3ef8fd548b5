"""Resampling a score sheet by hand, to compare weights with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from reelbench.scoring import ScoreSheet


def copied(sheet: ScoreSheet, copies: Sequence[int]) -> ScoreSheet:
    """A sheet with the rows of cluster ``k`` copied ``copies[k]`` times, each row a cluster of its own."""
    rows = np.repeat(np.arange(len(sheet.ids)), np.asarray(copies)[sheet.clusters])
    ids = [f"{row}#{number}" for number, row in enumerate(rows)]
    columns = {name: column[rows] for name, column in sheet.columns.items()}
    return ScoreSheet.build(ids, {i: i for i in ids}, columns, sheet.constants)


def assert_same(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Both hold the same metrics with the same values."""
    assert found.keys() == wanted.keys()
    for name in found:
        np.testing.assert_allclose(found[name], wanted[name], rtol=0, atol=1e-12, err_msg=name)
