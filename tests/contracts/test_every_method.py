"""Every registered method keeps the contract: the suite that ``reelbench try`` runs, on eight examples of microworld.

What trains longer (eight examples by heart, one seed twice, resuming, every variant) is left to ``reelbench check``: it
takes a third of a minute for the smallest methods and minutes for the largest.
"""

from __future__ import annotations

import pytest

from reelbench.conformance import examine
from reelbench.registry import Registry, build_registry

REGISTRY = build_registry()


@pytest.fixture(scope="module")
def registry() -> Registry:
    return REGISTRY


@pytest.mark.parametrize("name", REGISTRY.methods)
def test_it_keeps_the_contract(name: str, registry: Registry) -> None:
    examine(registry, registry.method(name), dataset="microworld/smoke").raise_failures()


def test_no_plugin_of_ours_is_broken(registry: Registry) -> None:
    assert not registry.broken
