"""``reelbench report``: draw the record of a store, on any machine that can read it."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("report")
@click.option(
    "--store",
    envvar="MLFLOW_TRACKING_URI",
    metavar="URI",
    help="MLflow store. [default: sqlite:///mlflow.db]",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("site"),
    show_default=True,
    help="Folder to draw into.",
)
@click.option(
    "--benchmark",
    "benchmarks",
    multiple=True,
    metavar="NAME",
    help="Only these (patterns: '*@didemo*'). Repeatable.",
)
@click.option(
    "--format",
    "formats",
    type=click.Choice(["html", "markdown", "latex", "csv"]),
    multiple=True,
    default=("html",),
    show_default=True,
    help="Repeatable; html draws the others beside it.",
)
def report(store: str | None, out: Path, benchmarks: tuple[str, ...], formats: tuple[str, ...]) -> None:
    """Draw leaderboards from the record, as a site or as tables."""
    from reelbench.reports.render import draw_site, draw_tables
    from reelbench.tracking.store import resolve_uri

    uri = resolve_uri(store)
    if "html" in formats:
        click.echo(draw_site(uri, out, benchmarks))
        return
    for path in draw_tables(uri, out, formats, benchmarks):
        click.echo(path)
