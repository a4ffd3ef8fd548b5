"""Fingerprints by mutation: what matters changes exactly what depends on it, and nothing else changes anything."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from toy_project import compatibles_of, fingerprints_of, plan_of

from reelbench import fingerprints as module
from reelbench.fingerprints import digest, source_digest, sources_of
from reelbench.registry import Registry

WHERE = "guessing@toy/a:plain"
ALPHA_WORDS = {f"fit alpha (words), seed {s}" for s in (0, 1)}
ALPHA_FIT = {f"fit alpha (match), seed {s}" for s in (0, 1)}
ALPHA_PREDICT = {f"predict alpha on {WHERE}, seed {s}" for s in (0, 1)}
ALPHA_SCORE = {f"score alpha on {WHERE}, seed {s}" for s in (0, 1)}
ALPHA = ALPHA_WORDS | ALPHA_FIT | ALPHA_PREDICT | ALPHA_SCORE


@pytest.fixture
def before(registry: Registry) -> dict[str, str]:
    return fingerprints_of(plan_of(registry))


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    assert set(before) == set(after)
    return {title for title in before if before[title] != after[title]}


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def of_method(before: dict[str, str], name: str) -> set[str]:
    return {t for t in before if f" {name} " in t}


def scores(before: dict[str, str]) -> set[str]:
    return {t for t in before if t.startswith("score")}


def test_nothing_changed_changes_nothing(registry: Registry, before: dict[str, str]) -> None:
    assert changed(before, fingerprints_of(plan_of(registry))) == set()


def test_every_stage_of_a_plan_has_its_own_fingerprint(registry: Registry) -> None:
    plan = plan_of(registry)
    assert len({s.fingerprint for s in plan.stages}) == len(plan.stages)


def test_an_edit_of_a_layer_imported_inside_build_refits_only_methods_that_use_it(
    registry: Registry, before: dict[str, str], project: Path
) -> None:
    edit(project / "layers.py", "pass", "size = 2")
    assert changed(before, fingerprints_of(plan_of(registry))) == ALPHA


def test_an_edit_of_a_layer_imported_relatively_refits_only_methods_that_use_it(
    registry: Registry, before: dict[str, str], project: Path
) -> None:
    edit(project / "beta_layers.py", "1", "2")
    assert changed(before, fingerprints_of(plan_of(registry))) == of_method(before, "beta")


def test_an_edit_of_the_method_file_refits_its_own_fits_and_what_starts_from_them(
    registry: Registry, before: dict[str, str], project: Path
) -> None:
    edit(project / "alpha.py", "return Layer()", "return Layer() or None")
    assert changed(before, fingerprints_of(plan_of(registry))) == ALPHA


@pytest.mark.parametrize("file", ["unrelated.py", "registration.py", "world.py"])
def test_a_comment_in_a_file_that_no_method_imports_changes_nothing(
    registry: Registry, before: dict[str, str], project: Path, file: str
) -> None:
    with (project / file).open("a") as out:
        out.write("# a remark\n")
    assert changed(before, fingerprints_of(plan_of(registry))) == set()


@pytest.fixture
def data_file(project: Path) -> Path:
    """A file that the toy project's methods may read, in a folder of its own."""
    path = project / "data" / "priors" / "words.json"
    path.parent.mkdir(parents=True)
    path.write_text("[1]")
    return path


@pytest.mark.parametrize("change", ["edit", "rename", "remove"])
def test_a_data_file_of_a_plugin_s_package_counts_as_its_source(
    data_file: Path, registry: Registry, before: dict[str, str], change: str
) -> None:
    {
        "edit": lambda: data_file.write_text("[2]"),
        "rename": lambda: data_file.rename(data_file.with_name("other.json")),
        "remove": data_file.unlink,
    }[change]()
    assert changed(before, fingerprints_of(plan_of(registry))) == set(before)


@pytest.mark.parametrize(
    "name", ["__pycache__/alpha.cpython-311.pyc", "old.pyc", ".alpha.py.swp", ".git/HEAD", "paper.toml"]
)
def test_caches_hidden_files_and_the_paper_s_numbers_refit_nothing(
    registry: Registry, before: dict[str, str], project: Path, name: str
) -> None:
    path = project / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("[paper]\ntitle = 'T'\n")
    told = changed(before, fingerprints_of(plan_of(registry)))
    assert told == ({t for t in scores(before) if " human " not in t} if name == "paper.toml" else set())


def test_a_data_file_of_a_built_in_package_counts_for_what_imports_the_package_and_no_others() -> None:
    from reelbench.fingerprints import data_files_of
    from reelbench.plugins.bnlstm.method import BNLSTM
    from reelbench.tasks.captioning import Captioning

    assert data_files_of(BNLSTM) == {}  # its paper.toml is no input of training
    assert all(name.startswith("reelbench.tasks.metrics/") for name in data_files_of(Captioning))


def test_data_beside_a_module_that_is_no_package_is_not_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "loose.py").write_text("class Loose: ...\n")
    (tmp_path / "mlflow.db").write_text("runs")
    monkeypatch.syspath_prepend(str(tmp_path))
    from importlib import import_module

    assert module.data_files_of(import_module("loose").Loose) == {}


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [("guessing.py", 'Metric("hit"', 'Metric("hits"'), ("guessing_rules.py", "return 1", "return 2")],
)
def test_a_mended_metric_rescores_and_does_nothing_else_even_where_its_rules_are_named_by_a_string(
    registry: Registry, before: dict[str, str], project: Path, file: str, old: str, new: str
) -> None:
    edit(project / file, old, new)
    assert changed(before, fingerprints_of(plan_of(registry))) == scores(before)


def test_a_beam_size_predicts_and_scores_again_and_refits_nothing(
    registry: Registry, before: dict[str, str]
) -> None:
    after = fingerprints_of(
        plan_of(registry, methods=[{"name": "alpha", "config": {"predict.beam": 3}}, "beta"])
    )
    assert changed(before, after) == ALPHA_PREDICT | ALPHA_SCORE


def test_a_config_value_refits_the_whole_chain_of_its_method(
    registry: Registry, before: dict[str, str]
) -> None:
    after = fingerprints_of(plan_of(registry, methods=[{"name": "alpha", "config": {"depth": 3}}, "beta"]))
    assert changed(before, after) == ALPHA


def test_the_length_of_a_phase_refits_only_the_recipe_that_has_it(
    registry: Registry, before: dict[str, str]
) -> None:
    after = fingerprints_of(
        plan_of(registry, methods=[{"name": "alpha", "config": {"joint.epochs": 4}}, "beta"])
    )
    assert changed(before, after) == ALPHA - ALPHA_WORDS


def test_an_upstream_s_phase_refits_what_starts_from_it(registry: Registry, before: dict[str, str]) -> None:
    after = fingerprints_of(
        plan_of(registry, methods=[{"name": "alpha", "config": {"read.epochs": 4}}, "beta"])
    )
    assert changed(before, after) == ALPHA


def test_a_dataset_s_fingerprint_changes_everything_on_it_and_nothing_elsewhere(registry: Registry) -> None:
    both = ["guessing@toy/a", "guessing@toy/b"]
    before = fingerprints_of(plan_of(registry, benchmarks=both, methods=["beta"]))
    after = fingerprints_of(
        plan_of(registry, benchmarks=both, methods=["beta"], fingerprints={"toy/b": "other files"})
    )
    assert {t for t in changed(before, after) if "toy/a" in t} == set()
    assert {t for t in changed(before, after) if "toy/b" in t} == {t for t in before if "toy/b" in t}


@pytest.mark.parametrize("option", [{"device": "cuda"}, {"precision": "bf16-mixed"}])
def test_device_and_precision_change_fits_and_predictions(
    registry: Registry, before: dict[str, str], option: dict[str, str]
) -> None:
    assert changed(before, fingerprints_of(plan_of(registry, **option))) == set(before)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["fit", "predict", "score"])
def test_the_harness_s_own_semantics_of_a_stage_change_it_and_what_follows(
    registry: Registry, before: dict[str, str], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(module.SEMANTICS, kind, 99)
    kinds = ("fit", "predict", "score")
    expected = {t for t in before if t.split()[0] in kinds[kinds.index(kind) :]}
    assert changed(before, fingerprints_of(plan_of(registry))) == expected


def test_a_library_s_version_refits(
    registry: Registry, before: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "version", lambda name: "99.0")
    assert changed(before, fingerprints_of(plan_of(registry))) == set(before)


def test_seeds_share_a_family_and_differ_in_fingerprint(registry: Registry) -> None:
    trials = [s for s in plan_of(registry, methods=["alpha"]).trials() if s.spec["role"] == "method"]
    assert len({s.fingerprint for s in trials}) == 2
    assert len({s.family for s in trials}) == 1
    assert len({s.label for s in trials}) == 1


@pytest.mark.parametrize(
    "suite",
    [
        {"methods": ["beta", "alpha"]},
        {"methods": ["alpha", "beta", "alpha"]},
        {"name": "another", "title": "Another"},
        {"seeds": [1, 0]},
        {"workers": 7},
        {"limits": {"seconds": 9.0}},
        {"ceilings": False},
        {"benchmarks": ["*@toy/a"]},
    ],
)
def test_what_does_not_matter_to_a_result_changes_no_fingerprint(
    registry: Registry, before: dict[str, str], suite: dict[str, object]
) -> None:
    assert changed(before, fingerprints_of(plan_of(registry, **suite))) == set()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "suite",
    [{"methods": ["alpha", "beta", "gamma"]}, {"seeds": [0, 1, 2]}, {"benchmarks": ["guessing@toy:*"]}],
)
def test_adding_a_method_a_seed_or_a_benchmark_changes_nobody_s_fingerprint(
    registry: Registry, before: dict[str, str], suite: dict[str, object]
) -> None:
    after = fingerprints_of(plan_of(registry, **suite))  # type: ignore[arg-type]
    assert set(before) < set(after)
    assert all(after[title] == fingerprint for title, fingerprint in before.items())


def test_a_variant_that_changes_only_prediction_shares_the_fit(registry: Registry) -> None:
    plan = plan_of(registry, methods=[{"name": "alpha", "variants": ["full", "wide-beam"]}], seeds=[0])
    kinds = [s.kind for s in plan.stages]
    assert (kinds.count("fit"), kinds.count("predict")) == (2, 2)


def test_following_imports_imports_no_module(registry: Registry, project: Path) -> None:
    (project / "layers.py").write_text("raise RuntimeError('imported while planning')\n")
    names = sources_of(type(registry.method("alpha")))
    assert set(names) == {"toyplug.alpha", "toyplug.layers"}
    assert "toyplug.layers" not in sys.modules


def test_a_source_digest_is_the_same_in_another_process_and_another_folder(
    registry: Registry, project: Path, tmp_path: Path
) -> None:
    here = source_digest(type(registry.method("beta")))
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    project.rename(moved / "toyplug")
    code = "from reelbench.fingerprints import source_digest; from toyplug.beta import Beta; print(source_digest(Beta))"
    done = subprocess.run([sys.executable, "-c", code], cwd=moved, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == here


def test_a_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": [1, 2]}) == digest({"b": [1, 2], "a": 1})
    assert digest({"b": [2, 1]}) != digest({"b": [1, 2]})


def test_a_task_that_builds_its_own_examples_predicts_again_when_it_is_edited(
    registry: Registry, before: dict[str, str], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own: Callable[..., object] = lambda self, dataset, protocol, split: None  # noqa: E731
    monkeypatch.setattr(type(registry.task("guessing")), "evaluation", own)
    brought = fingerprints_of(plan_of(registry))
    edit(project / "guessing.py", "RULES = ", 'OLD = "" \nRULES = ')
    assert changed(brought, fingerprints_of(plan_of(registry))) == {
        t for t in before if not t.startswith("fit")
    }


def test_what_a_task_withholds_predicts_again_and_refits_nothing(
    registry: Registry, before: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(registry.task("guessing")), "withheld", ("frames",))
    assert changed(before, fingerprints_of(plan_of(registry))) == {
        t for t in before if not t.startswith("fit")
    }


def test_what_an_outside_plugin_imports_of_a_built_in_one_counts_as_its_own_source(
    registry: Registry, before: dict[str, str], project: Path
) -> None:
    assert not any(name.startswith("reelbench.") for name in sources_of(type(registry.method("alpha"))))
    edit(project / "layers.py", "class Layer", "from reelbench.plugins.jsfusion import model\n\nclass Layer")
    assert "reelbench.plugins.jsfusion.model" in sources_of(type(registry.method("alpha")))
    assert changed(before, fingerprints_of(plan_of(registry))) == ALPHA


# --- --reuse=compatible ---------------------------------------------------------------------------------------------


@pytest.fixture
def compatible_before(registry: Registry) -> dict[str, str]:
    return compatibles_of(plan_of(registry))


@pytest.mark.parametrize("option", [{"device": "cuda"}, {"precision": "bf16-mixed"}])
def test_device_and_precision_change_no_compatible_digest(
    registry: Registry, compatible_before: dict[str, str], option: dict[str, str]
) -> None:
    assert compatibles_of(plan_of(registry, **option)) == compatible_before  # type: ignore[arg-type]


def test_a_library_s_version_changes_no_compatible_digest(
    registry: Registry, compatible_before: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "version", lambda name: "99.0")
    assert compatibles_of(plan_of(registry)) == compatible_before


@pytest.mark.parametrize(
    "suite",
    [
        {"methods": [{"name": "alpha", "config": {"depth": 3}}, "beta"]},
        {"methods": [{"name": "alpha", "config": {"joint.epochs": 4}}, "beta"]},
        {"methods": [{"name": "alpha", "config": {"predict.beam": 3}}, "beta"]},
        {"fingerprints": {"toy/a": "other files"}},
    ],
)
def test_what_a_suite_or_dataset_changes_changes_a_stage_s_two_digests_alike(
    registry: Registry,
    before: dict[str, str],
    compatible_before: dict[str, str],
    suite: dict[str, object],
) -> None:
    plan = plan_of(registry, **suite)  # type: ignore[arg-type]
    stages = changed(before, fingerprints_of(plan))
    assert stages
    assert changed(compatible_before, compatibles_of(plan)) == stages


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("layers.py", "pass", "size = 2"),
        ("beta_layers.py", "1", "2"),
        ("guessing_rules.py", "return 1", "return 2"),
    ],
)
def test_an_edit_changes_a_stage_s_two_digests_alike(
    registry: Registry,
    before: dict[str, str],
    compatible_before: dict[str, str],
    project: Path,
    file: str,
    old: str,
    new: str,
) -> None:
    edit(project / file, old, new)
    plan = plan_of(registry)
    stages = changed(before, fingerprints_of(plan))
    assert stages
    assert changed(compatible_before, compatibles_of(plan)) == stages


@pytest.mark.parametrize("kind", ["fit", "predict", "score"])
def test_the_harness_s_own_semantics_change_a_stage_s_two_digests_alike(
    registry: Registry, compatible_before: dict[str, str], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(module.SEMANTICS, kind, 99)
    kinds = ("fit", "predict", "score")
    expected = {t for t in compatible_before if t.split()[0] in kinds[kinds.index(kind) :]}
    assert changed(compatible_before, compatibles_of(plan_of(registry))) == expected


def test_seeds_differ_in_their_compatible_digests(registry: Registry) -> None:
    stages = plan_of(registry).stages
    assert len({s.spec["compatible"][s.kind] for s in stages}) == len(stages)


def test_a_plan_that_reuses_what_is_compatible_has_those_digests_as_fingerprints_and_shares_none_with_an_exact_one(
    registry: Registry,
) -> None:
    exact, relaxed = plan_of(registry), plan_of(registry, reuse="compatible")
    assert fingerprints_of(relaxed) == compatibles_of(exact) == compatibles_of(relaxed)
    assert [s.spec["exact"] for s in relaxed.stages] == [s.fingerprint for s in exact.stages]
    assert all(s.is_relaxed for s in relaxed.stages)
    assert not any(s.is_relaxed for s in exact.stages)
    known = {i for s in exact.stages for i in (s.fingerprint, s.family)}
    assert not known & {i for s in relaxed.stages for i in (s.fingerprint, s.family)}
    assert all(f in relaxed.by_fingerprint() for s in relaxed.stages for f in s.all_needs())


def test_a_trial_carries_the_compatible_digest_of_its_predictions_too(registry: Registry) -> None:
    plan = plan_of(registry)
    for trial in plan.trials():
        (predict,) = (plan.by_fingerprint()[f] for f in trial.needs["predictions"])
        assert trial.spec["compatible"] == predict.spec["compatible"] | {
            "score": trial.spec["compatible"]["score"]
        }
