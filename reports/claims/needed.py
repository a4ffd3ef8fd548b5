"""The suites that claims need: every row that one of them names, on its benchmark, in several draws of a world."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from reelbench.reports.claims.statement import Claim, Side

DRAWS, SEEDS = 3, 5
TITLE = "What the claims of the papers need, rows that settle most claims first"
CONTROLS_TITLE = "The claims that name a control world, in that world: at most 5 % of them may hold there"


def draws_of(world: str, count: int = DRAWS) -> list[str]:
    """``microworld/small``, ``microworld/small/draw2``, …"""
    return [world, *(f"{world}/draw{k}" for k in range(2, count + 1))]


def suite_text(
    claims: Sequence[Claim], worlds: Iterable[str], *, seeds: int = SEEDS, preset: str = "tiny"
) -> str:
    """A suite file with what the claims need, rows that settle most claims first."""
    return _text(TITLE, dict.fromkeys(worlds, "*"), {"*": claims}, seeds, preset)


def controls_text(
    claims: Sequence[Claim], world: str, draws: int = DRAWS, *, seeds: int = SEEDS, preset: str = "tiny"
) -> str:
    """A suite file with what the claims need in the control worlds that they name; "equivalent" ones may hold there."""
    named: dict[str, list[Claim]] = {}
    for claim in claims:
        if claim.control_world and claim.kind != "equivalent":
            named.setdefault(f"*/{claim.control_world}", []).append(claim)
    order = sorted(named, key=lambda pattern: (-len(named[pattern]), pattern))
    worlds = {
        drawn: pattern
        for k in range(draws)
        for pattern in order
        for drawn in draws_of(f"{world}{pattern[1:]}", draws)[k : k + 1]
    }
    return _text(CONTROLS_TITLE, worlds, named, seeds, preset)


def _text(
    title: str, worlds: Mapping[str, str], groups: Mapping[str, Sequence[Claim]], seeds: int, preset: str
) -> str:
    """``worlds``: dataset → the pattern that covers it; ``groups``: pattern → the claims that are run there."""
    needed: dict[Side, dict[str, set[str]]] = {}
    counts: dict[Side, int] = {}
    for pattern, claims in groups.items():
        for claim in claims:
            sides = (
                replace(side, recipe="") for pair in claim.pairs() for side in pair
            )  # a trial has every recipe
            for side in dict.fromkeys(sides):
                needed.setdefault(side, {}).setdefault(pattern, set()).add(_task(claim))
                counts[side] = counts.get(side, 0) + 1
    rows = sorted(needed, key=lambda side: (-counts[side], side))
    tasks = {pattern: _widest(map(_task, claims)) for pattern, claims in groups.items()}
    return "\n".join(
        [
            f"title = {json.dumps(title)}",
            f"seeds = {seeds}",
            f'preset = "{preset}"',
            "benchmarks = [",
            *(f'    "{_on(task, world)}",' for world, pattern in worlds.items() for task in tasks[pattern]),
            "]",
            "methods = [",
            *(_entry(side, needed[side]) for side in rows),
            "]",
            "",
        ]
    )


def _task(claim: Claim) -> str:
    return f"{claim.task}:{claim.protocol or '*'}"


def _widest(tasks: Iterable[str]) -> list[str]:
    """Tasks with their protocols in order; where one is wanted on all protocols, that alone."""
    every = set(tasks)
    return sorted(t for t in every if t.endswith(":*") or f"{t.partition(':')[0]}:*" not in every)


def _on(task: str, world: str) -> str:
    name, _, protocol = task.partition(":")
    return f"{name}@{world}:{protocol}"


def _entry(side: Side, tasks: Mapping[str, set[str]]) -> str:
    patterns = json.dumps([_on(task, pattern) for pattern in tasks for task in _widest(tasks[pattern])])
    return f'    {{ name = "{side.method}", variants = ["{side.variant}"], benchmarks = {patterns} }},'
