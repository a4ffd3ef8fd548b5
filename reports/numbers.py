"""Numbers as a reader wants them: fractions times 100 where the literature does so, costs with their units."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from reelbench.reports.leaderboard import Cell

Spec = Mapping[str, Any]
MISSING = "–"
MANY_EXAMPLES = 1000
COSTS = {
    "parameters": "Parameters", "train_seconds": "Train s", "predict_seconds": "Predict s",
    "examples_per_second": "Examples/s", "peak_memory_bytes": "Peak MiB",
}  # fmt: skip


def decimals(spec: Spec, examples: int, largest: float = 1.0) -> int:
    """How many decimals a metric is shown with: no more than its test set can carry."""
    if spec.get("percent"):
        return 2 if examples >= MANY_EXAMPLES else 1
    return 3 if largest < 10 else 1


def shown(spec: Spec, value: float) -> float:
    """The value on the scale on which it is shown."""
    return value * 100 if spec.get("percent") else value


def number(spec: Spec, cell: Cell | None, places: int) -> str:
    """``41.8``; a dash where there is none."""
    return MISSING if cell is None else f"{shown(spec, cell.mean):.{places}f}"


def spread(spec: Spec, cell: Cell | None, places: int) -> str:
    """``1.2``, the standard deviation; empty where there is none."""
    return "" if cell is None or cell.sd is None else f"{shown(spec, cell.sd):.{places}f}"


def mean_and_spread(spec: Spec, cell: Cell | None, places: int) -> str:
    """``41.8 ± 1.2``, or the mean alone."""
    sd = spread(spec, cell, places)
    return number(spec, cell, places) + (f" ± {sd}" if sd else "")


def interval(spec: Spec, bounds: tuple[float, float] | None, places: int) -> str:
    """``[39.6, 44.0]``, with true minus signs; empty where there is none."""
    if bounds is None:
        return ""
    low, high = (f"{shown(spec, bound):.{places}f}" for bound in bounds)
    return f"[{low}, {high}]".replace("-", "−")


def signed(spec: Spec, value: float, places: int) -> str:
    """``+1.2``, ``−0.4`` with a true minus sign."""
    return f"{shown(spec, value):+.{places}f}".replace("-", "−")


def rank(low: int, high: int) -> str:
    """``1``, ``2–4``."""
    return str(low) if low == high else f"{low}–{high}"


def cost(name: str, value: float | None) -> str:
    """A cost in the unit of its column's title."""
    if value is None or math.isnan(value):
        return MISSING
    if name == "parameters":
        return si(value)
    if name == "peak_memory_bytes":
        return f"{value / 2**20:,.0f}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def si(value: float) -> str:
    """``1.24 M``, ``9.0 k``, ``12``."""
    for factor, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= factor:
            return f"{value / factor:.3g} {unit}"
    return f"{value:.0f}"


def duration(seconds: float) -> str:
    """``48 s``, ``3 min 20 s``, ``1 h 04 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return (
        f"{whole // 60} min {whole % 60:02d} s"
        if whole < 3600
        else f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    )


def when(milliseconds: float) -> str:
    """A time of day in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def metric_head(spec: Spec) -> str:
    """A metric's title with its unit and direction: ``R@1 % ↑``."""
    title = str(spec.get("title") or spec["name"])
    percent = " %" if spec.get("percent") and "%" not in title else ""
    arrow = {"lower": " ↓", "higher": " ↑"}.get(str(spec.get("direction")), "")
    return f"{title}{percent}{arrow}"
