"""``reelbench data``: prepare a dataset before a bench, or look at what it holds."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import click

from reelbench.cli.options import Places, opener, place_options, plugin_options
from reelbench.cli.verifying import verify


@click.group("data")
def data() -> None:
    """Prepare, inspect and verify datasets."""


data.add_command(verify)


@data.command("prepare")
@click.argument("name")
@click.option(
    "--stories",
    type=click.IntRange(min=1),
    help="Training stories instead of the size's own: microworld/small with 200 is microworld/small/stories200.",
)
@plugin_options
@place_options
def prepare(
    name: str,
    stories: int | None,
    plugins: tuple[str, ...],
    blocked: tuple[str, ...],
    strict: bool,
    workspace: Path,
    cache_dir: Path | None,
    data_dir: Path | None,
) -> None:
    """Generate or check a dataset (microworld/small, say), so that the first bench does not have to."""
    started = time.monotonic()
    dataset = _open(
        name, plugins, blocked, strict, Places.resolve(workspace, cache_dir, data_dir), stories=stories
    )
    click.echo(
        f"{dataset.name}: ready in {time.monotonic() - started:.1f} s, fingerprint {dataset.fingerprint[:12]}"
    )


@data.command("show")
@click.argument("name")
@plugin_options
@place_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option(
    "--page",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write a page about it (one HTML file) instead.",
)
def show(
    name: str,
    plugins: tuple[str, ...],
    blocked: tuple[str, ...],
    strict: bool,
    workspace: Path,
    cache_dir: Path | None,
    data_dir: Path | None,
    as_json: bool,
    page: Path | None,
) -> None:
    """Benchmarks, relations, features and label spaces of a dataset; with --page, a page to look at."""
    if page and as_json:
        raise click.UsageError("--json and --page are two ways to show a dataset; give one of them")
    dataset = _open(name, plugins, blocked, strict, Places.resolve(workspace, cache_dir, data_dir))
    if page:
        _write_page(dataset, page)
        return
    description = _describe(dataset)
    if as_json:
        click.echo(json.dumps(description, indent=2))
        return
    for heading, rows in description.items():
        click.echo(heading if isinstance(rows, dict) else f"{heading}: {rows}")
        if isinstance(rows, dict):
            click.echo("\n".join(f"  {k}  {v}" for k, v in rows.items()))
    if _has_page(dataset) and sys.stdout.isatty():
        click.echo(f"a page to look at: reelbench data show {dataset.name} --page FILE.html", err=True)


def _has_page(dataset: Any) -> bool:
    from reelbench.dataset import Dataset

    return type(dataset).page is not Dataset.page


def _write_page(dataset: Any, file: Path) -> None:
    from reelbench.errors import DatasetError

    started = time.monotonic()
    if _has_page(dataset):
        click.echo(f"drawing a page of {dataset.name}", err=True)
    html = dataset.page()
    if html is None:
        raise DatasetError(f"dataset {dataset.name!r} has no page; leave --page out")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(html, encoding="utf-8")
    except OSError as error:
        raise click.FileError(str(file), error.strerror or str(error)) from error
    click.echo(f"{file}: {len(html) / 1e6:.1f} MB in {time.monotonic() - started:.1f} s")


def _open(
    name: str,
    plugins: tuple[str, ...],
    blocked: tuple[str, ...],
    strict: bool,
    places: Places,
    *,
    stories: int | None = None,
) -> Any:
    from reelbench.benchmarks import canonical_dataset
    from reelbench.registry import build_registry

    registry = build_registry(plugins, blocked=blocked, strict=strict)
    full = canonical_dataset(registry, name)
    if stories:
        head, _, path = full.partition("/")
        full = f"{head}/{registry.dataset_source(full).with_stories(path, stories)}"
    return opener(registry, places.surroundings(plugins, blocked))(full)


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
