"""The plugin test kit finds each breakage, in one line that says what, where, and how to mend it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from broken_methods import BREAKAGES, THOROUGH, Sound
from click.testing import CliRunner

import reelbench
from reelbench.conformance import ConformanceError, check_method, try_method
from reelbench.conformance.devices import check_agree
from reelbench.conformance.report import Broken
from reelbench.errors import UnknownNameError

WHERE: dict[str, Any] = {"dataset": "toybox/main", "plugins": ["toybox"]}


@pytest.mark.parametrize("method", BREAKAGES, ids=lambda m: m.__name__)
def test_a_breakage_is_found_by_its_check_and_said_in_one_line(method: type[reelbench.Method]) -> None:
    check, message = BREAKAGES[method]
    with pytest.raises(ConformanceError) as error:
        try_method(method, **WHERE)
    lines = [line for line in str(error.value).splitlines() if f"  {check}" in line]
    assert len(lines) == 1, str(error.value)
    assert message in lines[0]


@pytest.mark.parametrize("method", THOROUGH, ids=lambda m: m.__name__)
def test_what_only_training_shows_is_found_by_the_whole_suite(method: type[reelbench.Method]) -> None:
    check, message = THOROUGH[method]
    try_method(method, **WHERE)
    with pytest.raises(ConformanceError) as error:
        check_method(method, **WHERE)
    assert any(check in line and message in line for line in str(error.value).splitlines()), str(error.value)


def test_a_method_that_keeps_the_contract_passes_the_whole_suite() -> None:
    report = check_method(Sound, **WHERE)
    assert report.passed
    assert {f.check for f in report.findings if f.status != "passed"} <= {"devices"}


def test_without_a_gpu_the_check_of_devices_is_skipped_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    (finding,) = [f for f in check_method(Sound, **WHERE).findings if f.check == "devices"]
    assert finding.status == "skipped"
    assert finding.line == "torch sees no CUDA device here: CPU and GPU are not compared"


@pytest.mark.parametrize(
    ("on_cpu", "on_gpu", "said"),
    [
        (np.linspace(0, 1, 8), np.linspace(0, 1.1, 8), "differs by 0.099 of its spread between CPU and GPU"),
        (["a", "b", "c", "d"], ["a", "b", "x", "y"], "differs in 2 of 4 rows between CPU and GPU"),
    ],
)
def test_what_a_gpu_predicts_otherwise_is_told(on_cpu: Any, on_gpu: Any, said: str) -> None:
    check_agree("it", on_cpu, on_cpu)
    with pytest.raises(Broken, match=said):
        check_agree("it", on_cpu, on_gpu)


def test_an_unknown_recipe_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'match'"):
        try_method(Sound, recipe="mach", **WHERE)


def test_a_task_that_is_like_no_other_is_another_plugin_s_and_breaks_nothing() -> None:
    class ServesAnother(Sound):
        """Serves a task of a plugin that is not loaded, too."""

        recipes = {
            "match": reelbench.Recipe(
                serves=("multiple_choice", "lip_reading"), phases=Sound.recipes["match"].phases
            )
        }

    (line,) = [f.line for f in try_method(ServesAnother, **WHERE).findings if f.status == "skipped"]
    assert line.startswith("recipe 'match' serves 'lip_reading': unknown task 'lip_reading'; known: ")
    assert line.endswith("(of a plugin that is not loaded?)")


def test_an_example_that_a_method_cannot_be_tried_on_is_no_pass() -> None:
    from broken_methods import ServesNothingHere

    with pytest.raises(ConformanceError, match=r"skip  plan .* has no features audio"):
        try_method(ServesNothingHere, **WHERE)


def test_the_command_prints_a_line_a_check_and_ends_with_the_verdict() -> None:
    from reelbench.cli.trying import try_

    done = CliRunner().invoke(
        try_,
        ["chooser", "--dataset", "toybox/main", "--plugin", "toybox", "--plugin", "toy_methods"],
        standalone_mode=False,
    )
    assert done.return_value in (0, 3), done.output
    assert "ok    training_step" in done.output
    assert done.output.splitlines()[-1] == "chooser on toybox/main: keeps the contract"


def test_the_command_s_json_has_every_check() -> None:
    from reelbench.cli.trying import try_

    done = CliRunner().invoke(
        try_,
        [
            "starter",
            "--recipe",
            "words",
            "--dataset",
            "toybox/main",
            "--plugin",
            "toybox",
            "--plugin",
            "toy_methods",
            "--json",
        ],
        standalone_mode=False,
    )
    told = json.loads(done.stdout)
    assert told["passed"]
    assert {"check", "place", "status", "line"} == set(told["checks"][0])
