"""From a suite to stages: what is planned, in which order, what is left out and why."""

from __future__ import annotations

from pathlib import Path

import pytest
from toy_project import plan_of

from reelbench.errors import SkippedPair, UnknownNameError, UsageError
from reelbench.executors import Job
from reelbench.executors.work import interrupted_job
from reelbench.method import Phase, Recipe, Upstream
from reelbench.plan import Choice, OpenDataset, Plan, plan_fit
from reelbench.plan.trials import member_seed
from reelbench.registry import Registry
from reelbench.tracking.entries import params


def opening(registry: Registry) -> OpenDataset:
    """Opens toy datasets."""
    return lambda name: registry.dataset_source(name).open(
        name.partition("/")[2], data_dir=None, cache_dir=Path()
    )


def titles(plan: Plan) -> list[str]:
    return [s.title for s in plan.stages]


def test_a_stage_comes_after_those_it_needs(registry: Registry) -> None:
    seen: set[str] = set()
    for stage in plan_of(registry, benchmarks=["guessing@toy:*"]).stages:
        assert set(stage.all_needs()) <= seen
        seen.add(stage.fingerprint)


def test_the_first_seed_of_every_method_comes_before_the_second(registry: Registry) -> None:
    trials = [s.spec["seed"] for s in plan_of(registry).trials()]
    assert trials == sorted(trials)


def test_an_upstream_fit_is_planned_once_for_all_that_start_from_it(registry: Registry) -> None:
    plan = plan_of(registry, methods=["alpha"], benchmarks=["guessing@toy:*"], seeds=[0], ceilings=False)
    assert [s.kind for s in plan.stages] == ["fit", "fit", "predict", "score", "predict", "score"]


def test_an_upstream_fit_inherits_the_seed_of_what_starts_from_it(registry: Registry) -> None:
    words = [s for s in plan_of(registry, methods=["alpha"]).stages if s.spec["recipe"] == "words"]
    assert [s.spec["seed"] for s in words] == [0, 1]


def test_a_shared_upstream_fit_has_seed_0_whatever_the_consumer_s(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = [Upstream(name="language", recipe="words", shared=True)]
    monkeypatch.setattr(
        type(registry.method("alpha")),
        "upstream",
        lambda self, config, recipe: shared if recipe == "match" else [],
    )
    fits = [
        (s.spec["recipe"], s.spec["seed"])
        for s in plan_of(registry, methods=["alpha"], seeds=[1, 2]).stages
        if s.kind == "fit"
    ]
    assert fits == [("words", 0), ("match", 1), ("match", 2)]


def test_an_upstream_that_predicts_for_a_relation_that_is_not_there_is_skipped(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    feeding = [Upstream(name="teaching", recipe="words", predicts=("guessing", "clips", "unlabelled"))]
    monkeypatch.setattr(
        type(registry.method("alpha")),
        "upstream",
        lambda self, config, recipe: feeding if recipe == "match" else [],
    )
    (skip,) = plan_of(registry, methods=["alpha", "beta"], seeds=[0]).skipped
    assert (
        skip.reason
        == "dataset toy/a has no relation 'clips' in split 'unlabelled', which upstream 'teaching' predicts"
    )


def test_a_recipe_is_planned_though_the_method_leaves_another_out(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def upstream(self: object, config: object, recipe: str) -> list[Upstream]:
        if recipe == "match":
            raise SkippedPair("words only")
        return []

    alpha = registry.method("alpha")
    monkeypatch.setattr(type(alpha), "upstream", upstream)
    (fit,) = plan_fit(registry, opening(registry), Choice(alpha, "words", "full", "tiny", "toy/a"))
    assert fit.spec["recipe"] == "words"


def test_the_first_member_of_an_ensemble_has_the_trial_s_own_seed(registry: Registry) -> None:
    plan = plan_of(registry, methods=["beta"], seeds=[3])
    assert [s.spec["seed"] for s in plan.stages if s.kind == "fit"] == [3, member_seed(3, 1)]
    assert member_seed(3, 1) not in {0, 1, 2, 3}


def test_a_trial_s_record_says_how_many_fits_it_averages(registry: Registry) -> None:
    plan = plan_of(registry, methods=["beta", {"name": "alpha", "config": {"ensemble": 3}}], seeds=[0])
    told = {}
    for stage in plan.trials():
        record = interrupted_job(Job(stage.kind, stage.fingerprint, stage.spec, {}, Path()), "w")
        told[stage.spec["method"]] = (record["ensemble"], params(record).get("ensemble"))
    assert told == {"beta": (2, None), "alpha": (3, "3")}  # beta's is its recipe's own


def test_a_deterministic_method_runs_with_the_first_seed_only(registry: Registry) -> None:
    assert [s.spec["seed"] for s in plan_of(registry, methods=["gamma"], seeds=[4, 5]).trials()] == [4]


def test_ceilings_are_rows_without_a_fit(registry: Registry) -> None:
    plan = plan_of(registry, benchmarks=["guessing@toy:strict"], methods=["gamma"], seeds=[0])
    ceilings = [s for s in plan.stages if s.spec["role"] == "ceiling"]
    assert [(s.kind, s.spec["method"], s.spec["seed"]) for s in ceilings] == [
        ("predict", "human", -1),
        ("score", "human", -1),
    ]
    assert not [
        s
        for s in plan_of(
            registry, benchmarks=["guessing@toy:strict"], methods=["gamma"], ceilings=False
        ).stages
        if s.spec["role"] == "ceiling"
    ]


def test_a_missing_modality_is_skipped_with_its_reason_and_the_rest_is_planned(registry: Registry) -> None:
    plan = plan_of(registry, methods=[{"name": "alpha", "variants": ["*"]}])
    assert [(s.method, s.variant, s.reason) for s in plan.skipped] == [
        ("alpha", "sound", "dataset toy/a has no features audio")
    ]
    assert {s.spec["variant"] for s in plan.trials()} == {"full", "deep", "wide-beam"}


def test_a_missing_relation_is_skipped_with_the_phase_that_reads_it(registry: Registry) -> None:
    with pytest.raises(
        UsageError,
        match=r"has nothing to run: alpha on guessing@toy/a:plain: dataset toy/a has no relation 'text' in split 'train', which phase 'read' reads",
    ):
        plan_of(registry, methods=[{"name": "alpha", "config": {"read.split": "train"}}])


def test_a_pair_that_no_recipe_serves_is_skipped_only_where_the_method_was_named(registry: Registry) -> None:
    narrowed = [{"name": "alpha", "recipes": ["words"]}, "beta"]
    plan = plan_of(registry, methods=narrowed)
    assert [(s.method, s.reason) for s in plan.skipped] == [("alpha", "no recipe serves it (serves nothing)")]
    assert plan_of(registry, methods=["*"]).skipped == ()


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("alfa", "unknown method 'alfa'; did you mean 'alpha'?"),
        ({"name": "alpha", "recipes": ["mach"]}, "unknown recipe of alpha 'mach'; did you mean 'match'?"),
        ({"name": "alpha", "variants": ["depe"]}, "unknown variant of alpha 'depe'; did you mean 'deep'?"),
        ({"name": "alpha", "preset": "huge"}, "unknown preset of alpha 'huge'"),
        (
            {"name": "alpha", "config": {"hiden": 3}},
            "unknown config key of alpha 'hiden'; did you mean 'hidden'?",
        ),
    ],
)
def test_an_unknown_name_in_an_entry_is_refused_with_the_nearest(
    registry: Registry, entry: object, message: str
) -> None:
    with pytest.raises(UnknownNameError) as error:
        plan_of(registry, methods=[entry])
    assert message in str(error.value)


def test_a_misspelt_name_in_what_a_recipe_serves_is_answered_with_the_nearest(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    alpha = type(registry.method("alpha"))
    monkeypatch.setattr(alpha, "recipes", {"match": Recipe(serves=("gessing",))})
    (skip,) = plan_of(registry, methods=["alpha", "beta"], seeds=[0]).skipped
    assert (
        skip.reason
        == "no recipe serves it (serves gessing; unknown task 'gessing'; did you mean 'guessing'?)"
    )


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("gessing", "unknown task 'gessing'; did you mean 'guessing'?"),
        ("*@tyo", "unknown dataset 'tyo'"),
        ("guessing@toy/c", "unknown size of toy 'c'"),
        ("guessing:strickt", "unknown protocol of guessing 'strickt'; did you mean 'strict'?"),
    ],
)
def test_a_misspelt_name_in_an_entry_s_benchmarks_is_refused(
    registry: Registry, pattern: str, message: str
) -> None:
    with pytest.raises(UnknownNameError) as error:
        plan_of(registry, methods=[{"name": "alpha", "benchmarks": [pattern]}])
    assert message in str(error.value)


def test_a_misspelt_feature_or_relation_is_skipped_with_the_nearest(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    misread = [Phase(name="main", relation="captoins")]
    monkeypatch.setattr(type(registry.method("alpha")), "modalities", ("framse",))
    monkeypatch.setattr(
        type(registry.method("beta")), "recipes", {"main": Recipe(serves=("guessing",), phases=misread)}
    )
    assert [s.reason for s in plan_of(registry, methods=["alpha", "beta", "gamma"], seeds=[0]).skipped] == [
        "dataset toy/a has no features framse; did you mean 'frames'?",
        "dataset toy/a has no relation 'captoins' in split 'train', which phase 'main' reads; did you mean 'captions'?",
    ]


def test_a_pattern_that_matches_no_method_is_refused(registry: Registry) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown method 'x\*'"):
        plan_of(registry, methods=["x*"])


def test_an_entry_s_benchmarks_narrow_it(registry: Registry) -> None:
    plan = plan_of(
        registry,
        benchmarks=["guessing@toy:*"],
        methods=[{"name": "beta", "benchmarks": ["guessing:strict"]}],
        ceilings=False,
    )
    assert {s.spec["benchmark"] for s in plan.trials()} == {"guessing@toy/a:strict"}


def test_where_each_value_came_from_is_kept(registry: Registry) -> None:
    plan = plan_of(
        registry, methods=[{"name": "alpha", "variants": ["deep"], "config": {"joint.epochs": 1}}], seeds=[0]
    )
    (trial,) = plan.trials()
    assert trial.spec["origins"] == {
        "hidden": "preset tiny",
        "depth": "variant deep",
        "joint.epochs": "suite",
    }


def test_a_fit_validates_on_the_first_benchmark_that_it_serves(registry: Registry) -> None:
    fit = next(
        s
        for s in plan_of(registry, methods=["beta"], benchmarks=["guessing@toy:strict"]).stages
        if s.kind == "fit"
    )
    assert [(v["phase"], v["benchmark"]) for v in fit.spec["validation"]] == [
        ("main", "guessing@toy/a:plain")
    ]


def test_a_recipe_that_serves_nothing_can_be_planned_by_itself(registry: Registry) -> None:
    choice = Choice(registry.method("alpha"), "words", "full", "tiny", "toy/a")
    alone = plan_fit(registry, opening(registry), choice)
    within = plan_of(registry, methods=["alpha"], seeds=[0])
    assert [s.fingerprint for s in alone] == [within.stages[0].fingerprint]


def test_a_stage_s_specification_is_json(registry: Registry) -> None:
    import json

    for stage in plan_of(registry, benchmarks=["guessing@toy:*"]).stages:
        text = json.dumps(stage.spec)
        assert json.dumps(json.loads(text)) == text


def test_a_preset_that_no_method_has_is_refused_and_one_that_some_have_is_not(registry: Registry) -> None:
    with pytest.raises(UnknownNameError, match="unknown preset 'papr'; did you mean 'paper'"):
        plan_of(registry, preset="papr")
    presets = {
        s.spec["method"]: s.spec["preset"] for s in plan_of(registry, preset="paper", ceilings=False).stages
    }
    assert presets == {"alpha": "paper", "beta": "tiny"}


def test_no_fit_learns_from_predictions_for_the_test_split(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    feeding = [Upstream(name="teaching", recipe="words", predicts=("guessing", "captions", "test"))]
    monkeypatch.setattr(
        type(registry.method("alpha")),
        "upstream",
        lambda self, config, recipe: feeding if recipe == "match" else [],
    )
    with pytest.raises(
        UsageError, match="method 'alpha': upstream 'teaching' may not predict the test split"
    ):
        plan_of(registry, methods=["alpha"])


def test_a_suite_s_cap_holds_for_every_phase_of_every_fit_and_makes_other_fits(registry: Registry) -> None:
    capped, free = (plan_of(registry, benchmarks=["guessing@toy:*"], **cap) for cap in ({"max_steps": 3}, {}))
    fits = [s for s in capped.stages if s.kind == "fit"]
    assert {p["max_steps"] for s in fits for p in s.spec["phases"]} == {3}
    assert not {s.fingerprint for s in fits} & set(free.by_fingerprint())
