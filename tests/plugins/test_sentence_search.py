"""All that write sentences search for them alike, unless a variant named for it says otherwise."""

from __future__ import annotations

import pytest

from reelbench.plugins.layers.sentence_search import SentenceSearch
from reelbench.registry import build_registry
from reelbench.resolution import resolve, variants_of

REGISTRY = build_registry()
TEXTS = {"captioning", "storytelling", "reconstruction", "reconstruction:caption"}
GREEDY = "greedy"
RULE = SentenceSearch()


def writes(recipe):
    """Whether a recipe learns to answer with sentences; who quotes sentences of others trains nothing."""
    return bool(recipe.phases) and any(
        s in TEXTS or s.partition(":")[0] in TEXTS - {"reconstruction"} for s in recipe.serves
    )


WRITERS = sorted((m.name, r) for m in REGISTRY.methods.values() for r in m.recipes if writes(m.recipes[r]))


def searched(settings):
    """The part of a method's settings that is the rule."""
    return {name: getattr(settings, name, None) for name in SentenceSearch.model_fields}


def test_the_writers_are_found():
    assert {name for name, _ in WRITERS} >= {
        "mean-pool",
        "slr",
        "gean",
        "ct-san",
        "tapm",
        "hse",
        "s2vt",
        "story-xe",
    }
    assert ("copy", "copy") not in WRITERS
    assert ("slr", "to-video") not in WRITERS


@pytest.mark.parametrize(("name", "recipe"), WRITERS)
def test_every_writer_searches_by_the_rule_in_every_preset_and_variant(name, recipe):
    method = REGISTRY.method(name)
    for preset in method.presets:
        for variant in variants_of(method):
            if variant != GREEDY:
                settings = resolve(method, recipe, variant, preset, {}).settings
                assert searched(settings) == RULE.model_dump(), (preset, variant)


@pytest.mark.parametrize(("name", "recipe"), WRITERS)
def test_greedy_search_is_one_setting_away(name, recipe):
    method = REGISTRY.method(name)
    settings = resolve(method, recipe, "full", next(iter(method.presets)), {"predict.beam": 1}).settings
    assert searched(settings) == {**RULE.model_dump(), "beam": 1}
