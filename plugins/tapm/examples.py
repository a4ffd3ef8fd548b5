"""Examples as TAPM reads them: clips in equal segments, sentences as numbers, unlabelled clips among their neighbours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reelbench.data import Example
from reelbench.plugins.layers.equal_segments import equal_segments
from reelbench.plugins.tapm.tokens import tokens_of

if TYPE_CHECKING:
    from reelbench.data import Relation
    from reelbench.method import Context


def prepared(example: Example, ctx: Context) -> Example:
    """Lists with an entry a clip (or a sentence of a text): ``segments`` ``(M, D)``, ``words`` ``(T,)`` between marks."""
    fields: dict[str, Any] = {name: example[name] for name in ("content",) if name in example.fields}
    if videos := _listed(example.fields, "videos", "video"):
        fields["segments"] = [equal_segments(v, ctx.data.features, ctx.config.segments) for v in videos]
    if sentences := _sentences(example):
        tokens = tokens_of(ctx.config, ctx.data.assets)
        fields["words"] = [tokens.encode(words, ctx.config.max_words) for words in sentences]
    return Example(example.id, fields, example.targets)


def consecutive(clips: Relation) -> dict[str, list[int]]:
    """Clip's id → where the clips of its video stand in the relation, in order of time."""
    of_video: dict[str, list[int]] = defaultdict(list)
    for place, clip in enumerate(clips):
        of_video[clip["video"].video].append(place)
    ordered = {v: sorted(places, key=lambda i: clips[i]["video"].start_s) for v, places in of_video.items()}
    return {clip.id: ordered[clip["video"].video] for clip in clips}


def with_neighbours(clips: Relation, places: Sequence[int]) -> Example:
    """Single clips as one example of consecutive ones, with captions where an upstream fit gave them some."""
    rows = [clips[i] for i in places]
    captions = [(row.targets or {}).get("caption") for row in rows]
    told = {"captions": captions} if None not in captions else None
    return Example(rows[0].id, {"videos": [row["video"] for row in rows]}, told)


def _sentences(example: Example) -> Sequence[Sequence[str]]:
    """What is told: a relation's sentences, or captions that an upstream fit predicted."""
    told = _listed(example.targets or {}, "captions", "caption")
    return [caption.split() for caption in told] or _listed(example.fields, "sentences", "sentence")


def _listed(values: Mapping[str, Any], several: str, one: str) -> list[Any]:
    """A list, or a list of a single value, whichever is there."""
    return values[several] if several in values else [values[one]] if one in values else []
