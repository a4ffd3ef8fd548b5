"""``reelbench list`` and ``reelbench plugins``: what there is, without importing numpy or torch."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from reelbench.cli.options import plugin_options, report_broken

if TYPE_CHECKING:
    from reelbench.registry import Registry


@click.command("list")
@plugin_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def list_(plugins: tuple[str, ...], blocked: tuple[str, ...], strict: bool, as_json: bool) -> int:
    """List methods, tasks, datasets and benchmarks."""
    from reelbench.registry import build_registry

    registry = build_registry(plugins, blocked=blocked, strict=strict)
    catalogue = {
        "methods": _methods(registry), "tasks": _tasks(registry), "datasets": _datasets(registry), "benchmarks": _benchmarks(registry), "suites": _suites(),
    }  # fmt: skip
    click.echo(json.dumps(catalogue, indent=2) if as_json else _as_text(catalogue))
    return report_broken(registry)


def _methods(registry: Registry) -> list[dict[str, Any]]:
    from reelbench.resolution import variants_of

    return [
        {
            "name": name, "role": method.role, "tasks": sorted({p.partition(":")[0].partition("@")[0] for r in method.recipes.values() for p in r.serves}),
            "recipes": list(method.recipes), "variants": list(variants_of(method)), "presets": list(method.presets),
            "summary": (type(method).__doc__ or "").strip().splitlines()[0], "plugin": registry.owners["method", name].distribution,
        }
        for name, method in sorted(registry.methods.items(), key=lambda item: (item[1].role, item[0]))
    ]  # fmt: skip


def _tasks(registry: Registry) -> list[dict[str, Any]]:
    return [
        {
            "name": name, "title": task.title, "summary": task.summary, "protocols": list(task.protocols),
            "primary": {p: task.metrics(p)[0].name for p in task.protocols},
        }
        for name, task in sorted(registry.tasks.items())
    ]  # fmt: skip


def _datasets(registry: Registry) -> list[dict[str, Any]]:
    return [
        {"name": n, "title": s.title, "sizes": list(s.sizes), "url": s.url, "licence": s.licence}
        for n, s in sorted(registry.datasets.items())
    ]


def _benchmarks(registry: Registry) -> list[dict[str, Any]]:
    from reelbench.benchmarks import known_benchmarks

    names = [
        f"{n}/{size}" if size else n
        for n, s in sorted(registry.datasets.items())
        for size in (s.sizes or ("",))
    ]
    return [
        {"name": str(b), "task": b.task, "dataset": b.dataset, "protocol": b.protocol}
        for name in names
        for b in known_benchmarks(registry, name)
    ]


def _suites() -> list[dict[str, Any]]:
    from reelbench.suite import builtin_suites, load_suite

    return [{"name": name, "title": load_suite(name).title} for name in sorted(builtin_suites())]


def _as_text(catalogue: dict[str, list[dict[str, Any]]]) -> str:
    lines = []
    for kind, rows in catalogue.items():
        lines.append(f"{kind} ({len(rows)})")
        width = max((len(r["name"]) for r in rows), default=0)
        lines += [f"  {r['name']:<{width}}  {_line(r)}".rstrip() for r in rows]
        lines.append("")
    return "\n".join(lines).rstrip()


def _line(row: dict[str, Any]) -> str:
    if "variants" in row:
        return f"{', '.join(row['tasks'])} · {len(row['variants'])} variant{'' if len(row['variants']) == 1 else 's'} · {row['summary']}"
    return str(row.get("summary") or row.get("title") or "")


@click.command("plugins")
@plugin_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def plugins(plugins: tuple[str, ...], blocked: tuple[str, ...], strict: bool, as_json: bool) -> int:
    """Show what is registered, by whom, from where."""
    from dataclasses import asdict

    from reelbench.registry import build_registry

    registry = build_registry(plugins, blocked=blocked, strict=strict)
    rows = [asdict(info) for info in registry.plugins]
    click.echo(
        json.dumps({"plugins": rows}, indent=2) if as_json else "\n".join(_plugin_line(r) for r in rows)
    )
    return registry.broken[0].exit_code if registry.broken else 0


def _plugin_line(row: dict[str, Any]) -> str:
    provides = "; ".join(f"{kind}s: {', '.join(names)}" for kind, names in row["provides"].items())
    return f"{row['name']}  [{row['status']}]  {row['distribution']}  {row['origin']}\n    {row['error'] or provides or 'life-cycle hooks only'}"
