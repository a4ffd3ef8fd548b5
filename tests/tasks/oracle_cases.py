"""What the oracle files of ``shared/oracles`` say about localization, detection, tagging and gaze.

Each case is a task's evaluation set, its predictions and the values that an official code gave for them. Tests assert
on them; ``benchmarks/metric_oracles.py`` prints how far off we are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reelbench.data import EvaluationSet, Example
from reelbench.predictions import Predictions
from reelbench.task import Task
from reelbench.tasks.datasets.didemo_files import CANDIDATES, to_seconds
from reelbench.tasks.detection import Detection
from reelbench.tasks.localization import Localization
from reelbench.tasks.metrics import gaze
from reelbench.tasks.tagging import Tagging

SECONDS = [list(to_seconds(pair)) for pair in CANDIDATES]


@dataclass(frozen=True)
class Case:
    """One evaluation with the values an official code gave it."""

    oracle: str
    task: Task
    evaluation: EvaluationSet
    predictions: Predictions
    expected: dict[str, float]

    def differences(self) -> dict[str, float]:
        """Ours minus theirs, by metric."""
        _, values = self.task.score(self.predictions, self.evaluation)
        return {name: values[name] - value for name, value in self.expected.items()}


def one_cluster_each(
    benchmark: str, targets: dict[str, Any], fields: dict[str, Any] | None = None, **more: Any
) -> EvaluationSet:
    """An evaluation set whose examples share their inputs and are clusters of their own."""
    examples = [Example(example_id, fields or {}) for example_id in targets]
    return EvaluationSet(benchmark, "test", examples, targets, {i: i for i in targets}, **more)


def localization_cases(shared: Path) -> Iterator[Case]:
    """DiDeMo's rule on its own annotations, and TALL's with and without suppression."""
    folder = shared / "oracles" / "localization"
    times, didemo = _json(folder / "didemo_val_test_times.json"), _json(folder / "didemo_expected.json")
    prior = [list(to_seconds(pair)) for pair in didemo["prior_ranking_from_val"]]
    for split, expected in didemo["expected_prior_from_val"].items():
        yield _didemo(
            f"DiDeMo eval.py, prior on {split}", times[split], [prior] * len(times[split]), expected
        )
    rankings = [[list(to_seconds(p)) for p in r] for r in didemo["random_rankings_first300_test"]]
    yield _didemo("DiDeMo eval.py, random", times["test"][:300], rankings, didemo["expected_random300"])
    tall = _json(folder / "tall_oracle.json")
    yield _tall("TALL main.py, NMS", tall, "spans-tall", tall["expected_TALL_nms_thresh=m-0.05"])
    yield _tall("TALL main.py, no NMS", tall, "spans", tall["expected_no_nms"])


def detection_case(shared: Path) -> Case:
    """ActivityNet's AP; the prediction in an unknown video becomes a video without events."""
    folder = shared / "oracles" / "detection"
    given, expected = _json(folder / "anet_input.json"), _json(folder / "anet_expected.json")
    truth, said = given["ground_truth"]["database"], given["predictions"]["results"]
    names = sorted({a["label"] for video in truth.values() for a in video["annotations"]})
    events = {
        video: truth.get(video, {"annotations": []})["annotations"] for video in sorted({*truth, *said})
    }
    targets = {
        video: {"segments": [a["segment"] for a in found], "labels": [names.index(a["label"]) for a in found]}
        for video, found in events.items()
    }
    rows = [[[*d["segment"], names.index(d["label"]), d["score"]] for d in said.get(v, [])] for v in targets]
    values = {f"map_tiou_{t}": v for t, v in expected["mAP"].items()} | {"map_tiou_mean": expected["avg_mAP"]}
    evaluation = one_cluster_each("detection@oracle:events", targets, spaces={"actions": tuple(names)})
    predictions = Predictions(tuple(targets), {"detections": rows})
    return Case("ActivityNet eval_detection.py", Detection(), evaluation, predictions, values)


def tagging_cases(shared: Path) -> Iterator[Case]:
    """YouTube-8M's eval_util on 200 x 100 scores, also with five videos that have no label."""
    folder = shared / "oracles" / "yt8m"
    expected, given = _json(folder / "expected.json"), np.load(folder / "oracle_200x100.npz")
    scores, labels = given["predictions"].astype(np.float64), given["labels"].astype(bool)
    full = expected["top100_full_float64_inputs"]["map"]
    yield _yt8m("YouTube-8M eval_util.py", scores, labels, expected["top20_float64_inputs"], map=full)
    some = labels.copy()
    some[:5] = False
    yield _yt8m("YouTube-8M eval_util.py, float32, 5 unlabelled", scores, some, expected["first5_no_labels"])


def gaze_differences(shared: Path) -> dict[str, float]:
    """Ours minus cvzoya's or pysaliency's, by metric, on one 24 x 32 map."""
    folder = shared / "oracles" / "gaze"
    given, expected = _json(folder / "input.json"), _json(folder / "expected.json")
    saliency, density = (np.asarray(given[key]) for key in ("saliency", "reference_density"))
    here, elsewhere = (_counts(given[key], saliency.shape) for key in ("fixations_yx", "other_fixations_yx"))
    pair = (saliency[None], density[None])
    ours = {
        ("cc", "CC"): gaze.correlation(*pair)[0],
        ("sim_minmax", "SIM_cvzoya_minmax_then_sum"): gaze.similarity(*pair, minmax=True)[0],
        ("sim_sum", "SIM_pysaliency_sum_only"): gaze.similarity(*pair, minmax=False)[0],
        ("auc_judd", "AUC_Judd_cvzoya_nojitter"): gaze.auc_judd(saliency, here > 0),
        ("auc_shuffled_all", "pysaliency_sAUC_general_roc"): gaze.auc_between(saliency, here, elsewhere),
    }
    return {metric: float(value) - expected[key] for (metric, key), value in ours.items()}


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _didemo(oracle: str, entries: list[Any], rankings: list[Any], expected: list[float]) -> Case:
    targets = {str(e["annotation_id"]): {"segments": [to_seconds(p) for p in e["times"]]} for e in entries}
    evaluation = one_cluster_each("localization@didemo:candidates", targets, {"candidates": SECONDS})
    values = dict(zip(("rank_at_1", "rank_at_5", "miou"), expected, strict=True))
    return Case(
        oracle, Localization(), evaluation, Predictions(tuple(targets), {"segments": rankings}), values
    )


def _tall(oracle: str, given: Any, protocol: str, expected: dict[str, float]) -> Case:
    targets = {str(k): {"segments": [truth]} for k, truth in enumerate(given["gt"])}
    orders = [np.argsort(-np.asarray(scores)) for scores in given["scores"]]
    ranked = [np.asarray(s)[order].tolist() for s, order in zip(given["segments"], orders, strict=True)]
    values = {
        f"recall_at_{depth}_iou_{iou}": expected[f"R@{depth},IoU={iou}"] / 100
        for depth in (1, 5)
        for iou in (0.3, 0.5, 0.7)
    }
    evaluation = one_cluster_each(f"localization@oracle:{protocol}", targets)
    return Case(oracle, Localization(), evaluation, Predictions(tuple(targets), {"segments": ranked}), values)


def _yt8m(oracle: str, scores: Any, labels: Any, expected: dict[str, Any], **more: float) -> Case:
    targets = {str(k): {"labels": np.flatnonzero(row)} for k, row in enumerate(labels)}
    spaces = {"tags": tuple(map(str, range(labels.shape[1])))}
    names = {"hit_at_1": "hit_at_one", "perr": "perr", "gap_at_20": "gap", "map_top_20": "map"}
    values = {ours: expected[theirs] for ours, theirs in names.items()} | more
    evaluation = one_cluster_each("tagging@oracle:all-labels", targets, spaces=spaces)
    return Case(oracle, Tagging(), evaluation, Predictions(tuple(targets), {"scores": scores}), values)


def _counts(points: Any, shape: tuple[int, ...]) -> Any:
    counts = np.zeros(shape)
    np.add.at(counts, tuple(np.asarray(points).T), 1)
    return counts
