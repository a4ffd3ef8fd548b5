"""The suite that claims need: every row that one of them names, on its benchmark, in several draws of the world."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from reelbench.reports.claims.statement import Claim, Side

DRAWS, SEEDS = 3, 5


def draws_of(world: str, count: int = DRAWS) -> list[str]:
    """``microworld/small``, ``microworld/small/draw2``, …"""
    return [world, *(f"{world}/draw{k}" for k in range(2, count + 1))]


def suite_text(
    claims: Sequence[Claim], worlds: Iterable[str], *, seeds: int = SEEDS, preset: str = "tiny"
) -> str:
    """A suite file with what the claims need, rows that settle most claims first."""
    needed: dict[Side, set[str]] = {}
    counts: dict[Side, int] = {}
    for claim in claims:
        for side in dict.fromkeys(side for pair in claim.pairs() for side in pair):
            needed.setdefault(side, set()).add(f"{claim.task}:{claim.protocol or '*'}")
            counts[side] = counts.get(side, 0) + 1
    rows = sorted(needed, key=lambda side: (-counts[side], side))
    tasks = _widest({task for tasks in needed.values() for task in tasks})
    return "\n".join(
        [
            'title = "What the claims of the papers need, rows that settle most claims first"',
            f"seeds = {seeds}",
            f'preset = "{preset}"',
            "benchmarks = [",
            *(f'    "{_on(task, world)}",' for world in worlds for task in tasks),
            "]",
            "methods = [",
            *(_entry(side, needed[side]) for side in rows),
            "]",
            "",
        ]
    )


def _widest(tasks: Iterable[str]) -> list[str]:
    """Tasks with their protocols in order; where one is wanted on all protocols, that alone."""
    every = set(tasks)
    return sorted(t for t in every if t.endswith(":*") or f"{t.partition(':')[0]}:*" not in every)


def _on(task: str, world: str) -> str:
    name, _, protocol = task.partition(":")
    return f"{name}@{world}:{protocol}"


def _entry(side: Side, tasks: Iterable[str]) -> str:
    patterns = _list(_on(task, "*") for task in _widest(tasks))
    return f'    {{ name = "{side.method}", variants = ["{side.variant}"], benchmarks = {patterns} }},'


def _list(values: Iterable[str]) -> str:
    return json.dumps(list(values))
