"""``reelbench data``: prepare a dataset before a bench, or look at what it holds."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import click

from reelbench.cli.options import Places, opener, place_options, plugin_options


@click.group("data")
def data() -> None:
    """Prepare and inspect datasets."""


@data.command("prepare")
@click.argument("name")
@plugin_options
@place_options
def prepare(
    name: str,
    plugins: tuple[str, ...],
    blocked: tuple[str, ...],
    strict: bool,
    workspace: Path,
    cache_dir: Path | None,
    data_dir: Path | None,
) -> None:
    """Generate or check a dataset (microworld/small, say), so that the first bench does not have to."""
    started = time.monotonic()
    dataset = _open(name, plugins, blocked, strict, Places.resolve(workspace, cache_dir, data_dir))
    click.echo(
        f"{dataset.name}: ready in {time.monotonic() - started:.1f} s, fingerprint {dataset.fingerprint[:12]}"
    )


@data.command("show")
@click.argument("name")
@plugin_options
@place_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def show(
    name: str,
    plugins: tuple[str, ...],
    blocked: tuple[str, ...],
    strict: bool,
    workspace: Path,
    cache_dir: Path | None,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Benchmarks, relations, features and label spaces of a dataset."""
    description = _describe(
        _open(name, plugins, blocked, strict, Places.resolve(workspace, cache_dir, data_dir))
    )
    if as_json:
        click.echo(json.dumps(description, indent=2))
        return
    for heading, rows in description.items():
        click.echo(heading if isinstance(rows, dict) else f"{heading}: {rows}")
        if isinstance(rows, dict):
            click.echo("\n".join(f"  {k}  {v}" for k, v in rows.items()))


def _open(name: str, plugins: tuple[str, ...], blocked: tuple[str, ...], strict: bool, places: Places) -> Any:
    from reelbench.benchmarks import canonical_dataset
    from reelbench.registry import build_registry

    registry = build_registry(plugins, blocked=blocked, strict=strict)
    return opener(registry, places.surroundings(plugins, blocked))(canonical_dataset(registry, name))


def _describe(dataset: Any) -> dict[str, Any]:
    relations = {
        r: ", ".join(f"{s} {len(dataset.relation(r, s))}" for s in splits)
        for r, splits in dataset.relations.items()
    }
    return {
        "name": dataset.name, "fingerprint": dataset.fingerprint,
        "benchmarks": {f"{b.task}:{b.protocol}": b.doc for b in dataset.benchmarks}, "relations": relations,
        "features": {n: f"{'x'.join(map(str, f.shape))} at {f.rate_hz:g} Hz, {f.dtype}" for n, f in dataset.features.items()},
        "spaces": {n: f"{len(v)} ({', '.join(v[:4])}, …)" for n, v in dataset.spaces.items()},
    }  # fmt: skip
