"""What the pages of claims say: one a paper, and a summary of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reelbench.reports.claims.judging import Judged
from reelbench.reports.claims.lines import VERDICTS, claim_line, counts, spec_of, specs_of
from reelbench.reports.formats import slug
from reelbench.reports.leaderboard import Board


def summary_page(judged: Sequence[Judged], titles: Mapping[str, str]) -> dict[str, Any]:
    """Verdicts by paper and world, and how many held where none should."""
    families = dict.fromkeys((one.claim.paper, one.world) for one in judged)
    summary = [
        {
            "title": titles.get(paper, paper),
            "href": f"{slug(paper)}.html",
            "world": world,
            "control": several[0].is_control,
            "counts": counts(several),
        }
        for paper, world in families
        if (several := [one for one in judged if (one.claim.paper, one.world) == (paper, world)])
    ]
    return {
        "title": "",
        "summary": summary,
        "verdicts": (*VERDICTS, "not run"),
        "control": _control(judged),
        "worlds": {},
    }


def _control(judged: Sequence[Judged]) -> str:
    there = [one for one in judged if one.is_control and one.verdict]
    held = sum(one.verdict == "holds" for one in there)
    return (
        f"In control worlds, where the ingredient carries nothing, {held} of {len(there)} claims hold (at most 5 % should)."
        if there
        else ""
    )


def paper_page(judged: Sequence[Judged], boards: Sequence[Board], title: str) -> dict[str, Any]:
    """A paper's claims, world by world."""
    specs = specs_of(boards)
    worlds = {
        world: [claim_line(one, spec_of(one, specs)) for one in judged if one.world == world]
        for world in dict.fromkeys(one.world for one in judged)
    }
    return {"title": title, "summary": [], "verdicts": (), "control": "", "worlds": worlds}
