"""``reelbench try`` and ``reelbench check``: does a method keep the contract?"""

from __future__ import annotations

import json
from typing import Any

import click

from reelbench.cli.options import Places, place_options, plugin_options, report_broken


def _options(command: Any) -> Any:
    for option in (
        click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output."),
        click.option(
            "--dataset", default="microworld/smoke", show_default=True, help="Where to try it, with its size."
        ),
        click.option("--variant", default="full", show_default=True, help="An ablation of the method."),
        click.option("--recipe", help="One way of training; all of them where not given."),
        click.argument("method"),
    ):
        command = option(command)
    return command


@click.command("try")
@_options
@place_options
@plugin_options
def try_(method: str, **options: Any) -> int:
    """Check METHOD on eight examples and a few steps, in seconds, before any training."""
    return _examined(method, thorough=False, **options)


@click.command("check")
@_options
@place_options
@plugin_options
def check(method: str, **options: Any) -> int:
    """Run the whole conformance suite on METHOD, in a minute or a few.

    As try, and: it learns eight examples by heart, one seed gives one result, a resumed fit is the same, CPU and GPU
    agree (where a GPU is there), every variant runs.
    """
    return _examined(method, thorough=True, **options)


def _examined(
    method: str,
    *,
    thorough: bool,
    recipe: str | None,
    variant: str,
    dataset: str,
    as_json: bool,
    **options: Any,
) -> int:
    from reelbench.conformance.examination import examine
    from reelbench.registry import build_registry

    plugins, blocked = options["plugins"], options["blocked"]
    registry = build_registry(plugins, blocked=blocked, strict=options["strict"])
    status = report_broken(registry)
    author = registry.method(method)
    surroundings = Places.resolve(
        options["workspace"], options["cache_dir"], options["data_dir"]
    ).surroundings(plugins, blocked)
    heard = None if as_json else click.echo
    report = examine(
        registry,
        author,
        dataset=dataset,
        recipe=recipe,
        variant=variant,
        thorough=thorough,
        surroundings=surroundings,
        heard=heard,
    )
    click.echo(json.dumps(report.as_json(), indent=2) if as_json else _summary(report))
    return status if report.passed else 1


def _summary(report: Any) -> str:
    failed = len(report.failures)
    verdict = (
        "keeps the contract"
        if report.passed
        else f"breaks the contract in {failed} of {len(report.findings)} checks"
        if failed
        else "could not be checked here"
    )
    return f"{report.method} on {report.dataset}: {verdict}"


commands = [try_, check]
