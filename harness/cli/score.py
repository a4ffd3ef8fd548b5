"""``reelbench score``: predictions made elsewhere, checked, scored, and recorded as an external row."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reelbench.cli.options import Places, opener, place_options, plugin_options, store_option

if TYPE_CHECKING:
    from reelbench.bench import Bench
    from reelbench.running import Outcome


FILES = "--predictions"


class SeveralFiles(click.Command):
    """``--predictions a b c`` is ``--predictions a --predictions b --predictions c``: a shell makes it of ``seeds/*.jsonl``.

    Click has no option of any number of values, and trailing arguments would lose the order of the seeds.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Before Click sees them."""
        return super().parse_args(ctx, list(spread(args)))


def spread(args: Sequence[str]) -> Iterator[str]:
    """The option before each of its values, which end at the next option."""
    is_open = False
    for before, arg in zip(("", *args), args, strict=False):
        is_option = arg.startswith("-")
        if is_open and not is_option and before != FILES:
            yield FILES
        yield arg
        if is_option:
            is_open = arg.partition("=")[0] == FILES


@click.command("score", cls=SeveralFiles)
@click.option("--benchmark", required=True, metavar="NAME", help="task@dataset[:protocol].")
@click.option(
    FILES, "files", multiple=True, metavar="FILE…", type=click.Path(path_type=Path),
    help="JSON lines, a JSON list, Parquet, or a trial's predictions folder. Several, a seed each: seeds/*.jsonl.",
)  # fmt: skip
@click.option(
    "--label", default="external", show_default=True, help="What the row is called: letters, digits, dashes."
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Seed of the first file; the next has the next.",
)
@click.option(
    "--questions",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write what has to be answered to this file, and score nothing.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@store_option
@place_options
@plugin_options
def score(
    benchmark: str,
    files: tuple[Path, ...],
    label: str,
    seed: int,
    questions: Path | None,
    as_json: bool,
    store: str | None,
    **options: Any,
) -> int:
    """Score predictions from anywhere and add them to the record, marked as external and not ranked.

    Every FILE has to answer every example of the benchmark's test split, and nothing else. The files are seeds in the order in which they are given.
    """
    from reelbench.errors import UsageError
    from reelbench.external.bench import ask, external_bench
    from reelbench.plaintext import visible
    from reelbench.registry import build_registry
    from reelbench.tracking.store import resolve_uri

    if not (files or questions):
        raise UsageError("give --predictions FILE, or --questions FILE to see what has to be answered")
    _check_once(files)
    registry = build_registry(options["plugins"], blocked=options["blocked"], strict=options["strict"])
    places = Places.resolve(options["workspace"], options["cache_dir"], options["data_dir"])
    surroundings = places.surroundings(tuple(options["plugins"]), tuple(options["blocked"]))
    asked = ask(registry, opener(registry, surroundings), benchmark)
    if questions:
        asked.write(questions)
        click.echo(visible(questions))
        return 0
    bench = external_bench(
        asked, files, label, seed, surroundings, resolve_uri(store), lambda text: click.echo(visible(text))
    )
    outcome = bench.run({})
    summary = _summary(bench, outcome)
    click.echo(json.dumps(summary, indent=2) if as_json else as_text(summary))
    return 1 if any(t["status"] not in ("finished", "cached") for t in summary["trials"]) else 0


def _check_once(files: Sequence[Path]) -> None:
    """A pattern that meets a file twice would make one prediction two seeds."""
    from reelbench.errors import UsageError

    if repeated := [path for i, path in enumerate(files) if path in files[:i]]:
        raise UsageError(f"{repeated[0]} is given twice; each file is another seed")


def _summary(bench: Bench, outcome: Outcome) -> dict[str, Any]:
    from reelbench.bench import trial_summary
    from reelbench.tracking.store import redact

    trials = [
        trial_summary(
            stage, outcome.records.get(stage.fingerprint), cached=stage.fingerprint in outcome.cached
        )
        for stage in bench.plan.trials()
    ]
    return {"store": redact(bench.store), "trials": trials}


def as_text(summary: dict[str, Any]) -> str:
    """What is printed of trials: nothing of a file or an error reaches the terminal unseen."""
    from reelbench.plaintext import one_line, visible

    lines = []
    for trial in summary["trials"]:
        lines.append(f"{trial['benchmark']}: {trial['method']}, seed {trial['seed']}: {trial['status']}")
        lines += [f"  {name:24s} {value:.4f}" for name, value in trial["metrics"].items()]
        if trial["error"]:
            lines.append(f"  {one_line(trial['error'])}")
    return visible("\n".join([*lines, "draw it with: reelbench report"]))
