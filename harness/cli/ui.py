"""``reelbench ui``: the MLflow UI, opened at a leaderboard."""

from __future__ import annotations

import click

from reelbench.cli.options import store_option


@click.command("ui")
@click.option("--benchmark", metavar="B", help="Open this benchmark's leaderboard. [default: the one that changed last]")
@click.option("--port", type=click.IntRange(0, 65535), default=5000, show_default=True, help="Taken if it is free, else another one.")
@click.option("--no-browser", is_flag=True, help="Only print the addresses.")
@store_option
def ui(benchmark: str | None, port: int, no_browser: bool, store: str | None) -> None:
    """Open the MLflow UI on the leaderboards, on this machine only, until Ctrl-C."""
    import webbrowser

    from reelbench.tracking.store import resolve_uri
    from reelbench.tracking.ui import serve

    browse = None if no_browser else webbrowser.open
    serve(resolve_uri(store), port=port, benchmark=benchmark, say=click.echo, browse=browse)
