"""``reelbench data verify``: what a dataset finds out about itself, as a table; exits 1 where something is false."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from reelbench.cli.options import plugin_options

if TYPE_CHECKING:
    from rich.table import Table

    from reelbench.dataset import Finding

FAILED = 1
VERDICT = "verdict"


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
    findings = list(registry.dataset_source(full).verify(full.partition("/")[2]))
    failures = [f for f in findings if f.failure]
    if as_json:
        click.echo(json.dumps({"dataset": full, "findings": [_as_json(f) for f in findings]}, indent=2))
    else:
        _print(findings)
        seconds = time.monotonic() - started
        click.echo(f"{full}: {len(findings) - len(failures)} of {len(findings)} rows hold, {seconds:.1f} s")
    return FAILED if failures else 0


def _as_json(finding: Finding) -> dict[str, object]:
    return {
        "group": finding.group,
        "name": finding.name,
        **finding.facts,
        "holds": not finding.failure,
        "failure": finding.failure,
    }


def _print(findings: Sequence[Finding]) -> None:
    """A table on a terminal, aligned lines elsewhere."""
    if sys.stdout.isatty():
        from rich.console import Console

        Console().print(_table(findings))
        return
    rows = [_cells(finding) for finding in findings]
    head = _columns(findings)
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for i, row in enumerate(rows):
        if not i or findings[i].group != findings[i - 1].group:
            click.echo(f"\n{findings[i].group}\n" + _line(head, widths) if i else _line(head, widths))
        click.echo(_line(row, widths))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _columns(findings: Sequence[Finding]) -> list[str]:
    return ["row", *(findings[0].values if findings else ()), VERDICT]


def _cells(finding: Finding) -> list[str]:
    return [
        finding.name,
        *finding.values.values(),
        f"FAILS: {finding.failure}" if finding.failure else "holds",
    ]


def _table(findings: Sequence[Finding]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(*_columns(findings), row_styles=("", "dim"))
    for i, finding in enumerate(findings):
        if not i or finding.group != findings[i - 1].group:
            table.add_section()
            table.add_row(Text(finding.group, style="bold"))
        *cells, verdict = _cells(finding)
        table.add_row(*map(Text, cells), Text(verdict, style="bold red" if finding.failure else "green"))
    return table
