"""What ``reelbench verify`` prints: nothing of a bundle reaches the terminal unseen."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from reelbench.plaintext import one_line
from reelbench.reports.bundles.verifying import Verified


def is_sound(found: Verified, damaged: Sequence[str]) -> bool:
    """Whether everything was checked and nothing differs."""
    wrong = any(one.problems or one.unchecked for one in found.trials)
    return not (damaged or wrong or found.tables.problems or found.tables.unchecked)


def as_json(found: Verified, damaged: Sequence[str]) -> str:
    """One object."""
    return json.dumps({"damaged": damaged, **asdict(found)}, indent=2)


def as_text(found: Verified, damaged: Sequence[str]) -> str:
    """A line a finding, and one of how many things are as they should be."""
    return "\n".join(map(one_line, (*_lines(found, damaged), _summary(found, damaged))))


def _lines(found: Verified, damaged: Sequence[str]) -> Iterator[str]:
    yield from (f"damaged: {line}" for line in damaged)
    for one in found.trials:
        where = f"{one.benchmark}, {one.label}, seed {one.seed}"
        yield from (f"differs: {where}: {line}" for line in one.problems)
        if one.unchecked:
            yield f"{where}: {one.unchecked}"
    yield from (f"differs: {line}" for line in found.tables.problems)
    yield from found.tables.unchecked


def _summary(found: Verified, damaged: Sequence[str]) -> str:
    same = sum(not (one.problems or one.unchecked) for one in found.trials)
    tables = found.tables
    drawn = (
        f"{len(tables.problems)} of the tables differ" if tables.problems
        else "not all tables could be compared" if tables.unchecked
        else "the tables are what the records give"
    )  # fmt: skip
    return (
        f"{same} of {len(found.trials)} trials: scores and replicates are what their predictions give; "
        f"{drawn}; {len(damaged)} files damaged"
    )
