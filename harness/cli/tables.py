"""The primary metric of every benchmark as a plain table for the terminal; the report has the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from statistics import mean, stdev
from typing import Any

from reelbench.plan import Plan


def primary_tables(plan: Plan, records: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Lines: a heading a benchmark, then a line a row, best first."""
    tables: dict[str, dict[tuple[str, str], list[float]]] = {}
    specs: dict[str, Mapping[str, Any]] = {}
    for stage in plan.trials():
        record = records.get(stage.fingerprint, {})
        if "metrics" in record:
            spec = specs.setdefault(stage.spec["benchmark"], record["metric_specs"][0])
            row = _name(stage.spec), record.get("label", "")  # what was reused may be another edition
            tables.setdefault(stage.spec["benchmark"], {}).setdefault(row, []).append(
                record["metrics"][spec["name"]]
            )
    lines: list[str] = []
    for benchmark, rows in tables.items():
        spec = specs[benchmark]
        several = {name for name, n in Counter(name for name, _ in rows).items() if n > 1}
        told = {
            f"{name} #{label.partition('#')[2]}" if name in several else name: values
            for (name, label), values in rows.items()
        }
        ordered = sorted(told.items(), key=lambda row: mean(row[1]), reverse=spec["direction"] == "higher")
        width = max(len(name) for name in told)
        lines += [
            f"{benchmark}  ({spec['title']}, {spec['direction']} is better)",
            *(f"  {n:<{width}}  {_cell(v, spec)}" for n, v in ordered),
            "",
        ]
    return lines


def _name(spec: Mapping[str, Any]) -> str:
    variant = "" if spec["variant"] == "full" else f" {spec['variant']}"
    recipe = f" ({spec['recipe']})" if spec["role"] == "method" else ""
    return f"{spec['method']}{variant}{recipe}"


def _cell(values: list[float], spec: Mapping[str, Any]) -> str:
    scale, digits = (100, 1) if spec["percent"] else (1, 3)
    spread = f" ± {scale * stdev(values):.{digits}f} over {len(values)} seeds" if len(values) > 1 else ""
    return f"{scale * mean(values):6.{digits}f}{spread}"
