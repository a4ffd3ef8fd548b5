"""The command line. Commands are imported when named, so that ``--help`` answers at once.

Handled errors print one line and end with their exit status; nothing here prints a traceback unless asked to
(``REELBENCH_TRACEBACK=1``).
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import click

COMMAND_GROUP = "reelbench.commands"

_COMMANDS = {
    "run": (
        "reelbench.cli.run:run",
        "Train, evaluate, record and render a suite, or one method beside others.",
    ),
    "score": ("reelbench.cli.score:score", "Score predictions made elsewhere and add them to the record."),
    "plan": ("reelbench.cli.plan:plan", "Show what a suite would run, what is cached and why not."),
    "try": (
        "reelbench.cli.trying:try_",
        "Check a method's contract and shapes on eight examples, in seconds.",
    ),
    "check": ("reelbench.cli.trying:check", "Run the whole conformance suite on a method."),
    "list": ("reelbench.cli.listing:list_", "List methods, tasks, datasets and benchmarks."),
    "plugins": ("reelbench.cli.listing:plugins", "Show what is registered, by whom, from where."),
    "data": ("reelbench.cli.data:data", "Prepare and inspect datasets."),
    "ui": ("reelbench.cli.ui:ui", "Open the MLflow UI on the leaderboards."),
    "new-method": (
        "reelbench.cli.new_method:new_method",
        "Write a complete, working method plugin to start from.",
    ),
    "doctor": ("reelbench.cli.doctor:doctor", "Say what is missing on this machine."),
}


class _LazyGroup(click.Group):
    """Knows the names and one-line helps of its commands without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*_COMMANDS, *(p.name for p in entry_points(group=COMMAND_GROUP))})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _COMMANDS:
            return _load(_COMMANDS[cmd_name][0])
        found = [p for p in entry_points(group=COMMAND_GROUP) if p.name == cmd_name]
        return _load_entry(found[0]) if found else None

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        from reelbench.errors import UnknownNameError

        if args and not args[0].startswith("-") and args[0] not in self.list_commands(ctx):
            raise UnknownNameError("command", args[0], self.list_commands(ctx))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [
            (name, _COMMANDS[name][1] if name in _COMMANDS else self._help_of(ctx, name))
            for name in self.list_commands(ctx)
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def _help_of(self, ctx: click.Context, name: str) -> str:
        from reelbench.errors import PluginError

        try:
            command = self.get_command(ctx, name)
        except PluginError as error:
            return f"(broken: {error})"
        return command.get_short_help_str(90) if command else ""


def _load_entry(point: EntryPoint) -> click.Command:
    from reelbench.errors import PluginError

    try:
        command = point.load()
    except Exception as error:
        distribution = point.dist.name if point.dist else "an unknown distribution"
        raise PluginError(
            point.name, distribution, f"command cannot be imported: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(command, click.Command):
        raise PluginError(
            point.name, str(point.dist and point.dist.name), f"{point.value} is not a click command"
        )
    return command


def _load(address: str) -> click.Command:
    module, _, name = address.partition(":")
    command: click.Command = getattr(import_module(module), name)
    return command


@click.command(
    cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(package_name="reelbench")
def cli() -> None:
    """Benchmark video-and-language methods: one plugin, one command, a table that can be believed."""


def main(arguments: list[str] | None = None) -> None:
    """Console script: run and exit with the status that the errors say."""
    try:
        status = cli.main(arguments, prog_name="reelbench", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("interrupted", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except Exception as error:
        sys.exit(_report(error))
    sys.exit(status if isinstance(status, int) else 0)


def _report(error: Exception) -> int:
    """One line for handled errors; anything else is a bug and is shown whole."""
    from reelbench.errors import ReelbenchError
    from reelbench.plaintext import visible

    if not isinstance(error, ReelbenchError) or os.environ.get("REELBENCH_TRACEBACK"):
        raise error
    click.echo(f"reelbench: error: {visible(error)}", err=True)
    return error.exit_code
