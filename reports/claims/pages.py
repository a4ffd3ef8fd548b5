"""What the pages of claims say: one a paper, and a summary of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from reelbench.reports.claims.judging import Judged, families, faults_in
from reelbench.reports.claims.lines import (
    STATUSES,
    claim_line,
    counts,
    held_in_controls,
    in_control,
    spec_of,
    specs_of,
)
from reelbench.reports.formats import slug
from reelbench.reports.leaderboard import Board


def summary_page(
    judged: Sequence[Judged], boards: Sequence[Board], titles: Mapping[str, str]
) -> dict[str, Any]:
    """Verdicts by paper and world, how many held where none should, and which claims cannot be read."""
    summary = [
        {
            "title": titles.get(paper, paper),
            "href": f"{slug(paper)}.html",
            "world": world,
            "control": several[0].is_control,
            "counts": counts(several),
        }
        for (world, paper), several in families(judged).items()
    ]
    return {
        "title": "",
        "summary": summary,
        "verdicts": STATUSES,
        "control": held_in_controls(judged),
        "faults": faults_in(boards),
        "worlds": {},
    }


def paper_page(judged: Sequence[Judged], boards: Sequence[Board], title: str) -> dict[str, Any]:
    """A paper's claims, world by world, those with a verdict first."""
    specs = specs_of(boards)
    worlds = {
        world: [
            replace(claim_line(one, spec_of(one, specs)), control=in_control(one, judged, specs))
            for one in sorted(judged, key=lambda one: STATUSES.index(one.status))
            if one.world == world
        ]
        for world in dict.fromkeys(one.world for one in judged)
    }
    return {"title": title, "summary": [], "verdicts": (), "control": "", "faults": [], "worlds": worlds}
