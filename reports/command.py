"""``reelbench report``: draw the record of a store, on any machine that can read it."""

from __future__ import annotations

from pathlib import Path

import click

from reelbench.cli.options import store_option, workspace_option

SITE = "html"


@click.command("report")
@store_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("site"),
    show_default=True,
    help="Folder to draw into.",
)
@workspace_option("Where drawn benchmarks are kept, to draw the next time only those that changed.")
@click.option(
    "--benchmark",
    "benchmarks",
    multiple=True,
    metavar="NAME",
    help="Only these (patterns: '*@didemo*'); pages of others stay as they are. Repeatable.",
)
@click.option(
    "--format",
    "formats",
    metavar="NAME",
    multiple=True,
    default=("html",),
    show_default=True,
    help="html (with its tables beside it), markdown, latex, csv, json, or a plugin's. Repeatable.",
)
def report(
    store: str | None, out: Path, workspace: Path, benchmarks: tuple[str, ...], formats: tuple[str, ...]
) -> None:
    """Draw leaderboards from the record, as a site or as tables."""
    from reelbench.errors import UnknownNameError
    from reelbench.registry import build_registry
    from reelbench.tracking.store import resolve_uri

    tables = [name for name in formats if name != SITE]
    known = build_registry().formats if tables else {}
    for name in tables:
        if name not in known:
            raise UnknownNameError("report format", name, [SITE, *known])
    from reelbench.reports.render import draw_site, draw_tables

    uri = resolve_uri(store)
    if SITE in formats:
        click.echo(draw_site(uri, out, benchmarks, workspace=workspace))
    for path in draw_tables(uri, out, [known[name] for name in tables], benchmarks):
        click.echo(path)
