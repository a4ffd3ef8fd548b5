"""Reconstruction: its error by hand and against scikit-learn's, what it refuses, and what microworld shows of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from random_trials import frames as random_trial
from sklearn.metrics import mean_squared_error
from worlds import TINY

from reelbench.batching import Batch
from reelbench.data import Clip, EvaluationSet, Example
from reelbench.errors import PredictionError
from reelbench.evaluation.predictor import Predictor
from reelbench.examples import FeatureReader
from reelbench.method import Context, DataInfo, Method
from reelbench.predictions import Predictions
from reelbench.tasks.captioning import Captioning
from reelbench.tasks.datasets.microworld.dataset import Microworld
from reelbench.tasks.reconstruction import FRAMES, INPUTS, LEVELS, Reconstruction, frame_places

task = Reconstruction()


def clips(*levels: float) -> EvaluationSet:
    """Clips of one pixel and one level each, each a cluster."""
    targets = {
        f"c{k}": {"frames": np.full((FRAMES - 1, 1, 1, 3), level / LEVELS)} for k, level in enumerate(levels)
    }
    examples = [Example(i, {"first_frame": np.zeros((1, 1, 3))}) for i in targets]
    return EvaluationSet("reconstruction@x:sentence", "test", examples, targets, {i: i for i in targets})


def sentences(references: dict[str, list[str]]) -> EvaluationSet:
    targets = {i: {"references": said} for i, said in references.items()}
    examples = [Example(i, {"sentence": ("a", "man")}) for i in targets]
    return EvaluationSet("reconstruction@x:caption", "test", examples, targets, {i: i for i in targets})


def test_the_error_is_of_levels_and_the_mean_of_clips() -> None:
    black = Predictions(("c0", "c1"), {"frames": np.zeros((2, FRAMES - 1, 1, 1, 3))})
    sheet, values = task.score(black, clips(10.0, 20.0))
    assert values == {"mse": pytest.approx((100 + 400) / 2)}
    assert task.example_scores(sheet).tolist() == pytest.approx([-100, -400])
    weighted = task.aggregate(sheet, np.array([[3.0, 1.0], [0.0, 2.0]]))["mse"]
    assert weighted.tolist() == pytest.approx([(300 + 400) / 4, 400])


def test_each_frame_has_its_error() -> None:
    frames = np.zeros((1, FRAMES - 1, 1, 1, 3))
    frames[0, 2, 0, 0] = np.array([3.0, 0.0, 6.0]) / LEVELS
    sheet = task.measure(Predictions(("c0",), {"frames": frames}), clips(0.0))
    assert sheet.columns["squared_error"][0].tolist() == pytest.approx([0, 0, 15, 0, 0, 0, 0])


def test_the_error_is_scikit_learns() -> None:
    _, evaluation, predictions = random_trial(np.random.default_rng(0))
    truth = np.stack([evaluation.targets[i]["frames"] for i in evaluation.ids])
    wanted = mean_squared_error(255 * truth.ravel(), 255 * predictions.columns["frames"].ravel())
    assert task.score(predictions, evaluation)[1]["mse"] == pytest.approx(wanted)


def test_single_precision_is_measured_in_double() -> None:
    frames = np.full((1, FRAMES - 1, 1, 1, 3), 10 / LEVELS, np.float32)
    assert task.score(Predictions(("c0",), {"frames": frames}), clips(10.0))[1]["mse"] < 1e-9


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (
            np.ones((1, 8, 1, 1, 3)),
            r"column 'frames' has shape \(1, 8, 1, 1, 3\), expected \(1, 7, 1, 1, 3\)",
        ),
        (np.ones((1, 7, 3)), r"column 'frames' has shape \(1, 7, 3\), expected \(1, 7, 1, 1, 3\)"),
        (np.full((1, 7, 1, 1, 3), np.nan), "column 'frames' is not finite for example 'c0'"),
        (np.full((1, 7, 1, 1, 3), "x"), "column 'frames' is not numeric"),
    ],
)
def test_bad_frames_are_refused_in_one_line(frames: Any, message: str) -> None:
    with pytest.raises(PredictionError, match=message) as refused:
        task.validate(Predictions(("c0",), {"frames": frames}), clips(0.0))
    assert "\n" not in str(refused.value)


def test_bad_sentences_are_refused_in_one_line() -> None:
    evaluation = sentences({"a": ["a man walks"]})
    with pytest.raises(PredictionError, match="caption of example 'a' is int, expected text"):
        task.validate(Predictions(("a",), {"caption": [3]}), evaluation)
    with pytest.raises(PredictionError, match="predictions have no column 'caption'"):
        task.validate(Predictions(("a",), {"frames": np.zeros((1, 7, 1, 1, 3))}), evaluation)


def test_sentences_are_scored_as_captions_are() -> None:
    evaluation = sentences(
        {"a": ["a man walks to the left", "he walks"], "b": ["the woman runs with a red ball"]}
    )
    said = Predictions(("b", "a"), {"caption": ["a woman runs with the red ball", "a man walks away"]})
    sheet, values = task.score(said, evaluation)
    wanted = Captioning().score(said, evaluation)[1]
    assert list(values) == [m.name for m in task.metrics("caption")]
    assert values == {name: wanted[name] for name in values}
    assert np.isnan(task.aggregate(sheet, np.zeros((1, 2)))["meteor"]).all()


@pytest.mark.parametrize(("rows", "places"), [(8, [*range(8)]), (15, [*range(0, 15, 2)]), (1, [0] * 8)])
def test_frames_are_evenly_spaced_from_the_first_to_the_last(rows: int, places: list[int]) -> None:
    assert frame_places(rows) == places


# --- on microworld ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Microworld:
    return Microworld(TINY, tmp_path_factory.mktemp("tiny"), processes=1)


def test_frames_are_the_thumbnails_of_the_clip(tiny: Microworld) -> None:
    evaluation = tiny.evaluation("reconstruction", "video", "test")
    assert len(set(evaluation.clusters.values())) < len(evaluation.ids) == 50
    for example in evaluation.examples:
        rows = tiny.read("thumbnail", example["video"])
        frames = np.concatenate([example["first_frame"][None], evaluation.targets[example.id]["frames"]])
        assert frames.shape == (FRAMES, *rows.shape[1:])
        assert frames.dtype == np.float32
        np.testing.assert_array_equal(np.rint(LEVELS * frames), rows[frame_places(len(rows))])
        np.testing.assert_array_equal(np.rint(LEVELS * frames[[0, -1]]), rows[[0, -1]])


@pytest.mark.parametrize("protocol", INPUTS)
def test_an_example_shows_its_protocols_inputs_and_nothing_else(tiny: Microworld, protocol: str) -> None:
    for example in tiny.evaluation("reconstruction", protocol, "validation").examples:
        named = {name.removesuffix("_pos").removesuffix("_head") for name in example.fields}
        assert named == set(INPUTS[protocol])


def test_the_given_sentence_is_no_reference_and_the_same_in_both_protocols(tiny: Microworld) -> None:
    drawn, said = (tiny.evaluation("reconstruction", p, "test") for p in ("sentence", "caption"))
    for one, other in zip(drawn.examples, said.examples, strict=True):
        assert (one.id, one["sentence"]) == (other.id, other["sentence"])
        references = said.targets[one.id]["references"]
        assert 1 <= len(references) <= 3
        assert " ".join(one["sentence"]) not in references


def test_what_is_withheld_is_not_read(tiny: Microworld) -> None:
    clip = Clip(tiny.stories("test")[0].id + "a", 0.0, 4.0)
    reader = FeatureReader(tiny, ("appearance", "thumbnail"))
    assert reader.read(clip).keys() == {"appearance", "thumbnail"}
    assert reader.without(task.withheld).read(clip).keys() == {"appearance"}
    assert reader.without(()) is reader


def test_a_method_that_declares_thumbnails_does_not_see_those_it_is_asked_for(tiny: Microworld) -> None:
    seen: list[set[str]] = []

    class Peeking(Method):
        """Looks at all that it is given."""

        name = "peeking"

        def prepare(self, example: Example, ctx: Context) -> Example:
            seen.append(set(example["video"]))
            return Example(example.id, {"first": example["first_frame"]})

        def predict_step(self, module: Any, batch: Batch, ctx: Context) -> dict[str, Any]:
            return {"frames": batch["first"].data[:, None].repeat(1, FRAMES - 1, 1, 1, 1)}

    evaluation = tiny.evaluation("reconstruction", "video", "validation")
    reader = FeatureReader(tiny, ("appearance", "thumbnail"))
    ctx = Context(None, DataInfo("x", {}, {}), "r", 0, False, task=task.name, protocol="video")
    predictor = Predictor(Peeking(), task, reader, ctx, "32-true")
    queries, gallery = predictor.blind(evaluation)
    predictions = predictor.reveal(predictor.predict(None, queries, gallery), queries, gallery)
    assert seen == [{"appearance"}] * len(evaluation.ids)
    assert task.score(predictions, evaluation)[1]["mse"] > 0
