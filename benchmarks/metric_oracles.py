"""Prints how far each metric is from the official code it answers to: metric, oracle, n, largest difference.

Run from the repository's root: ``python benchmarks/metric_oracles.py``. The oracles lie in ``REELBENCH_SHARED``, by
default ``../shared``. A new task adds a function to ``ORACLES``.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reelbench.data import EvaluationSet, Example
from reelbench.predictions import Predictions
from reelbench.scoring import ScoreSheet
from reelbench.tasks.captioning import Captioning
from reelbench.tasks.metrics.caption import bleu, meteor, scores
from reelbench.tasks.retrieval import Retrieval

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY / "tests" / "tasks"))  # where the oracles' files are read


@dataclass(frozen=True)
class Row:
    """One line of the table: the largest difference of a metric from an oracle over ``n`` values."""

    metric: str
    oracle: str
    n: int
    difference: float

    @classmethod
    def of(cls, metric: str, oracle: str, ours: Any, theirs: Any) -> Row:
        differences = np.abs(np.atleast_1d(np.asarray(ours, dtype=float) - np.asarray(theirs, dtype=float)))
        return cls(metric, oracle, differences.size, float(differences.max()))


def captions(shared: Path) -> Iterator[Row]:
    """COCO's fake captions, as a whole and image by image (held to ten decimals)."""
    folder = shared / "oracles" / "caption"
    raw, expected = _read(folder / "fakecap_input_raw.json"), _read(folder / "fakecap_expected.json")
    order = expected["per_image_order"]
    targets = {i: {"references": raw["refs"][i]} for i in order}
    examples = [Example(i, {}) for i in order]
    evaluation = EvaluationSet("captioning@coco:clip", "test", examples, targets, {i: i for i in order})
    predictions = Predictions(tuple(order), {"caption": [raw["hyps"][i] for i in order]})
    sheet, values = Captioning().score(predictions, evaluation)
    for name, value in expected["corpus"].items():
        yield Row.of(name.lower(), "pycocoevalcap 1.2, corpus", values[name.lower()], value)
    images = _image_values(sheet)
    for name, value in expected["per_image"].items():
        yield Row.of(name.lower(), "pycocoevalcap 1.2, each image", images[name.lower()], value)


def odd_captions(shared: Path) -> Iterator[Row]:
    """Empty, identical, short and foreign captions."""
    cases = _read(shared / "oracles" / "caption" / "scorer_edge_cases.json")
    pairs = [
        (_edge_values(cases["input"][case]), expected)
        for case, expected in cases["pycocoevalcap_1.2"].items()
        if not isinstance(expected["Bleu"], str)
    ]
    for name in ("ROUGE_L", "CIDEr", "METEOR"):
        ours, theirs = [ours[name.lower()] for ours, _ in pairs], [expected[name][0] for _, expected in pairs]
        yield Row.of(name.lower(), "pycocoevalcap 1.2, odd text", ours, theirs)
    for order in range(4):
        ours, theirs = (
            [ours[f"bleu_{order + 1}"] for ours, _ in pairs],
            [e["Bleu"][0][order] for _, e in pairs],
        )
        yield Row.of(f"bleu_{order + 1}", "pycocoevalcap 1.2, odd text", ours, theirs)


def resampled_meteor(shared: Path) -> Iterator[Row]:
    """The formula on summed statistics against the Java program's own aggregation, on random resamples."""
    tokenized = _read(shared / "oracles" / "caption" / "fakecap_input_ptb_tokenized.json")
    statistics = meteor.match_statistics(
        list(tokenized["hyps"].values()), [tokenized["refs"][i] for i in tokenized["hyps"]]
    )
    rng, ours, theirs = np.random.default_rng(0), [], []
    for size in (1, 10, 100, 1000):
        rows = statistics[rng.integers(len(statistics), size=size)]
        line = " ||| ".join(["EVAL", *(" ".join(map(str, row)) for row in rows)])
        theirs.append(float(meteor.program().ask([line], replies_a_line=size + 1)[-1]))
        ours.append(float(meteor.meteor(rows.sum(axis=0))))
    yield Row.of("meteor", "METEOR 1.5 EVAL, resamples", ours, theirs)


def retrieval(shared: Path) -> Iterator[Row]:
    """Expected recall over ties, and both directions of collaborative-experts where nothing is tied."""
    folder = shared / "oracles" / "retrieval"
    given, expected = _read(folder / "input.json")["sims"], _read(folder / "expected.json")
    values = {name: _retrieval_values(given[name]) for name in ("no_ties", "ties", "constant")}
    for cut in (1, 5, 10):
        theirs = [expected[name]["expected_R_random_ties"][f"R@{cut}"] / 100 for name in values]
        yield Row.of(
            f"t2v_recall_at_{cut}",
            "expected over ties",
            [v[f"t2v_recall_at_{cut}"] for v in values.values()],
            theirs,
        )
    worst = [expected[name]["worst"]["R@1"] / 100 for name in values]
    yield Row.of(
        "t2v_recall_at_1_worst",
        "worst over ties",
        [v["t2v_recall_at_1_worst"] for v in values.values()],
        worst,
    )
    for direction in ("t2v", "v2t"):
        theirs = expected["no_ties"][f"ce_{direction}"]
        for cut in (1, 5, 10, 50):
            name = f"{direction}_recall_at_{cut}"
            yield Row.of(
                name, "collaborative-experts, no ties", values["no_ties"][name], theirs[f"R{cut}"] / 100
            )
        for name, short in (("median_rank", "MedR"), ("mean_rank", "MeanR")):
            ours = [v[f"{direction}_{name}"] for v in values.values()]
            yield Row.of(
                f"{direction}_{name}",
                "collaborative-experts",
                ours,
                [expected[k][f"ce_{direction}"][short] for k in values],
            )


def segments_tags_and_gaze(shared: Path) -> Iterator[Row]:
    """DiDeMo, TALL, ActivityNet, YouTube-8M, cvzoya and pysaliency."""
    import oracle_cases

    cases = [
        *oracle_cases.localization_cases(shared),
        oracle_cases.detection_case(shared),
        *oracle_cases.tagging_cases(shared),
    ]
    for case in cases:
        for metric, difference in case.differences().items():
            yield Row(metric, case.oracle, len(case.evaluation.ids), abs(difference))
    for metric, difference in oracle_cases.gaze_differences(shared).items():
        yield Row(metric, "cvzoya, pysaliency", 1, abs(difference))


ORACLES: list[Callable[[Path], Iterable[Row]]] = [
    captions,
    odd_captions,
    resampled_meteor,
    retrieval,
    segments_tags_and_gaze,
]


def main() -> None:
    """Print the table."""
    shared = Path(os.environ.get("REELBENCH_SHARED", REPOSITORY.parent / "shared"))
    print(f"{'metric':24} {'oracle':42} {'n':>6} {'largest difference':>20}")
    for oracle in ORACLES:
        for row in oracle(shared):
            print(f"{row.metric:24} {row.oracle:42} {row.n:6d} {row.difference:20.2e}")


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _image_values(sheet: ScoreSheet) -> dict[str, Any]:
    columns = sheet.columns
    bleus = {f"bleu_{order}": values for order, values in enumerate(bleu.bleu(columns["bleu"]).T, 1)}
    return {
        **bleus,
        "cider": columns["cider"],
        "rouge_l": columns["rouge_l"],
        "meteor": meteor.meteor(columns["meteor"]),
    }


def _edge_values(given: Any) -> dict[str, float]:
    ids = list(given["gts"])
    columns = scores.tokenized_statistics([given["res"][i][0] for i in ids], [given["gts"][i] for i in ids])
    sheet = ScoreSheet.build(ids, {i: i for i in ids}, columns)
    return {
        name: float(value[0]) for name, value in scores.caption_metrics(sheet, sheet.unit_weights()).items()
    }


def _retrieval_values(table: Any) -> dict[str, float]:
    ids = tuple(map(str, range(len(table))))
    queries, gallery = [Example(i, {"query": (i,)}) for i in ids], [Example(i, {}) for i in ids]
    targets = {i: {"match": i} for i in ids}
    evaluation = EvaluationSet(
        "retrieval@oracle:sentence", "test", queries, targets, {i: i for i in ids}, gallery
    )
    return Retrieval().score(Predictions(ids, {"scores": np.array(table, dtype=float)}, ids), evaluation)[1]


if __name__ == "__main__":
    main()
