"""A mistake gives one line that says what, where and how to mend it, and a status of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from reelbench.suite import builtin_suites


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    """The only line of an error."""
    lines = [line for line in done.stderr.splitlines() if "error:" in line]
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    return lines[0]


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["rum"], 2, "unknown command 'rum'; did you mean 'run'?"),
        (["run"], 2, "name a suite (ablations, claims, controls, didemo, longer, papers, small, smoke, or a .toml file)"),
        (["run", "nosuch"], 2, "unknown suite 'nosuch'; known: ablations, claims, controls, didemo, longer, papers, small, smoke (or give the path of a .toml file)"),
        (["run", "smal"], 2, "unknown suite 'smal'; did you mean 'small'?"),
        (["run", "nowhere.toml"], 2, "suite file nowhere.toml does not exist"),
        (["run", "--method", "jsfuson", "--benchmark", "retrieval@microworld/smoke"], 2, "unknown method 'jsfuson'; did you mean 'jsfusion'?"),
        (["run", "--method", "jsfusion", "--benchmark", "retreival@microworld/smoke"], 2, "unknown task 'retreival'; did you mean 'retrieval'?"),
        (["run", "--method", "jsfusion", "--benchmark", "retrieval@microwrld"], 2, "unknown dataset 'microwrld'; did you mean 'microworld'?"),
        (["run", "--method", "jsfusion", "--benchmark", "retrieval@microworld/smal"], 2, "unknown size of microworld 'smal'; did you mean 'small'?"),
        (["run", "--method", "jsfusion", "--benchmark", "retrieval@microworld/smoke:sentences"], 2, "did you mean 'sentence'?"),
        (["run", "--method", "jsfusion", "--benchmark", "retrieval"], 2, "names no dataset"),
        (["run", "--method", "jsfusion", "--benchmark", "retrieval@microworld/smoke", "--variant", "no-audoi"], 2, "unknown variant of jsfusion 'no-audoi'"),
        (["run", "--method", "jsfusion", "--benchmark", "retrieval@microworld/smoke", "--set", "widht=3"], 2, "unknown config key of jsfusion 'widht'"),
        (["run", "smoke", "--set", "width=3"], 2, "--set and --variant need --method"),
        (["run", "--method", "chance", "--benchmark", "tagging@microworld/smoke", "--executor", "in-proces"], 2, "did you mean 'in-process'?"),
        (["run", "--method", "chance", "--benchmark", "tagging@microworld/smoke", "--preset", "tiiny"], 2, "unknown preset of chance 'tiiny'; did you mean 'tiny'?"),
        (["run", "smoke", "--block", "mlfow"], 2, "unknown plugin to block 'mlfow'; did you mean 'mlflow'?"),
        (["report", "--format", "latx"], 2, "unknown report format 'latx'; did you mean 'latex'?"),
        (["try", "nothing"], 2, "unknown method 'nothing'"),
        (["try", "jsfusion", "--variant", "no-audoi"], 2, "unknown variant of jsfusion 'no-audoi'"),
    ],
)  # fmt: skip
def test_a_wrong_name_is_answered_with_the_nearest(reelbench, arguments, status, says):
    done = reelbench(*arguments)
    assert says in one_line(done)
    assert done.returncode == status


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("benchmark = 3", "unknown key of suite.toml 'benchmark'; did you mean 'benchmarks'?"),
        (
            "benchmarks = ['retrieval@microworld/smoke']\nmethods = [{name = 'chance', variant = 'x'}]",
            "did you mean 'variants'?",
        ),
        ("seeds = 'three'", "benchmarks: Field required"),
        ("benchmarks = [", "suite.toml: not valid TOML"),
    ],
)
def test_a_wrong_suite_key_is_named(reelbench, tmp_path: Path, text: str, says: str):
    (tmp_path / "suite.toml").write_text(text)
    done = reelbench("run", "suite.toml")
    assert says in one_line(done)
    assert done.returncode == 2


@pytest.mark.parametrize(
    ("benchmark", "says"),
    [
        ("retreival", "write task@dataset, retrieval@microworld/small say"),
        ("retreival@microworld/smoke", "unknown task 'retreival'; did you mean 'retrieval'?"),
        ("retrieval@microwrold/smoke", "unknown dataset 'microwrold'; did you mean 'microworld'?"),
        ("retrieval@microworld/smoek", "unknown size of microworld 'smoek'; did you mean 'smoke'?"),
        ("retrieval@microworld/smoke:sentnce", "unknown protocol of retrieval@microworld/smoke 'sentnce'; did you mean 'sentence'?"),
        ("retrieval@microworld:sentens*", "unknown protocol of retrieval@microworld/small 'sentens*'; did you mean 'sentence'?"),
        ("retreiv*@microworld", "nothing supports 'retreiv*@microworld': did you mean 'retrieval'?"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("arguments", [["plan", "smoke"], ["run", "--method", "vse"]])
def test_a_misspelt_part_of_a_benchmark_is_answered_with_the_nearest(reelbench, arguments, benchmark, says):
    done = reelbench(*arguments, "--benchmark", benchmark)
    assert says in one_line(done)
    assert done.returncode == 2


@pytest.mark.parametrize("command", ["run", "plan"])
def test_a_command_s_help_names_every_suite(reelbench, command):
    if command == "run":
        assert all(name in reelbench(command, "--help").stdout for name in builtin_suites())
    assert one_line(reelbench(command)).count(", ".join(sorted(builtin_suites()))) == 1


def test_a_pair_that_nobody_supports_is_refused_with_the_reason(reelbench):
    done = reelbench("run", "--method", "bn-lstm", "--benchmark", "retrieval@microworld/smoke")
    assert "bn-lstm on retrieval@microworld/smoke:sentence: no recipe serves it" in one_line(done)
    assert done.returncode == 2


def test_a_dataset_that_is_not_there_is_named_with_what_to_do(reelbench, tmp_path: Path):
    done = reelbench("run", "didemo", "--data", str(tmp_path))
    assert "didemo" in one_line(done)
    assert done.returncode == 4


def test_a_plugin_that_fails_to_import_is_reported_and_the_rest_goes_on(reelbench, tmp_path: Path):
    (tmp_path / "broken_plugin.py").write_text("raise RuntimeError('out of order')")
    done = reelbench("list", "--plugin", "broken_plugin", PYTHONPATH=str(tmp_path))
    assert (
        "plugin 'broken_plugin' (from module broken_plugin): cannot be imported: RuntimeError: out of order"
        in done.stderr
    )
    assert "jsfusion" in done.stdout
    assert done.returncode == 3


def test_a_plugin_named_by_its_file_is_told_the_modules_name(reelbench):
    done = reelbench("list", "--plugin", "my_method.py")
    assert "name the module, not its file: --plugin my_method" in done.stderr
