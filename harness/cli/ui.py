"""``reelbench ui``: the MLflow UI, opened at a leaderboard."""

from __future__ import annotations

import click

from reelbench.cli.options import store_option


@click.command("ui")
@store_option
@click.option(
    "--benchmark",
    metavar="NAME",
    help="Open this benchmark's leaderboard. [default: the one that changed last]",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=5000,
    show_default=True,
    help="A free one is taken if it is in use.",
)
@click.option("--no-browser", is_flag=True, help="Only print the addresses.")
def ui(store: str | None, benchmark: str | None, port: int, no_browser: bool) -> None:
    """Open the MLflow UI on the leaderboards; Ctrl-C ends it."""
    import webbrowser

    from reelbench.tracking.store import resolve_uri
    from reelbench.tracking.ui import serve

    serve(
        resolve_uri(store),
        port=port,
        benchmark=benchmark,
        say=click.echo,
        browse=None if no_browser else webbrowser.open,
    )
