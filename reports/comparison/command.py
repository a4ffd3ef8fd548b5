"""``reelbench compare A B``: where two rows differ, in numbers, in kinds of examples, in examples."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reelbench.cli.options import Places, opener, place_options, plugin_options, store_option

if TYPE_CHECKING:
    from reelbench.reports.comparison.page import Comparison


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
    from reelbench.errors import UsageError
    from reelbench.registry import build_registry
    from reelbench.reports.comparison.page import compare_rows, comparison_object
    from reelbench.reports.comparison.sides import comparable, find_row
    from reelbench.reports.frames import load
    from reelbench.reports.leaderboard import boards
    from reelbench.tracking.store import resolve_uri

    found = boards(load(resolve_uri(store), benchmarks))
    both = comparable(found, (left, right))
    if not both:
        for board in found:
            find_row(board, left)
            find_row(board, right)
        raise UsageError(f"no benchmark of the record has both {left!r} and {right!r}")
    registry = build_registry(options["plugins"], blocked=options["blocked"], strict=options["strict"])
    places = Places.resolve(options["workspace"], options["cache_dir"], options["data_dir"])
    open_dataset = opener(registry, places.surroundings(tuple(options["plugins"]), tuple(options["blocked"])))
    done = [
        compare_rows(board, find_row(board, left), find_row(board, right), registry.task(board.record["task"]), open_dataset(board.record["dataset"]))
        for board in both
    ]  # fmt: skip
    if as_json:
        click.echo(
            json.dumps({"comparisons": [comparison_object(c) for c in done]}, indent=2, allow_nan=False)
        )
        return
    for one in done:
        click.echo(_as_text(one))
    for path in _draw(done, out):
        click.echo(path)


def _draw(done: Sequence[Comparison], out: Path) -> list[Path]:
    from reelbench.reports.comparison.page import page_of
    from reelbench.reports.formats import slug
    from reelbench.reports.render import environment, write_text

    template = environment().get_template("compare.html")
    paths = []
    for one in done:
        pair = "-".join(f"{row.tag('method')}.{row.tag('variant')}" for row in (one.left, one.right))
        path = out / "compare" / f"{slug(f'{pair}-{one.board.benchmark}')}.html"
        write_text(path, template.render(page_of(one), root="../"))
        paths.append(path)
    return paths


def _as_text(one: Comparison) -> str:
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
    return "\n".join(lines)
