"""``reelbench compare A B``: where two rows differ, in numbers, in kinds of examples, in examples."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reelbench.cli.options import Places, opener, place_options, plugin_options, store_option
from reelbench.plaintext import one_line, visible

if TYPE_CHECKING:
    from reelbench.plan import OpenDataset
    from reelbench.registry import Registry
    from reelbench.reports.comparison.page import Comparison
    from reelbench.reports.leaderboard import Board


@click.command("compare")
@click.argument("left", metavar="A")
@click.argument("right", metavar="B")
@click.option(
    "--benchmark",
    "benchmarks",
    multiple=True,
    metavar="NAME",
    help="Only these (patterns). [default: all that have both rows] Repeatable.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("site"),
    show_default=True,
    help="Folder for the pages, under compare/.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and draw no page.")
@store_option
@place_options
@plugin_options
def compare(
    left: str,
    right: str,
    benchmarks: tuple[str, ...],
    out: Path,
    as_json: bool,
    store: str | None,
    **options: Any,
) -> None:
    """Compare two rows, each a method or METHOD/VARIANT: the difference on each metric with its interval, and where it comes from.

    The intervals are of one difference each; a table's ranks are corrected for all its pairs.
    """
    from reelbench.registry import build_registry
    from reelbench.reports.comparison.page import comparison_object
    from reelbench.reports.comparison.sides import opposed
    from reelbench.reports.frames import load
    from reelbench.reports.leaderboard import boards
    from reelbench.tracking.store import resolve_uri

    both = opposed(boards(load(resolve_uri(store), benchmarks)), left, right)
    registry = build_registry(options["plugins"], blocked=options["blocked"], strict=options["strict"])
    places = Places.resolve(options["workspace"], options["cache_dir"], options["data_dir"])
    open_dataset = opener(registry, places.surroundings(tuple(options["plugins"]), tuple(options["blocked"])))
    done, refused = _compared(both, left, right, registry, open_dataset)
    if as_json:
        told = {"comparisons": [comparison_object(c) for c in done], "refused": refused}
        click.echo(json.dumps(told, indent=2, allow_nan=False))
        return
    for benchmark, why in refused.items():
        click.echo(one_line(f"{benchmark}: not compared: {why}"))
    for one in done:
        click.echo(as_text(one))
    for path in draw(done, out):
        click.echo(visible(path))


def _compared(
    both: Sequence[Board], left: str, right: str, registry: Registry, open_dataset: OpenDataset
) -> tuple[list[Comparison], dict[str, str]]:
    """The comparisons, and why a benchmark has none.

    Raises
    ------
    IncomparableError
        If no benchmark has one.
    """
    from reelbench.reports.comparison.page import IncomparableError, compare_rows
    from reelbench.reports.comparison.sides import find_row

    done: list[Comparison] = []
    refused: dict[str, str] = {}
    for board in both:
        rows = find_row(board, left), find_row(board, right)
        task, dataset = registry.task(board.record["task"]), open_dataset(board.record["dataset"])
        try:
            done.append(compare_rows(board, *rows, task, dataset))
        except IncomparableError as error:
            refused[board.benchmark] = str(error)
    if not done:
        raise IncomparableError("; ".join(f"{name}: {why}" for name, why in refused.items()))
    return done, refused


def draw(done: Sequence[Comparison], out: Path) -> list[Path]:
    """Write a page for each comparison; two labels and a benchmark have one of their own."""
    from reelbench.reports.comparison.page import page_of
    from reelbench.reports.formats import slug
    from reelbench.reports.templating import environment, write_text

    template = environment().get_template("compare.html")
    paths = []
    for one in done:
        pair = f"{one.left.label}-{one.right.label}-{one.board.benchmark}"
        path = out / "compare" / f"{slug(pair)}.html"
        write_text(path, template.render(page_of(one), root="../"))
        paths.append(path)
    return paths


def as_text(one: Comparison) -> str:
    """A few lines: each metric, and the kinds of examples on which the rows surely differ."""
    from reelbench.reports.comparison.page import page_of

    values = page_of(one)
    lines = [f"{one.board.benchmark}: {values['names'][0]} less {values['names'][1]}"]
    lines += [
        f"  {m['head']:16s} {m['left']:>8s} {m['right']:>8s}  {m['difference']} {m['interval']}  p {m['p']}"
        for m in values["metrics"]
    ]
    sure = [k for k in values["kinds"] if k["kind"] and k["sure"]]
    lines += [
        f"  {k['by']} {k['kind']} ({k['examples']}): {k['difference']} {k['interval']} an example"
        for k in sure
    ]
    if sure:
        lines.append(
            f"  {len(sure)} of {len(values['kinds'])} kinds; nothing is corrected for how many are looked at"
        )
    lines += [f"  {warning}" for warning in values["warnings"]]
    return "\n".join(" ".join(visible(line).splitlines()) for line in lines)
