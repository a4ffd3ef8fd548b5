"""Options that say what to run, and the suite they make, from a file or from the command line alone."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

import click

from reelbench.errors import UsageError
from reelbench.suite import MethodEntry, Suite, builtin_suites, load_suite, make_suite


def selection_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--method``, ``--benchmark``, ``--against``, ``--seeds``, ``--variant``, ``--preset``, ``--set``, ``--device``, ``--reuse``."""
    for option in (
        click.option(
            "--reuse",
            type=click.Choice(["exact", "compatible"]),
            default="exact",
            show_default=True,
            help="Which recorded stages are not run again: equal ones, or also those made with other versions or on another device.",
        ),
        click.option(
            "--device",
            type=click.Choice(["auto", "cpu", "cuda"]),
            help="Where fits run. [default: the suite's, or auto]",
        ),
        click.option(
            "--set",
            "settings",
            multiple=True,
            metavar="KEY=VALUE",
            help="A config value of every --method: hidden=32, joint.epochs=3, predict.beam=5.",
        ),
        click.option("--preset", help="Preset of every method. [default: the suite's, or tiny]"),
        click.option(
            "--variant", "variants", multiple=True, help="Variants of --method; '*' for all. Repeatable."
        ),
        click.option(
            "--seeds",
            type=click.IntRange(min=1),
            help="How many seeds (0, 1, …). [default: the suite's, or 3]",
        ),
        click.option(
            "--against",
            multiple=True,
            metavar="METHOD",
            help="Run this method beside it, as it is. Repeatable.",
        ),
        click.option(
            "--benchmark",
            "benchmarks",
            multiple=True,
            metavar="NAME",
            help="task@dataset[:protocol]; narrows a suite. Repeatable.",
        ),
        click.option(
            "--method", "methods", multiple=True, metavar="NAME", help="Narrows a suite. Repeatable."
        ),
    ):
        command = option(command)
    return command


def suite_from(name: str | None, options: Mapping[str, Any]) -> Suite:
    """The suite that the command line asks for.

    Raises
    ------
    UsageError
        If neither a suite nor a method and a benchmark are named.
    """
    if name is None and not (options["methods"] and options["benchmarks"]):
        known = ", ".join(sorted(builtin_suites()))
        raise UsageError(f"name a suite ({known}, or a .toml file), or --method and --benchmark")
    base = load_suite(name) if name else None
    values: dict[str, Any] = base.model_dump() if base else {"name": "command-line", "seeds": 3}
    for key in ("seeds", "preset", "device"):
        if options[key] is not None:
            values[key] = options[key]
    if options["benchmarks"]:
        values["benchmarks"] = options["benchmarks"]
    if options["methods"]:
        kept = base.methods if base else ()
        values["methods"] = [
            *(e for m in options["methods"] for e in _entries(m, kept, options)),
            *({"name": m} for m in options["against"]),
        ]
    elif options["settings"] or options["variants"]:
        raise UsageError("--set and --variant need --method, to say whose they are")
    elif options["against"]:
        values["methods"] = [*values["methods"], *({"name": m} for m in options["against"])]
    return make_suite(values, "command line")


def _entries(method: str, kept: Sequence[MethodEntry], options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A method as the suite has it (once an entry that names it), with what the command line changes; as it is where the suite has it not."""
    own = [e.model_dump() | {"name": method} for e in kept if fnmatchcase(method, e.name)] or [
        {"name": method, "config": {}}
    ]
    settings = dict(_setting(s) for s in options["settings"])
    changes = {"variants": options["variants"]} if options["variants"] else {}
    changes |= {"preset": options["preset"]} if options["preset"] else {}
    return [entry | {"config": {**entry["config"], **settings}} | changes for entry in own]


def _setting(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--set {text}: write KEY=VALUE")
    try:
        return key, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key, value
