"""The built-in suites against the registry: every method stands where it belongs, on all that it serves there."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from reelbench.benchmarks import Benchmark, expand, matches
from reelbench.registry import build_registry
from reelbench.resolution import variants_of
from reelbench.suite import MethodEntry, load_suite

REGISTRY = build_registry()
NINE = {name for name, method in REGISTRY.methods.items() if method.role == "method"}


def benchmarks_of(suite: str) -> set[Benchmark]:
    return {b for pattern in load_suite(suite).benchmarks for b in expand(REGISTRY, pattern)}


def served(name: str, benchmark: Benchmark) -> bool:
    return any(matches(p, benchmark) for r in REGISTRY.methods[name].recipes.values() for p in r.serves)


def asked(entry: MethodEntry, benchmark: Benchmark) -> bool:
    return any(matches(p, benchmark) for p in entry.benchmarks)


def test_every_method_stands_in_small_or_papers() -> None:
    named = {entry.name for suite in ("small", "papers") for entry in load_suite(suite).methods}
    assert named == set(REGISTRY.methods)


@pytest.mark.parametrize("suite", ["small", "papers", "ablations"])
def test_the_nine_stand_in_every_suite_of_tables(suite: str) -> None:
    assert {entry.name for entry in load_suite(suite).methods} >= NINE


@pytest.mark.parametrize("preset", ["tiny", "base"])
def test_all_that_train_have_the_preset_so_that_no_table_mixes_budgets(preset: str) -> None:
    trained = {n: m for n, m in REGISTRY.methods.items() if any(r.phases for r in m.recipes.values())}
    assert not [name for name, method in trained.items() if preset not in method.presets]


def test_standing_baselines_stand_in_small_and_no_others() -> None:
    standing = {
        name
        for name, method in REGISTRY.methods.items()
        if type(method).__module__.startswith("reelbench.plugins.baselines.")
    }
    assert {entry.name for entry in load_suite("small").methods} == NINE | standing


def test_ablations_have_every_variant_of_the_nine() -> None:
    entries = {entry.name: entry for entry in load_suite("ablations").methods}
    for name in NINE:
        missing = [
            v
            for v in variants_of(REGISTRY.methods[name])
            if not any(fnmatchcase(v, p) for p in entries[name].variants)
        ]
        assert not missing, name


@pytest.mark.parametrize("suite", ["small", "papers", "ablations"])
def test_nothing_is_asked_of_a_method_that_it_does_not_serve(suite: str) -> None:
    """A row that is skipped in every run would only teach readers to skip the list of what was skipped."""
    for entry in load_suite(suite).methods:
        wanted = {b for b in benchmarks_of(suite) if asked(entry, b)}
        assert wanted, entry.name
        assert {str(b) for b in wanted if not served(entry.name, b)} == set(), entry.name


@pytest.mark.parametrize("suite", ["small", "ablations"])
def test_methods_are_asked_for_everything_that_they_serve_there(suite: str) -> None:
    for entry in load_suite(suite).methods:
        missing = {str(b) for b in benchmarks_of(suite) if served(entry.name, b) and not asked(entry, b)}
        assert missing == set(), entry.name
