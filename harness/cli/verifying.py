"""``reelbench data verify``: what a dataset finds out about itself, as a table; exits 1 where something is false."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import click

from reelbench.cli.options import plugin_options

if TYPE_CHECKING:
    from rich.table import Table

    from reelbench.dataset import Finding

FAILED = 1
HOLDS = "holds"


@click.command("verify")
@click.argument("name")
@click.option(
    "--size", metavar="SIZE", help="Verify this size, where NAME has none. [default: the dataset's]"
)
@plugin_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def verify(
    name: str,
    size: str | None,
    plugins: tuple[str, ...],
    blocked: tuple[str, ...],
    strict: bool,
    as_json: bool,
) -> int:
    """Check what a dataset says of itself: for microworld, that each claim can be true or false in it."""
    from reelbench.errors import UsageError
    from reelbench.registry import build_registry

    if size and "/" in name:
        raise UsageError(f"{name!r} has a size already; leave --size out")
    started = time.monotonic()
    registry = build_registry(plugins, blocked=blocked, strict=strict)
    full = f"{name}/{size}" if size else name
    findings = _collect(registry.dataset_source(full).verify(full.partition("/")[2]))
    failures = [f for f in findings if f.failure]
    if as_json:
        click.echo(json.dumps({"dataset": full, "findings": [_as_json(f) for f in findings]}, indent=2))
    else:
        _print(findings)
        seconds = time.monotonic() - started
        click.echo(f"{full}: {len(findings) - len(failures)} of {len(findings)} rows hold, {seconds:.1f} s")
    return FAILED if failures else 0


def _collect(findings: Iterator[Finding]) -> list[Finding]:
    """All of them; on a terminal, the last one's name is shown meanwhile."""
    from rich.console import Console

    found: list[Finding] = []
    with Console(stderr=True).status("verifying") as status:
        for finding in findings:
            found.append(finding)
            status.update(f"{len(found)} rows, the last: {finding.name}")
    return found


def _as_json(finding: Finding) -> dict[str, object]:
    return {
        "group": finding.group,
        "name": finding.name,
        **finding.facts,
        "holds": not finding.failure,
        "failure": finding.failure,
    }


def _print(findings: Sequence[Finding]) -> None:
    """A table a group: drawn on a terminal, as aligned lines elsewhere."""
    from rich.console import Console

    for group, members in groupby(findings, key=lambda finding: finding.group):
        head, rows = _columns(list(members))
        if sys.stdout.isatty():
            Console().print(_table(group, head, rows))
            continue
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        click.echo("\n".join([group, *(_line(cells, widths) for cells in (head, *rows)), ""]))


def _columns(findings: Sequence[Finding]) -> tuple[list[str], list[list[str]]]:
    """(head, rows), without columns that are empty in the whole group."""
    names = [name for name in findings[0].values if any(finding.values[name] for finding in findings)]
    rows = [[f.name, *(f.values[name] for name in names), _verdict(f)] for f in findings]
    return ["row", *names, "verdict"], rows


def _verdict(finding: Finding) -> str:
    return f"FAILS: {finding.failure}" if finding.failure else HOLDS


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in head:
        table.add_column(name, overflow="fold")
    for *cells, verdict in rows:
        table.add_row(*map(Text, cells), Text(verdict, style="green" if verdict == HOLDS else "bold red"))
    return table
