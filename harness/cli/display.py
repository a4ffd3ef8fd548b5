"""What a person sees while a plan runs: a live table on a terminal, plain lines elsewhere. A life-cycle plugin."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from reelbench.hookspecs import hookimpl

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from reelbench.plan import Plan
    from reelbench.stages import Stage


class Tally:
    """How far a plan is, and how long the rest may take."""

    def __init__(self, plan: Plan, waiting: set[str], workers: int) -> None:
        self.stages = {s.fingerprint: s for s in plan.stages if s.fingerprint in waiting}
        self.open = set(self.stages)
        self.workers = workers
        self.started = time.monotonic()
        self.seconds: dict[tuple[str, str], list[float]] = {}

    def end(self, stage: Stage, seconds: float) -> None:
        """A stage ended after ``seconds``."""
        self.open.discard(stage.fingerprint)
        self.seconds.setdefault(_kin(stage), []).append(seconds)

    @property
    def done(self) -> int:
        """Stages that ended."""
        return len(self.stages) - len(self.open)

    def remaining_s(self) -> float | None:
        """From the mean of like stages that ended; ``None`` before the first."""
        known = [s for times in self.seconds.values() for s in times]
        if not known:
            return None
        mean = sum(known) / len(known)
        like = {kin: sum(times) / len(times) for kin, times in self.seconds.items()}
        return sum(like.get(_kin(self.stages[f]), mean) for f in self.open) / self.workers


def _kin(stage: Stage) -> tuple[str, str]:
    return stage.kind, f"{stage.spec['method']}/{stage.spec['recipe']}/{stage.spec.get('task', '')}"


def duration(seconds: float | None) -> str:
    """``1 h 02 min``, ``3 min 20 s``, ``12 s``."""
    if seconds is None:
        return "…"
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 60} min {whole % 60:02d} s" if whole >= 60 else f"{whole} s"


class PlainDisplay:
    """A line a stage, on standard error."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally

    @hookimpl
    def reelbench_stage_finished(self, stage: Stage, record: Mapping[str, Any]) -> None:
        """Say what ended."""
        self._say(stage, record, headline(stage, record))

    @hookimpl
    def reelbench_stage_failed(self, stage: Stage, record: Mapping[str, Any]) -> None:
        """Say why."""
        self._say(stage, record, f"{record['status'].upper()}: {record.get('error', '')}")

    def _say(self, stage: Stage, record: Mapping[str, Any], what: str) -> None:
        self.tally.end(stage, record["seconds"])
        left = duration(self.tally.remaining_s())
        click.echo(
            f"[{self.tally.done}/{len(self.tally.stages)}, about {left} left] {stage.title}: {record['seconds']:.1f} s {what}".rstrip(),
            err=True,
        )

    def close(self) -> None:
        """Nothing stays open."""


def headline(stage: Stage, record: Mapping[str, Any]) -> str:
    """The primary metric of a score, the speed of a fit."""
    if stage.kind == "score":
        spec = record["metric_specs"][0]
        value = record["metrics"][spec["name"]]
        return f"{spec['title']} {value * 100:.1f}" if spec["percent"] else f"{spec['title']} {value:.3f}"
    speed = record.get("examples_per_second") if stage.kind == "fit" else None
    return f"{speed:.0f} examples/s" if speed else ""  # a fit that only counts or draws has no speed


class LiveDisplay:
    """The whole bench on a terminal: what runs, how far, the last results, and the time left."""

    def __init__(self, tally: Tally, console: Console) -> None:
        from rich.live import Live

        self.tally = tally
        self.running: dict[str, tuple[Stage, dict[str, Any], float]] = {}
        self.last: list[str] = []
        self.live = Live(console=console, get_renderable=self._render, refresh_per_second=4, transient=True)
        self.live.start()

    @hookimpl
    def reelbench_stage_started(self, stage: Stage) -> None:
        """Show it."""
        self.running[stage.fingerprint] = (stage, {}, time.monotonic())

    @hookimpl
    def reelbench_phase_started(self, stage: Stage, phase: str, steps: int) -> None:
        """Name the phase."""
        self._update(stage, {"phase": phase, "total": steps, "done": 0})

    @hookimpl
    def reelbench_progress(self, stage: Stage, progress: Mapping[str, Any]) -> None:
        """Move its bar."""
        self._update(stage, progress)

    @hookimpl
    def reelbench_stage_finished(self, stage: Stage, record: Mapping[str, Any]) -> None:
        """Keep its headline among the last results."""
        self._end(stage, record, headline(stage, record) if stage.kind == "score" else "")

    @hookimpl
    def reelbench_stage_failed(self, stage: Stage, record: Mapping[str, Any]) -> None:
        """Failures stay in the scroll-back."""
        self._end(stage, record, "")
        self.live.console.print(
            f"{stage.title}: {record['status']}: {record.get('error', '')}", style="red", markup=False
        )

    def close(self) -> None:
        """Give the terminal back."""
        self.live.stop()

    def _update(self, stage: Stage, changes: Mapping[str, Any]) -> None:
        if stage.fingerprint in self.running:
            self.running[stage.fingerprint][1].update(changes)

    def _end(self, stage: Stage, record: Mapping[str, Any], line: str) -> None:
        self.running.pop(stage.fingerprint, None)
        self.tally.end(stage, record["seconds"])
        if line:
            self.last = [
                *self.last[-5:],
                f"{stage.spec['method']} on {stage.spec['benchmark']}, seed {stage.spec['seed']}: {line}",
            ]

    def _render(self) -> RenderableType:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        for stage, state, since in self.running.values():
            total = state.get("total") or 0
            bar = ProgressBar(total=total or None, completed=state.get("done", 0), width=24, pulse=not total)
            table.add_row(
                Text(stage.title), bar, Text(duration(time.monotonic() - since)), Text(_numbers(state))
            )
        head = f"{self.tally.done}/{len(self.tally.stages)} stages · {duration(time.monotonic() - self.tally.started)} so far · about {duration(self.tally.remaining_s())} left"
        return Group(Text(head, style="bold"), table, Text("\n".join(self.last), style="dim"))


def _numbers(state: Mapping[str, Any]) -> str:
    shown = {k: v for k, v in state.items() if isinstance(v, float) and k != "rate"}
    rate = [f"{state['rate']:.0f}/s"] if state.get("rate") else []
    return " ".join([str(state.get("phase", "")), *rate, *(f"{k} {v:.3g}" for k, v in shown.items())]).strip()


def make_display(plan: Plan, waiting: set[str], workers: int) -> PlainDisplay | LiveDisplay:
    """Live on a terminal, plain lines elsewhere (or with ``TERM=dumb``)."""
    from rich.console import Console

    console = Console(stderr=True)
    tally = Tally(plan, waiting, workers)
    return (
        LiveDisplay(tally, console)
        if console.is_terminal and not console.is_dumb_terminal
        else PlainDisplay(tally)
    )
