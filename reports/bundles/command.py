"""``reelbench bundle``, ``verify`` and ``merge``: a table that another lab can check, and records joined into one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from reelbench.cli.options import Places, opener, place_options, plugin_options, store_option


@click.command("bundle")
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--benchmark", "benchmarks", multiple=True, metavar="NAME", help="Only these (patterns). Repeatable."
)
@store_option
def bundle(out: Path, benchmarks: tuple[str, ...], store: str | None) -> None:
    """Write OUT, a folder or a .zip: predictions, score sheets, records, tables, environment and digests of what the record shows.

    `reelbench verify OUT` checks it anywhere, without training.
    """
    from reelbench.plaintext import visible
    from reelbench.reports.bundles.packing import write_bundle
    from reelbench.reports.frames import load
    from reelbench.reports.leaderboard import boards
    from reelbench.tracking.store import resolve_uri

    results = load(resolve_uri(store), benchmarks)
    click.echo(visible(write_bundle(results, boards(results), out)))


@click.command("verify")
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@place_options
@plugin_options
def verify(path: Path, as_json: bool, **options: Any) -> int:
    """Check a bundle: every file against its digest, every score against its predictions. Exits with 1 where something differs."""
    from reelbench.plaintext import one_line
    from reelbench.registry import build_registry
    from reelbench.reports.bundles.opening import opened
    from reelbench.reports.bundles.verifying import verify as check

    registry = build_registry(options["plugins"], blocked=options["blocked"], strict=options["strict"])
    places = Places.resolve(options["workspace"], options["cache_dir"], options["data_dir"])
    surroundings = places.surroundings(tuple(options["plugins"]), tuple(options["blocked"]))
    with opened(path) as found:
        checked = list(check(found, registry, opener(registry, surroundings)))
        damaged = found.damaged
    if as_json:
        click.echo(json.dumps({"damaged": damaged, "trials": [vars(one) for one in checked]}, indent=2))
    else:
        for line in damaged:
            click.echo(f"damaged: {one_line(line)}")
        for one in checked:
            where = f"{one.benchmark}, {one.label}, seed {one.seed}"
            for line in one.problems:
                click.echo(one_line(f"differs: {where}: {line}"))
            if one.unchecked:
                click.echo(one_line(f"{where}: {one.unchecked}"))
        same = sum(not (one.problems or one.unchecked) for one in checked)
        click.echo(
            f"{same} of {len(checked)} trials: scores and replicates are what their predictions give; {len(damaged)} files damaged"
        )
    return 1 if damaged or any(one.problems or one.unchecked for one in checked) else 0


@click.command("merge")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@store_option
def merge(sources: tuple[str, ...], store: str | None) -> None:
    """Add the trials of other stores (their URIs) or bundles to the store, failed seeds too; equal fingerprints count once. Fits stay where they are."""
    from reelbench.plaintext import one_line
    from reelbench.reports.bundles.merging import merge as join
    from reelbench.reports.bundles.merging import of_bundle, of_store
    from reelbench.reports.bundles.opening import opened
    from reelbench.reports.frames import load
    from reelbench.tracking.store import Store, redact, resolve_uri

    target = Store(resolve_uri(store))
    for source in sources:
        if "://" in source or source.startswith("sqlite:"):
            done = join(target, of_store(load(source)))
        else:
            with opened(Path(source)) as found:
                done = join(target, list(of_bundle(found)))
        click.echo(f"{one_line(redact(source))}: {done.told}")
