"""Options that several commands share, and what they stand for."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from reelbench.dataset import Dataset
    from reelbench.executors import Surroundings
    from reelbench.registry import Registry


def plugin_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--plugin``, ``--block``, ``--strict``."""
    for option in (
        click.option("--strict", is_flag=True, help="A broken plugin is fatal."),
        click.option(
            "--block",
            "blocked",
            multiple=True,
            metavar="PLUGIN",
            help="Leave a plugin out, by name. Repeatable.",
        ),
        click.option(
            "--plugin",
            "plugins",
            multiple=True,
            metavar="MODULE",
            help="Load a module as a plugin. Repeatable.",
        ),
    ):
        command = option(command)
    return command


def workspace_option(what: str) -> Callable[..., Any]:
    """``--workspace``, which holds ``what``."""
    return click.option(
        "--workspace",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path(".reelbench"),
        show_default=True,
        help=what,
    )


def place_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--data``, ``--cache``, ``--workspace``."""
    for option in (
        workspace_option("Unfinished stages and records not yet sent."),
        click.option(
            "--cache",
            "cache_dir",
            type=click.Path(path_type=Path),
            envvar="REELBENCH_CACHE",
            help="Generated data. [default: ~/.cache/reelbench]",
        ),
        click.option(
            "--data",
            "data_dir",
            type=click.Path(path_type=Path, file_okay=False),
            envvar="REELBENCH_DATA",
            help="Your datasets, one sub-folder each.",
        ),
    ):
        command = option(command)
    return command


store_option = click.option(
    "--store",
    envvar="MLFLOW_TRACKING_URI",
    metavar="URI",
    help="MLflow store. [default: sqlite:///mlflow.db]",
)


@dataclass(frozen=True)
class Places:
    """Where things are, resolved."""

    workspace: Path
    cache_dir: Path
    data_dir: Path | None

    @classmethod
    def resolve(cls, workspace: Path, cache_dir: Path | None, data_dir: Path | None) -> Places:
        """Fill in defaults and make paths absolute, so that workers agree on them."""
        cache = cache_dir or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "reelbench"
        return cls(workspace.absolute(), cache.absolute(), data_dir.absolute() if data_dir else None)

    def surroundings(self, plugins: tuple[str, ...], blocked: tuple[str, ...]) -> Surroundings:
        """The same for workers."""
        from reelbench.executors import Surroundings

        os.environ["REELBENCH_CACHE"] = str(self.cache_dir)
        return Surroundings(self.workspace, self.cache_dir, self.data_dir, plugins, blocked)


def opener(registry: Registry, surroundings: Surroundings) -> Callable[[str], Dataset]:
    """Opens each dataset once."""
    from reelbench.executors.work import open_dataset

    opened: dict[str, Dataset] = {}

    def open_once(name: str) -> Dataset:
        if name not in opened:
            opened[name] = open_dataset(registry, name, surroundings)
        return opened[name]

    return open_once


def report_broken(registry: Registry) -> int:
    """Print a line for each broken plugin; the exit status they call for (0 where there is none)."""
    for error in registry.broken:
        click.echo(f"reelbench: warning: {error}", err=True)
    return registry.broken[0].exit_code if registry.broken else 0
