"""What reports give the harness: the table formats, and a site drawn while a bench runs. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelbench.hookspecs import hookimpl
from reelbench.reports.writer import SiteWriter

if TYPE_CHECKING:
    from reelbench.plan import Plan
    from reelbench.registry import Registry
    from reelbench.stages import Stage

_writers: list[SiteWriter] = []


@hookimpl
def reelbench_formats() -> dict[str, Callable[..., Any]]:
    """``markdown``, ``latex``, ``csv`` and ``json`` tables."""

    def lazily(name: str) -> Callable[[Any, Path], Path]:
        def render(board: Any, folder: Path) -> Path:
            from reelbench.reports.formats import write

            return write(name, board, folder)

        return render

    return {name: lazily(name) for name in ("markdown", "latex", "csv", "json")}


@hookimpl
def reelbench_plan_notes(plan: Plan, store: str, registry: Registry) -> list[str]:
    """What the suite will be able to resolve."""
    from reelbench.reports.planning import notes

    return notes(plan, store, registry.tasks)


@hookimpl
def reelbench_plan_ready(plan: Plan, run: Mapping[str, Any]) -> None:
    """Begin a site, if one is wanted."""
    _writers.clear()
    if run["site"]:
        _writers.append(SiteWriter(run["store"], Path(run["site"]), Path(run["workspace"]), plan))


@hookimpl(trylast=True)
def reelbench_stage_finished(stage: Stage) -> None:
    """Draw again when a seed is complete."""
    for writer in _writers:
        writer.ended(stage)


@hookimpl(trylast=True)
def reelbench_stage_failed(stage: Stage) -> None:
    """A seed may be complete with a failure in it."""
    for writer in _writers:
        writer.ended(stage)


@hookimpl(trylast=True)
def reelbench_plan_finished(plan: Plan) -> None:
    """The last drawing, after everything is recorded."""
    for writer in _writers:
        writer.finish()
