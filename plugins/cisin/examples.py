"""Sets as CiSIN reads them, and what it computes of training data. Numpy only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from reelbench.data import Example
from reelbench.plugins.cisin.tracks import bodies_of, metadata, owners_of, representatives, rows_of
from reelbench.plugins.cisin.words import text_fields
from reelbench.plugins.layers.frames import MOMENT_CLIPS, moments_of
from reelbench.plugins.layers.word_vectors import cooccurrence_vectors
from reelbench.plugins.layers.words import training_vocabulary

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reelbench.method import Context
    from reelbench.plugins.cisin.method import CiSINConfig, TextSizes
    from reelbench.training.source import TrainingSource


def prepare(example: Example, ctx: Context) -> Example:
    """Words and tracks as arrays; targets, and the genders that training has, as they are."""
    fields = {**text_fields(example, ctx), **track_fields(example, ctx)}
    if "genders" in example.fields:
        fields["genders"] = np.asarray(example["genders"], dtype=np.int64)
    return Example(example.id, fields, example.targets)


def track_fields(example: Example, ctx: Context) -> dict[str, NDArray[Any]]:
    """Rows ``face``, ``motion`` and their ``row_track`` ``(R, ...)``; ``box``, ``points`` and the rest ``(K, ...)``."""
    config: CiSINConfig = ctx.config
    tracks, clips = example["tracks"], np.asarray(example["track_clip"], dtype=np.int64)
    rows, owners = rows_of(tracks, {m: ctx.data.features[m] for m in config.modalities}), owners_of(tracks)
    bodies = bodies_of(rows, config)
    chosen = representatives(owners, bodies.boxes, len(clips))
    return {
        "face": rows[config.face],
        "motion": np.concatenate([rows[m] for m in config.motion_features], axis=1),
        "row_track": owners,
        "box": rows[config.box][chosen],
        "points": bodies.points[chosen],
        "visible": bodies.visible[chosen],
        "metadata": metadata(owners, bodies.boxes, chosen, clips),
        "track_clip": clips,
    }


def text_assets(source: TrainingSource, config: TextSizes) -> Mapping[str, Any]:
    """The vocabulary of training sets; with ``word_vectors`` also vectors of its words from the relation ``text``."""
    if config.pretrained:
        return {}
    vocabulary = training_vocabulary(source, "sets", "sentences", config.min_count)
    if not config.word_vectors:
        return {"vocabulary": vocabulary}
    told = (sentence for example in source.relation("text") for sentence in example["sentences"])
    return {
        "vocabulary": vocabulary,
        "word_vectors": cooccurrence_vectors(told, vocabulary, config.text_width),
    }


def track_assets(source: TrainingSource, config: CiSINConfig) -> Mapping[str, Any]:
    """Moments of each kind of row over some training tracks; the number and width of body points."""
    clips = [clip for example in source.relation("sets") for clip in example["tracks"]]
    chosen = source.rng.permutation(len(clips))[:MOMENT_CLIPS]
    rows = rows_of([source.read(clips[i], track=True) for i in chosen], source.features)
    points = bodies_of(rows, config).points
    kinds = {
        "face": rows[config.face],
        "box": rows[config.box],
        "motion": np.concatenate([rows[m] for m in config.motion_features], axis=1),
        "points": points.reshape(-1, points.shape[-1]),
    }
    return {
        "moments": {name: moments_of(values) for name, values in kinds.items()},
        "points": list(points.shape[1:]),
    }
