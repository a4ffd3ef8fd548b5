"""What ``--reuse=compatible`` took from runs that the plan itself would have made otherwise, and in what they differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reelbench.stages import Stage

UNDER = "under --reuse=compatible"


@dataclass(frozen=True)
class Reused:
    """A recorded stage that stands for a planned one though its fingerprint is another, or leaves versions and device out.

    Attributes
    ----------
    fingerprint, family
        The recorded stage's own.
    differs
        In what it differs from what would be made here: ``torch 2.11.0 (here 2.13.0)``, ``on cuda (here cpu)``; ``UNDER``
        alone where only the stages that it was made from may differ. Empty where nothing does.
    """

    fingerprint: str
    family: str
    differs: tuple[str, ...]


def reused_stage(stage: Stage, record: Mapping[str, Any]) -> Reused | None:
    """What a record that was found for a stage differs in; ``None`` in a plan that reuses equal fingerprints only."""
    if not stage.is_relaxed:
        return None
    own = tuple(_differences(stage.spec, record))
    may_differ = record["fingerprint"] != stage.spec["exact"] and stage.all_needs()
    return Reused(record["fingerprint"], record["family"], own or ((UNDER,) if may_differ else ()))


def reuse_lines(reused: Iterable[Reused]) -> list[str]:
    """A line for each distinct difference, the most frequent first."""
    counts = Counter(r.differs for r in reused if r.differs)
    return [
        f"reused although versions or device {'may differ' if differs == (UNDER,) else 'differ'}: "
        f"{n} {'stage' if n == 1 else 'stages'}, recorded {_phrase(differs)}"
        for differs, n in counts.most_common()
    ]


def _differences(here: Mapping[str, Any], record: Mapping[str, Any]) -> Iterator[str]:
    recorded = record["versions"]
    for name, version in sorted(here["versions"].items()):
        if recorded.get(name, version) != version:
            yield f"{name} {recorded[name]} (here {version})"
    if (device := record["hardware"]["device"]) != here["device"]:
        yield f"on {device} (here {here['device']})"
    if (precision := record.get("precision", here["precision"])) != here["precision"]:
        yield f"in {precision} (here {here['precision']})"


def _phrase(differs: tuple[str, ...]) -> str:
    """``with torch 2.11.0 (here 2.13.0), on cuda (here cpu)``: versions first."""
    text = ", ".join(differs)
    return text if differs[0].startswith(("on ", "in ", UNDER)) else f"with {text}"
