"""``reelbench claims``: what the record says of the papers' claims, and the suite that they need."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reelbench.cli.options import store_option

if TYPE_CHECKING:
    from reelbench.reports.claims.judging import Judged
    from reelbench.reports.claims.statement import Claim

WORLD = "microworld/small"


@click.command("claims")
@click.argument("methods", nargs=-1, metavar="[METHOD]...")
@store_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--write-suite",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the suite that the claims need to this file, and judge nothing.",
)
@click.option(
    "--controls",
    is_flag=True,
    help="With --write-suite: the control worlds that claims name, instead of the world itself.",
)
@click.option("--dataset", default=WORLD, show_default=True, help="With --write-suite: the world.")
@click.option(
    "--draws",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="With --write-suite: how many draws of the world.",
)
@click.option(
    "--seeds",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help="With --write-suite: how many seeds.",
)
def claims(
    methods: tuple[str, ...],
    store: str | None,
    as_json: bool,
    write_suite: Path | None,
    controls: bool,
    dataset: str,
    draws: int,
    seeds: int,
) -> None:
    """Hold the claims of papers against the record: holds, smaller than claimed, refuted, reversed, or inconclusive.

    A claim is run with `reelbench run FILE` on the suite that --write-suite writes. The built-in suite `claims` has all of them, `controls` those
    that name a control world, in that world.
    """
    known = _known(methods)
    if write_suite is not None:
        from reelbench.reports.claims.needed import controls_text, draws_of, suite_text

        text = (
            controls_text(known, dataset, draws, seeds=seeds)
            if controls
            else suite_text(known, draws_of(dataset, draws), seeds=seeds)
        )
        write_suite.write_text(text, encoding="utf-8")
        click.echo(write_suite)
        return
    from reelbench.plaintext import visible
    from reelbench.reports.claims.judging import claims_in, faults_in, judge
    from reelbench.reports.frames import load
    from reelbench.reports.leaderboard import boards
    from reelbench.tracking.store import resolve_uri

    found = boards(load(resolve_uri(store)))
    judged = judge([c for c in claims_in(found) if not methods or c.paper in methods], found)
    for fault in faults_in(found):
        click.echo(f"reelbench: left out: {visible(fault)}", err=True)
    click.echo(_as_json(judged) if as_json else visible(_as_text(judged, found)))


def _known(methods: Sequence[str]) -> list[Claim]:
    """The claims of the registered methods that are asked for, or of all."""
    from reelbench.errors import UnknownNameError
    from reelbench.papers import read_paper
    from reelbench.registry import build_registry
    from reelbench.reports.claims.statement import claims_of

    papers = {name: paper for name, m in build_registry().methods.items() if (paper := read_paper(type(m)))}
    for name in methods:
        if name not in papers:
            raise UnknownNameError("method with a paper", name, papers)
    return [
        claim
        for name in sorted(papers)
        if not methods or name in methods
        for claim in claims_of(name, papers[name])
    ]


def _as_json(judged: Sequence[Judged]) -> str:
    from reelbench.reports.claims.lines import control_counts, judged_object

    return json.dumps(
        {
            "claims": [judged_object(one) for one in judged],
            "controls": control_counts(judged),
        },
        indent=2,
        allow_nan=False,
    )


def _as_text(judged: Sequence[Judged], found: Any) -> str:
    from reelbench.reports.claims.judging import families
    from reelbench.reports.claims.lines import (
        claim_line,
        counts,
        held_in_controls,
        in_control,
        spec_of,
        specs_of,
        weight,
    )

    if not judged:
        return "the record has no trial that a claim of its methods is about; run the suite `claims`"
    specs, lines = specs_of(found), []
    for (world, paper), several in families(judged).items():
        lines.append(
            f"{paper} on {world}: " + ", ".join(f"{n} {verdict}" for verdict, n in counts(several).items())
        )
        for one in several:
            line = claim_line(one, spec_of(one, specs))
            effect = f"{line.measured}, claimed {line.wanted}" if one.lead else ""
            told = "; ".join(
                part
                for part in (
                    effect,
                    line.shown,
                    weight(one, line),
                    line.note,
                    in_control(one, judged, specs),
                )
                if part
            )
            lines.append(f"  {line.verdict:21s} {line.name}: {line.statement}; {line.metric} {told}")
    return "\n".join([*lines, *filter(None, [held_in_controls(judged)])])
