"""What is wrong with one plugin or one file fails its own stages, in one line each, and the bench goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from desk import BENCHMARK, Desk, Done
from paced import COUNTS, FRAMES

from reelbench.features import FeatureWriter

TORN = "action_recognition@pace/torn:seen"
SAYS = {
    "collapses": "ValueError: no such layer: 'attention' (at faulty.py:",
    "diverges": "TrainingError: phase 'only'",
    "silent": "training_step",
    "undecided": "PredictionError: ",
    "narrow": "PredictionError: ",
    "hasty": "PredictionError: ",
    "forgetful": "PredictionError: ",
    "inventive": "PredictionError: ",
}


def truncated_features(folder: Path) -> Path:
    """A store of the dataset's features, the file of which lost its last bytes."""
    writer = FeatureWriter(folder, {"frames": FRAMES})
    for split, count in COUNTS.items():
        for i in range(count):
            writer.add("frames", f"{split}-{i}", np.ones((4, 4), np.float32))
    writer.finish()
    (file,) = folder.glob("*.safetensors")
    file.write_bytes(file.read_bytes()[:-10])
    return folder


@pytest.fixture(scope="module")
def bench(make_desk: Callable[[], Desk]) -> tuple[Desk, Done]:
    """A bench of every fault beside one sound method, on a sound and on a damaged dataset."""
    desk = make_desk()
    sound_only = [f'{{name = "{method}", benchmarks = ["{BENCHMARK}"]}}' for method in SAYS]
    desk.suite(
        *sound_only,
        '{name = "plodder"}',
        plugins=("absent", "mistyped", "paced", "faulty"),
        benchmarks=(BENCHMARK, TORN),
    )
    return desk, desk.bench(TORN=str(truncated_features(desk.folder / "torn"))).wait()


def trial(done: Done, method: str, benchmark: str = BENCHMARK) -> dict[str, Any]:
    (found,) = [t for t in done.json["trials"] if (t["method"], t["benchmark"]) == (method, benchmark)]
    return found


def test_the_sound_method_has_its_scores_and_the_status_says_that_not_all_is_well(
    bench: tuple[Desk, Done],
) -> None:
    done = bench[1]
    assert done.status == 1
    assert trial(done, "plodder")["status"] == "finished"
    assert trial(done, "plodder")["metrics"]["top_1"] > 0.5
    assert {"method", "variant", "benchmark", "seed", "status", "metrics"} <= set(trial(done, "plodder"))


@pytest.mark.parametrize("method", SAYS)
def test_a_method_s_fault_is_one_line_that_names_it(bench: tuple[Desk, Done], method: str) -> None:
    done = bench[1]
    (line,) = [line for line in done.lines("FAILED") if f" {method} " in line]
    assert SAYS[method] in line
    assert trial(done, method)["status"] == "skipped"
    assert "Traceback" not in done.err


def test_a_method_s_exception_is_placed_in_the_innermost_line_of_its_own_files(
    bench: tuple[Desk, Done],
) -> None:
    import faulty

    written = Path(faulty.__file__).read_text().splitlines()
    number = 1 + next(i for i, line in enumerate(written) if "no such layer" in line)
    assert bench[1].lines(f"(at faulty.py:{number} in build)")


def test_a_task_s_refusal_of_predictions_is_not_placed_in_the_task(bench: tuple[Desk, Done]) -> None:
    assert not [line for line in bench[1].lines("PredictionError") if "(at " in line]


def test_a_method_asked_for_by_name_that_cannot_run_is_said_and_changes_the_status(desk: Desk) -> None:
    done = desk.bench("--method", "plodder", "--method", "bn-lstm").wait()
    assert trial(done, "plodder")["status"] == "finished"
    (line,) = done.lines("error:")
    assert line.startswith(
        f"reelbench: error: method 'bn-lstm' was asked for and nothing of it can run: {BENCHMARK}: no recipe serves it"
    )
    assert done.status == 2


def test_each_failure_is_a_run_with_its_traceback(bench: tuple[Desk, Done]) -> None:
    failed = [r for r in bench[0].runs() if r.status == "FAILED"]
    own = {r.tags["rb.method"]: r for r in failed if "rb.lost_with" not in r.tags}
    assert set(own) == {*SAYS, "plodder"}
    for method, run in own.items():
        record = json.loads((run.artifacts / "record.json").read_text())
        assert record["status"] == "failed"
        assert record["traceback"].startswith("Traceback"), method
        assert record["error"] == run.tags["rb.error"]
    for run in (r for r in failed if "rb.lost_with" in r.tags):  # a trial that a failed fit took along
        assert run.tags["rb.kind"] == "trial"
        assert run.tags["rb.lost_with"] == own[run.tags["rb.method"]].tags["rb.fingerprint.fit"]
        assert own[run.tags["rb.method"]].tags["rb.error"] in run.tags["rb.error"]


def test_a_truncated_feature_file_is_named(bench: tuple[Desk, Done]) -> None:
    desk, done = bench
    assert trial(done, "plodder", TORN)["status"] == "skipped"
    (line,) = done.lines("FeatureError")
    assert str(desk.folder / "torn" / "frames.safetensors") in line


@pytest.mark.parametrize(
    ("plugin", "says"),
    [
        ("absent", "cannot be imported: RuntimeError: out of order"),
        ("mistyped", "expected sub-classes of reelbench.Method, got 'a name is not a method'"),
    ],
)
def test_a_broken_plugin_is_one_line_that_names_it(bench: tuple[Desk, Done], plugin: str, says: str) -> None:
    (line,) = bench[1].lines(f"plugin {plugin!r} (from module {plugin})")
    assert says in line
