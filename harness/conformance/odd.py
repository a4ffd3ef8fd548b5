"""Inputs at the edge, made of a split's own: a clip of one frame, the longest, text without a word or of unknown ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reelbench.conformance.excerpt import EXAMPLES, cut
from reelbench.data import Clip, Example
from reelbench.examples import has_clips, length_of

if TYPE_CHECKING:
    from reelbench.data import EvaluationSet, Field

NO_WORDS = "no words"
UNKNOWN = "zzyzx"
MARKERS = ("_", "[", "<")
"""How a token starts that is no word. Other fields say where it stands, so a text with one is never emptied."""
Odd = dict[str, Example]


def odd_set(evaluation: EvaluationSet, inputs: Mapping[str, Field], rate_hz: float) -> EvaluationSet:
    """An evaluation set of odd examples, whose ids say what is odd, with the answers of those they were made of."""
    kinds = _odd(evaluation.examples, inputs, rate_hz)
    asked = replace(
        evaluation,
        examples=[replace(e, id=kind) for kind, e in kinds.items()],
        targets={kind: evaluation.targets[e.id] for kind, e in kinds.items() if e.id in evaluation.targets},
        clusters={kind: evaluation.clusters[e.id] for kind, e in kinds.items()},
    )
    against = _odd(evaluation.gallery, inputs, rate_hz) if evaluation.gallery else {}
    small = cut(asked, EXAMPLES)
    return replace(small, gallery=[*small.gallery, *(replace(e, id=kind) for kind, e in against.items())])


def _odd(examples: Sequence[Example], inputs: Mapping[str, Field], rate_hz: float) -> Odd:
    """What is odd → the example."""
    first = examples[0]
    texts = [n for n, field in inputs.items() if field.kind == "text" and n in first.fields]
    made = {
        "as it is": first,
        NO_WORDS: _with_texts(first, texts, _emptied),
        "unknown words": _with_texts(first, texts, _unknown),
        "longest": max(examples, key=lambda e: length_of(e, rate_hz)),
    }
    if rate_hz and has_clips(first) and not any(n in inputs and inputs[n].placed for n in first.fields):
        made["one frame"] = first.with_fields(
            **{n: _shortened(v, 1 / rate_hz) for n, v in first.fields.items()}
        )
    return {kind: e for kind, e in made.items() if kind == "as it is" or e is not first}


def _shortened(value: Any, seconds: float) -> Any:
    if isinstance(value, Clip):
        return Clip(value.video, value.start_s, value.start_s + seconds)
    return [_shortened(v, seconds) for v in value] if isinstance(value, list) else value


def _with_texts(example: Example, names: Iterable[str], change: Callable[[str, Any, Any], Any]) -> Example:
    """The example with every text changed, and what goes with it (``x_pos``, ``x_head``)."""
    changed = {
        field: _each(change, field.removeprefix(name), example[field], example[name])
        for name in names
        for field in (name, f"{name}_pos", f"{name}_head")
        if field in example.fields
    }
    same = all(changed[field] == example[field] for field in changed)
    return example if same else example.with_fields(**changed)


def _each(change: Callable[[str, Any, Any], Any], suffix: str, value: Any, text: Any) -> Any:
    """A text changed; of a list of texts the first, since a whole list of nothing is no input."""
    if isinstance(text, tuple):
        return change(suffix, value, text)
    return [change(suffix, value[0], text[0]), *value[1:]] if text else value


def _emptied(suffix: str, value: Any, text: tuple[str, ...]) -> Any:
    return value if any(t.startswith(MARKERS) for t in text) else value[:0]


def _unknown(suffix: str, value: Any, text: tuple[str, ...]) -> Any:
    return value if suffix else tuple(t if t.startswith(MARKERS) else UNKNOWN for t in text)
