"""``reelbench new-method NAME``: a complete plugin distribution to start from."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("new-method")
@click.argument("name")
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Where its folder is made. [default: here]",
)
def new_method(name: str, into: Path) -> int:
    """Write a complete, working method plugin NAME: method, model, tests, suite, tox.ini."""
    from reelbench.registry import build_registry
    from reelbench.scaffold import check_name, write_distribution

    names = check_name(name, set(build_registry().methods))
    folder = into / name
    files = write_distribution(names, folder)
    click.echo(f"wrote {len(files)} files into {folder}; next:")
    click.echo(f"  cd {folder} && pip install -e .\n  reelbench try {name}\n  reelbench run suite.toml")
    return 0


commands = [new_method]
