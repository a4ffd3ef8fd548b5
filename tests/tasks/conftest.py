"""Fixtures of the captioning tests: COCO's thousand images, scored once a session with one METEOR."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def caption_oracle(shared: Path) -> dict[str, Any]:
    """Raw and tokenized text of the fake captions of COCO, and the values of pycocoevalcap 1.2."""
    folder = shared / "oracles" / "caption"
    names = (
        "fakecap_input_raw",
        "fakecap_input_ptb_tokenized",
        "fakecap_expected",
        "ptb_edge_cases",
        "scorer_edge_cases",
    )
    return {name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in names}


@pytest.fixture(scope="session")
def meteor_program() -> Iterator[Any]:
    """The process's METEOR, ended with the session."""
    from reelbench.tasks.metrics.caption.meteor import program

    yield program()
    program().close()
