"""``reelbench run``: a suite, or one method beside others, trained, evaluated, recorded and rendered."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reelbench.cli.options import Places, opener, place_options, plugin_options, report_broken, store_option
from reelbench.cli.selection import selection_options, suite_from
from reelbench.errors import SkippedPair
from reelbench.reuse import reuse_lines

if TYPE_CHECKING:
    from reelbench.bench import Bench
    from reelbench.plan import Plan
    from reelbench.running import Outcome


@click.command("run")
@click.argument("suite_name", metavar="[SUITE]", required=False)
@selection_options
@click.option(
    "--site",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("site"),
    show_default=True,
    help="Where the report is drawn.",
)
@click.option("--no-report", is_flag=True, help="Draw no report.")
@click.option(
    "--executor",
    default="workers",
    show_default=True,
    help="How stages run: workers, in-process, or a plugin's.",
)
@click.option("--json", "as_json", is_flag=True, help="End with one JSON object on standard output.")
@store_option
@place_options
@plugin_options
def run(
    suite_name: str | None,
    site: Path,
    no_report: bool,
    executor: str,
    as_json: bool,
    store: str | None,
    **options: Any,
) -> int:
    """Train, evaluate, record and render a suite (ablations, claims, controls, didemo, longer, papers, small, smoke, or a file), or one method beside others.

    Without SUITE, name --method and --benchmark. What is already recorded is not run again; a killed or interrupted
    bench goes on where it was when the same command is given again.
    """
    bench = prepare_bench(suite_name, store, executor, None if no_report else site, options)
    status = report_broken(bench.registry)
    _announce(bench)
    outcome = _watched(bench)
    summary = summarise(bench, outcome)
    click.echo(json.dumps(summary, indent=2) if as_json else _as_text(summary, bench, outcome))
    failed = any(t["status"] in ("failed", "skipped", "not run", "interrupted") for t in summary["trials"])
    left_out = left_out_by_name(bench.plan, (*options["methods"], *options["against"]))
    for line in left_out:
        click.echo(f"reelbench: error: {line}", err=True)
    if outcome.interrupted:
        return 130
    return 1 if failed or outcome.refused else SkippedPair.exit_code if left_out else status


def left_out_by_name(plan: Plan, asked: Iterable[str]) -> list[str]:
    """A line for each method asked for by its own name of which nothing can run."""
    run = {s.spec["method"] for s in plan.trials()}
    lines = []
    for name in dict.fromkeys(n for n in asked if n not in run and not any(c in n for c in "*?[")):
        reasons = dict.fromkeys(f"{s.benchmark}: {s.reason}" for s in plan.skipped if s.method == name)
        why = "; ".join(reasons) or f"suite {plan.suite.name!r} has it on none of these benchmarks"
        lines.append(f"method {name!r} was asked for and nothing of it can run: {why}")
    return lines


def prepare_bench(
    suite_name: str | None, store: str | None, executor: str, site: Path | None, options: Mapping[str, Any]
) -> Bench:
    """Everything up to the plan and what of it is cached."""
    from reelbench.bench import Bench
    from reelbench.registry import build_registry
    from reelbench.tracking.store import resolve_uri

    suite = suite_from(suite_name, options)
    plugins = tuple(dict.fromkeys((*suite.plugins, *options["plugins"])))
    registry = build_registry(plugins, blocked=options["blocked"], strict=options["strict"])
    places = Places.resolve(options["workspace"], options["cache_dir"], options["data_dir"])
    surroundings = places.surroundings(plugins, tuple(options["blocked"]))
    bench = Bench(
        suite, registry, surroundings, opener(registry, surroundings), resolve_uri(store), site=site.absolute() if site else None,
        executor=executor, reuse=options["reuse"], say=lambda line: click.echo(line, err=True),
    )  # fmt: skip
    bench.prepare()
    return bench


def _announce(bench: Bench) -> None:
    stages, waiting = len(bench.plan.stages), len(bench.waiting)
    bench.say(
        f"suite {bench.suite.name}: {len(bench.plan.trials())} trials in {stages} stages, {waiting} to run, {bench.workers} at a time on {bench.device}"
    )
    for line in reuse_lines(bench.reused.values()):
        bench.say(line)
    for reason in sorted(set(bench.misses.values())):
        bench.say(f"cache: {reason}")
    for skip in bench.plan.skipped:
        bench.say(f"skipped: {skip.method} ({skip.variant}) on {skip.benchmark}: {skip.reason}")


def _watched(bench: Bench) -> Outcome:
    from reelbench.cli.display import make_display

    display = make_display(bench.plan, bench.waiting, bench.workers)
    try:
        return bench.run({"display": display})
    finally:
        display.close()


def summarise(bench: Bench, outcome: Outcome) -> dict[str, Any]:
    """Every trial with its status and metrics, what was skipped, and where to look."""
    from reelbench.bench import trial_summary
    from reelbench.tracking.store import redact

    trials = [
        trial_summary(s, outcome.records.get(s.fingerprint), cached=s.fingerprint in outcome.cached)
        for s in bench.plan.trials()
    ]
    failures = [
        {"stage": s.title, "status": r["status"], "error": r.get("error")}
        for s in bench.plan.stages
        if (r := outcome.records.get(s.fingerprint)) and r["status"] in ("failed", "interrupted")
    ]
    return {
        "suite": bench.suite.name, "store": redact(bench.store), "site": str(bench.site / "index.html") if bench.site else None,
        "seconds": outcome.seconds, "stages": outcome.count(bench.plan), "trials": trials, "failures": failures,
        "skipped": [vars(s) if hasattr(s, "__dict__") else {f: getattr(s, f) for f in s.__dataclass_fields__} for s in bench.plan.skipped],
    }  # fmt: skip


def _as_text(summary: Mapping[str, Any], bench: Bench, outcome: Outcome) -> str:
    from reelbench.cli.display import duration
    from reelbench.cli.tables import primary_tables

    lines = primary_tables(bench.plan, outcome.records)
    lines += [f"{f['status']}: {f['stage']}: {f['error']}" for f in summary["failures"]]
    counts = ", ".join(f"{n} {status}" for status, n in summary["stages"].items() if n)
    lines.append(f"{counts} in {duration(outcome.seconds)}")
    if outcome.interrupted:
        lines.append("interrupted; the same command goes on from here")
    if summary["site"]:
        lines.append(f"report: {summary['site']}")
    lines.append("compare runs: reelbench ui")
    return "\n".join(lines)
