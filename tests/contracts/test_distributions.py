"""Two real distributions, built and installed, that use the public API only, run from registry to scores."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from built_wheels import DISTRIBUTIONS, unpack_wheel
from in_process import run_suite

from reelbench.registry import build_registry

Install = Callable[[str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    site = tmp_path / "site"

    def built(name: str) -> None:
        unpack_wheel(DISTRIBUTIONS / name, site)
        monkeypatch.syspath_prepend(str(site))

    yield built
    for module in [m for m in sys.modules if m.partition(".")[0] in ("storyteller", "setwise")]:
        del sys.modules[module]


@pytest.mark.parametrize("name", ["storyteller", "setwise"])
def test_a_distribution_uses_the_public_api_only(name: str) -> None:
    modules = set()
    for path in (DISTRIBUTIONS / name / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            modules |= (
                {a.name for a in node.names}
                if isinstance(node, ast.Import)
                else {node.module or ""}
                if isinstance(node, ast.ImportFrom)
                else set()
            )
    assert {m for m in modules if m.partition(".")[0] == "reelbench"} == {"reelbench"}


def test_an_installed_distribution_is_registered_under_its_own_name_and_version(install: Install) -> None:
    install("setwise")
    registry = build_registry()
    assert registry.owners["method", "setwise"].distribution == "setwise 0.1.0"


@pytest.mark.slow
def test_language_then_sight_without_captions_then_stories(install: Install, tmp_path: Path) -> None:
    install("storyteller")
    ran = run_suite(
        [], tmp_path / "work", methods=["storyteller"], benchmarks=["storytelling@microworld/smoke"]
    )
    language, sight, stories = ran.stages("fit")
    assert [s.spec["recipe"] for s in (language, sight, stories)] == ["language", "sight", "stories"]
    assert [s.spec["phases"][0]["split"] for s in (language, sight)] == ["text", "unlabelled"]
    learned, kept = ran.weights(language), ran.weights(sight)
    frozen = [name for name in learned if name.startswith("tongue.")]
    assert frozen
    assert all(torch.equal(learned[name], kept[name]) for name in frozen)
    assert not torch.equal(learned["eye.weight"], kept["eye.weight"])
    (predict,) = ran.stages("predict")
    assert all(any(told) for told in ran.predictions(predict).columns["captions"])
    assert ran.metric("cider", "storytelling@microworld/smoke:sentence") >= 0


def test_one_fit_on_sets_serves_four_benchmarks(install: Install, tmp_path: Path) -> None:
    install("setwise")
    ran = run_suite(
        [], tmp_path / "work", methods=["setwise"], benchmarks=["reidentification@microworld/smoke:*"]
    )
    (fit,) = ran.stages("fit")
    assert {s.spec["protocol"] for s in ran.plan.trials()} == {"grounding", "video", "text", "characters"}
    assert all(s.needs["fits"] == (fit.fingerprint,) for s in ran.stages("predict"))
    assert [v["benchmark"] for v in fit.spec["validation"]] == ["reidentification@microworld/smoke:video"]
    assert ran.metric("accuracy", "reidentification@microworld/smoke:video") > 0.5
