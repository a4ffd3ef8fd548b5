"""``reelbench bundle``, ``verify`` and ``merge``: a table that another lab can check, and records joined into one."""

from __future__ import annotations

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
@click.option("--json", "json_wanted", is_flag=True, help="One JSON object.")
@place_options
@plugin_options
def verify(path: Path, json_wanted: bool, **options: Any) -> int:
    """Check a bundle: files against digests, scores against predictions, tables against scores. Exits with 1 where something differs."""
    from reelbench.registry import build_registry
    from reelbench.reports.bundles.findings import as_json, as_text, is_sound
    from reelbench.reports.bundles.opening import opened
    from reelbench.reports.bundles.verifying import verify as check

    registry = build_registry(options["plugins"], blocked=options["blocked"], strict=options["strict"])
    places = Places.resolve(options["workspace"], options["cache_dir"], options["data_dir"])
    surroundings = places.surroundings(tuple(options["plugins"]), tuple(options["blocked"]))
    with opened(path) as found:
        told = check(found, registry, opener(registry, surroundings))
        damaged = found.damaged
    click.echo(as_json(told, damaged) if json_wanted else as_text(told, damaged))
    return 0 if is_sound(told, damaged) else 1


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
