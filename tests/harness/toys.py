"""A small world to test the harness with: coloured clips, four labels, a sentence each; a task of each kind."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from reelbench.data import Clip, EvaluationSet, Example, FeatureSpec, Field, Relation
from reelbench.dataset import BenchmarkSpec, Dataset
from reelbench.errors import DatasetError, PredictionError
from reelbench.method import Config, Method, Phase, Recipe
from reelbench.predictions import Column, as_array, check_ids
from reelbench.scoring import Metric, ScoreSheet, weighted_mean
from reelbench.task import Task
from reelbench.vocabulary import Vocabulary

COLOURS = ("red", "green", "blue", "grey")
SIZES = {"train": 48, "validation": 16, "test": 20}


class ToyDataset(Dataset):
    """Clips whose ``look`` features show one of four colours under noise."""

    def __init__(
        self, name: str = "toy", shift: float = 0.0, modalities: tuple[str, ...] = ("look", "sound")
    ) -> None:
        self.name, self.shift, self.modalities = name, shift, modalities
        self.reads = 0

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(f"{self.name}{self.shift}".encode()).hexdigest()

    @property
    def benchmarks(self) -> tuple[BenchmarkSpec, ...]:
        return tuple(BenchmarkSpec(t, "plain", "toy") for t in ("labels", "search", "words"))

    @property
    def relations(self) -> dict[str, tuple[str, ...]]:
        return {"colours": ("train", "validation"), "notes": ("train",)}

    @property
    def features(self) -> dict[str, FeatureSpec]:
        known = {"look": FeatureSpec("look", (8,), 2.0), "sound": FeatureSpec("sound", (3,), 1.0)}
        return {m: known[m] for m in self.modalities}

    @property
    def spaces(self) -> dict[str, tuple[str, ...]]:
        return {"colours": COLOURS}

    def relation(self, name: str, split: str = "train") -> Relation:
        if split not in self.relations.get(name, ()):
            raise DatasetError(f"no relation {name!r} in split {split!r}")
        schema = {
            "video": Field("video", "clip"),
            "sentence": Field("text", "words"),
            "label": Field("number", "colour", target=True),
        }
        rows = [
            Example(
                f"{split}-{i}",
                {"video": clip(split, i), "sentence": sentence(split, i)},
                {"label": label(split, i)},
            )
            for i in range(SIZES[split])
        ]
        return Relation(name, split, schema, rows)

    def evaluation(self, task: str, protocol: str, split: str) -> EvaluationSet:
        ids = [f"{task}-{split}-{i}" for i in range(SIZES[split])]
        clusters = {name: f"story-{i // 4}" for i, name in enumerate(ids)}
        targets = {name: {"label": label(split, i), "match": f"clip-{i}"} for i, name in enumerate(ids)}
        fields = [
            {"query": sentence(split, i)} if task == "search" else {"video": clip(split, i)}
            for i in range(len(ids))
        ]
        examples = [Example(name, f) for name, f in zip(ids, fields, strict=True)]
        gallery = (
            [Example(f"clip-{i}", {"video": clip(split, i)}) for i in range(len(ids))]
            if task == "search"
            else []
        )
        return EvaluationSet(
            f"{task}@{self.name}:{protocol}",
            split,
            examples,
            targets,
            clusters,
            gallery,
            self.spaces,
            {"chance": 0.25},
        )

    def read(self, modality: str, clip: Clip) -> Any:
        self.reads += 1
        split, _, index = clip.video.partition("-")
        spec = self.features[modality]
        rows = max(1, round((clip.end_s - clip.start_s) * spec.rate_hz)) if clip.end_s else 4
        noise = np.random.default_rng(int(index) + 1000 * len(split)).normal(size=(rows, spec.dim))
        noise[:, label(split, int(index)) % spec.dim] += 2.0 + self.shift
        return noise.astype(np.float16)

    def film_strip(self, clip: Clip, frames: int = 6) -> bytes | None:
        return b"\xff\xd8 a strip of " + clip.video.encode()


def label(split: str, index: int) -> int:
    return (index * 7 + len(split)) % 4


def clip(split: str, index: int) -> Clip:
    return Clip(f"{split}-{index}", 0.0, 2.0 + index % 4)


def sentence(split: str, index: int) -> tuple[str, ...]:
    return ("a", COLOURS[label(split, index)], "thing") + ("again",) * (index % 3)


class Labels(Task):
    """A colour's score for each of four."""

    name, title, summary = "labels", "Labels", "Which colour?"
    inputs = {"video": Field("video", "clip")}
    prediction = {"scores": Column("array", "(4,)")}
    protocols = {"plain": "all of them"}

    def metrics(self, protocol: str) -> tuple[Metric, ...]:
        return (Metric("accuracy", "Acc"),)

    def validate(self, predictions: Any, evaluation: EvaluationSet) -> None:
        check_ids(predictions, evaluation.ids)
        as_array(predictions, "scores", (4,))

    def measure(self, predictions: Any, evaluation: EvaluationSet) -> ScoreSheet:
        at = {name: k for k, name in enumerate(predictions.ids)}
        hits = [
            float(np.argmax(predictions.columns["scores"][at[i]]) == evaluation.targets[i]["label"])
            for i in evaluation.ids
        ]
        return ScoreSheet.build(evaluation.ids, evaluation.clusters, {"hit": hits})

    def aggregate(self, sheet: ScoreSheet, weights: Any) -> dict[str, Any]:
        return {"accuracy": weighted_mean(sheet.columns["hit"], sheet.row_weights(weights))}

    def ceilings(self, evaluation: EvaluationSet) -> dict[str, Any]:
        from reelbench.predictions import Predictions

        scores = np.eye(4, dtype=np.float32)[[evaluation.targets[i]["label"] for i in evaluation.ids]]
        return {"oracle": Predictions(evaluation.ids, {"scores": scores})}

    def example_scores(self, sheet: ScoreSheet) -> Any:
        return sheet.columns["hit"]

    def show(self, example: Any, targets: Any, prediction: Any, evaluation: EvaluationSet) -> dict[str, str]:
        return {
            "Answer": COLOURS[targets["label"]],
            "Predicted": COLOURS[int(np.argmax(prediction["scores"]))],
        }


class Search(Task):
    """Sentences to clips."""

    name, title, summary, pairwise = "search", "Search", "Which clip?", True
    inputs = {"query": Field("text", "words"), "video": Field("video", "clip")}
    prediction = {"scores": Column("matrix", "(Q, G)")}
    protocols = {"plain": "all of them"}

    def metrics(self, protocol: str) -> tuple[Metric, ...]:
        return (Metric("median_rank", "MedR", direction="lower", high=float("inf"), percent=False),)

    def validate(self, predictions: Any, evaluation: EvaluationSet) -> None:
        check_ids(predictions, evaluation.ids)
        as_array(predictions, "scores", (len(evaluation.gallery),))

    def measure(self, predictions: Any, evaluation: EvaluationSet) -> ScoreSheet:
        scores, column = predictions.columns["scores"], {g: k for k, g in enumerate(predictions.gallery_ids)}
        own = [column[evaluation.targets[i]["match"]] for i in predictions.ids]
        ranks = [(scores[k] > scores[k, c]).sum() + 1 for k, c in enumerate(own)]
        return ScoreSheet.build(predictions.ids, evaluation.clusters, {"rank": ranks})

    def aggregate(self, sheet: ScoreSheet, weights: Any) -> dict[str, Any]:
        return {"median_rank": np.asarray([np.median(sheet.columns["rank"])] * len(weights), dtype=float)}


class Words(Labels):
    """The colour as a word."""

    name = "words"
    prediction = {"word": Column("text", "a colour")}

    def validate(self, predictions: Any, evaluation: EvaluationSet) -> None:
        check_ids(predictions, evaluation.ids)
        if unknown := set(predictions.columns["word"]) - set(COLOURS):
            raise PredictionError(f"no such colour: {sorted(unknown)[0]!r}")

    def measure(self, predictions: Any, evaluation: EvaluationSet) -> ScoreSheet:
        said = dict(zip(predictions.ids, predictions.columns["word"], strict=True))
        hits = [float(said[i] == COLOURS[evaluation.targets[i]["label"]]) for i in evaluation.ids]
        return ScoreSheet.build(evaluation.ids, evaluation.clusters, {"hit": hits})

    def example_scores(self, sheet: ScoreSheet) -> Any:
        raise NotImplementedError


TASKS: dict[str, Task] = {t.name: t for t in (Labels(), Search(), Words())}


class Painter(Method):
    """Names colours and finds clips by sentences. Source: the tests."""

    name = "painter"
    modalities = ("look",)
    recipes = {
        "colours": Recipe(
            serves=("labels", "search", "words"),
            phases=(Phase(name="main", relation="colours", epochs=3, batch_size=8),),
        )
    }

    class Config(Config):
        hidden: int = 16
        dropout: float = 0.2

    def assets(self, source: Any, config: Any, recipe: str) -> dict[str, Any]:
        relation = source.relation("colours")
        rows = np.concatenate([source.read(e["video"])["look"] for e in relation])
        return {
            "vocabulary": Vocabulary.from_sentences(e["sentence"] for e in relation),
            "mean": rows.mean(axis=0),
        }

    def build(self, data: Any, config: Any) -> Any:
        from toy_model import PainterModel

        return PainterModel(data.dim("look"), len(data.assets["vocabulary"]), config.hidden, config.dropout)

    def prepare(self, example: Example, ctx: Any) -> Example:
        fields = dict(example.fields)
        for name in {"sentence", "query"} & set(fields):
            fields[name] = ctx.data.assets["vocabulary"].encode(fields[name])
        if ctx.training and "video" in fields:
            fields["video"] = {
                "look": fields["video"]["look"] + ctx.rng.normal(scale=0.1, size=(1, 8)).astype(np.float32)
            }
        return Example(example.id, fields, example.targets)

    def training_step(self, module: Any, batch: Any, ctx: Any) -> Any:
        return module.loss(batch["video"]["look"], batch["sentence"], batch.targets["label"])

    def predict_step(self, module: Any, batch: Any, ctx: Any) -> dict[str, Any]:
        scores = module.scores(batch["video"]["look"])
        if ctx.task == "words":
            return {"word": [COLOURS[i] for i in scores.argmax(dim=1).tolist()]}
        return {"scores": scores}

    def encode_query(self, module: Any, batch: Any, ctx: Any) -> Any:
        return {"text": module.read(batch["query"])}

    def encode_gallery(self, module: Any, batch: Any, ctx: Any) -> Any:
        return module.watch(batch["video"]["look"])

    def score(self, module: Any, query: Any, gallery: Any, ctx: Any) -> Any:
        return query["text"] @ gallery.T


def fit_spec(method: Method, recipe: str = "colours", **changes: Any) -> dict[str, Any]:
    """A fit stage's specification."""
    from dataclasses import asdict

    shared = {
        "method": method.name, "title": method.name, "role": "method", "variant": "full", "recipe": recipe, "preset": "tiny", "label": "l", "family": "f",
        "fingerprint": "0" * 64, "deterministic": False, "config": {}, "origins": {}, "phases": [asdict(p) for p in method.recipes[recipe].phases],
        "dataset": "toy", "features": list(method.modalities), "seed": 0, "device": "cpu", "precision": "32-true", "upstream": [],
        "limits": {"seconds": None, "memory_bytes": None}, "validation": [],
    }  # fmt: skip
    return {**shared, **changes}


def predict_spec(method: Method, task: str = "labels", **changes: Any) -> dict[str, Any]:
    """A predict stage's specification."""
    where = {
        "benchmark": f"{task}@toy:plain",
        "task": task,
        "protocol": "plain",
        "split": "test",
        "settings": {},
    }
    return {**fit_spec(method, recipe=next(iter(method.recipes))), **where, **changes}


def phase_of(method: Method, **changes: Any) -> list[dict[str, Any]]:
    """The toy recipe's phase, changed, as a specification has it."""
    from dataclasses import asdict

    return [{**asdict(p), **changes} for p in method.recipes["colours"].phases]


VALIDATION = [{"phase": "main", "benchmark": "labels@toy:plain", "task": "labels", "protocol": "plain"}]


def quiet(event: str, payload: Any) -> None:
    """An ``emit`` that nobody hears."""


def fit(
    method: Method,
    folder: Path,
    *,
    emit: Any = quiet,
    upstream: dict[str, Path] | None = None,
    datasets: dict[str, Dataset] | None = None,
    ups: Any = (),
    **changes: Any,
) -> dict[str, Any]:
    """Train a toy fit; ``ups`` are the specifications of what lies in ``upstream``."""
    import torch

    from reelbench.training import run_fit

    torch.set_num_threads(1)
    opened = {"toy": ToyDataset(), **(datasets or {})}
    spec = fit_spec(method, **changes, upstream=list(ups))
    return run_fit(
        spec,
        method=method,
        open_dataset=opened.__getitem__,
        task_of=TASKS.__getitem__,
        upstream=upstream or {},
        folder=folder,
        emit=emit,
    )


def predict(
    method: Method | None,
    fits: list[Path],
    folder: Path,
    *,
    task: str = "labels",
    dataset: Dataset | None = None,
    **changes: Any,
) -> Any:
    """Predict with toy fits; the predictions."""
    from reelbench.evaluation import run_predict
    from reelbench.predictions import Predictions

    spec = predict_spec(method or Painter(), task, **changes)
    run_predict(
        spec,
        method=method,
        dataset=dataset or ToyDataset(),
        task=TASKS[task],
        fits=fits,
        folder=folder,
        emit=quiet,
    )
    return Predictions.load(folder)
