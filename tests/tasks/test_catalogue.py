"""Tasks and datasets agree on what there is."""

from __future__ import annotations

import pytest

from reelbench.registry import build_registry

REGISTRY = build_registry()


@pytest.mark.parametrize("dataset", sorted(REGISTRY.datasets))
def test_every_benchmark_names_a_task_and_a_protocol_that_the_task_has(dataset):
    for spec in REGISTRY.datasets[dataset].list_benchmarks():
        assert spec.protocol in REGISTRY.task(spec.task).protocols, spec


def test_no_builtin_plugin_is_broken():
    assert [str(e) for e in REGISTRY.broken] == []


def test_every_benchmark_of_microworld_has_three_rows_of_methods_at_least():
    from reelbench.benchmarks import known_benchmarks, matches

    for benchmark in known_benchmarks(REGISTRY, "microworld/smoke"):
        serving = [
            m.name
            for m in REGISTRY.methods.values()
            if any(matches(p, benchmark) for r in m.recipes.values() for p in r.serves)
        ]
        assert len(serving) >= 3, (str(benchmark), serving)
