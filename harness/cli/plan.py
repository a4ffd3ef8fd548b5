"""``reelbench plan``: what a suite would run, what is cached and why not, before anything is spent."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from reelbench.cli.options import place_options, plugin_options, report_broken, store_option
from reelbench.cli.selection import selection_options
from reelbench.reuse import reuse_lines

if TYPE_CHECKING:
    from reelbench.bench import Bench
    from reelbench.reuse import Reused
    from reelbench.stages import Stage


@click.command("plan")
@click.argument("suite_name", metavar="[SUITE]", required=False)
@selection_options
@click.option("--origins", is_flag=True, help="Show where each config value came from.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@store_option
@place_options
@plugin_options
def plan(suite_name: str | None, origins: bool, as_json: bool, store: str | None, **options: Any) -> int:
    """Show what a suite would run, what is cached and why not, and what it may cost."""
    from reelbench.cli.run import prepare_bench

    bench = prepare_bench(suite_name, store, "workers", None, options)
    reused = bench.reused
    rows = [_row(bench, stage, reused.get(stage.fingerprint)) for stage in bench.plan.stages]
    notes = [
        n
        for answer in bench.registry.manager.hook.reelbench_plan_notes(
            plan=bench.plan, store=bench.store, registry=bench.registry
        )
        for n in answer
    ]
    if as_json:
        skipped = [
            {"method": s.method, "variant": s.variant, "benchmark": s.benchmark, "reason": s.reason}
            for s in bench.plan.skipped
        ]
        click.echo(
            json.dumps(
                {
                    "suite": bench.suite.name,
                    "device": bench.device,
                    "reuse": bench.reuse,
                    "stages": rows,
                    "skipped": skipped,
                    "notes": notes,
                },
                indent=2,
            )
        )
    else:
        click.echo(
            "\n".join(
                [
                    *_lines(rows, origins),
                    *_skipped(bench),
                    *_smaller(bench),
                    *reuse_lines(bench.reused.values()),
                    *notes,
                    _total(bench, rows),
                ]
            )
        )
    return report_broken(bench.registry)


def _row(bench: Bench, stage: Stage, reused: Reused | None) -> dict[str, Any]:
    from reelbench.timings import past

    cached = stage.fingerprint in bench.hits
    before = past(bench.surroundings.workspace, stage)
    return {
        "kind": stage.kind, "title": stage.title, "label": stage.label, "fingerprint": stage.fingerprint, "seed": stage.spec["seed"],
        "state": "cached" if cached else "to run" if stage.fingerprint in bench.waiting else "not needed",
        "why": "" if cached else bench.misses.get(stage.fingerprint) or before.why_not_cached(stage),
        "reused": asdict(reused) if reused else None,
        "expected_seconds": before.seconds, "expected_bytes": before.bytes, "origins": stage.spec.get("origins", {}), "config": stage.spec.get("config", {}),
    }  # fmt: skip


def _lines(rows: list[dict[str, Any]], origins: bool) -> list[str]:
    lines = []
    for row in rows:
        cost = (
            f"about {row['expected_seconds']:.0f} s, {row['expected_bytes'] / 2**20:.1f} MB"
            if row["expected_seconds"] is not None
            else "cost unknown"
        )
        lines.append(
            f"{row['fingerprint'][:8]}  {row['state']:<10} {row['title']}"
            + ("" if row["state"] == "cached" else f"  ({row['why']}; {cost})")
        )
        if origins and row["kind"] == "fit":
            lines += [
                f"            {k} = {v!r}  ← {row['origins'].get(k, 'default')}"
                for k, v in row["config"].items()
            ]
            lines += [
                f"            {k}  ← {origin}"
                for k, origin in row["origins"].items()
                if k not in row["config"]
            ]
    return lines


def _skipped(bench: Bench) -> list[str]:
    return [f"skipped: {s.method} ({s.variant}) on {s.benchmark}: {s.reason}" for s in bench.plan.skipped]


def _smaller(bench: Bench) -> list[str]:
    """Methods that train, and not at the suite's preset because they have none of that name."""
    fits = (s.spec for s in bench.plan.stages if s.kind == "fit" and s.spec["phases"])
    presets = {spec["method"]: spec["preset"] for spec in fits}
    lacking = {
        name: preset
        for name, preset in presets.items()
        if bench.suite.preset not in bench.registry.methods[name].presets
    }
    return [
        f"preset: {name} has no {bench.suite.preset!r} and runs in {preset!r}"
        for name, preset in sorted(lacking.items())
    ]


def _total(bench: Bench, rows: list[dict[str, Any]]) -> str:
    states = Counter(row["state"] for row in rows)
    waiting = [row for row in rows if row["state"] == "to run"]
    known = [row["expected_seconds"] for row in waiting if row["expected_seconds"] is not None]
    seconds = (
        f", about {sum(known) / bench.workers:.0f} s for the {len(known)} whose like ran here before"
        if known
        else ""
    )
    return (
        f"{len(bench.plan.trials())} trials, {len(rows)} stages: "
        + ", ".join(f"{n} {state}" for state, n in states.items())
        + seconds
    )
