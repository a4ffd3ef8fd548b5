"""A bound family: one clip of each of its five stories side by side, and which sentence is right for which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reelbench.dataset import Dataset
from reelbench.tasks.datasets.microworld.page.cast import Character, characters
from reelbench.tasks.datasets.microworld.page.choosing import Shown
from reelbench.tasks.datasets.microworld.page.take import Take
from reelbench.tasks.datasets.microworld.page.timeline import ListedAct, Row, clip_rows, listed_acts
from reelbench.tasks.datasets.microworld.page.words import Run, told_runs
from reelbench.tasks.datasets.microworld.script import Act, Event
from reelbench.tasks.datasets.microworld.world import HEARD_ONLY, PLACES

STRIP_FRAMES = 3


@dataclass(frozen=True)
class Member:
    """A story's clip, its sentence, and for which of the five clips that sentence is right."""

    letter: str
    strip: str
    sound: str
    rows: tuple[Row, ...]
    acts: tuple[ListedAct, ...]
    sentence: tuple[Run, ...]
    right_for: tuple[bool, ...]


@dataclass(frozen=True)
class Bound:
    """The five side by side."""

    clip: int
    place: str
    people: tuple[Character, ...]
    members: tuple[Member, ...]


def bound_view(dataset: Dataset, family: Sequence[Shown]) -> Bound:
    """A clip of a bound family, one that needs no ear if there is one."""
    clip = _visible_clip(family)
    events = [shown.script.events[clip] for shown in family]
    takes = [Take(dataset, shown) for shown in family]
    members = [_member(take, clip, events, k) for k, take in enumerate(takes)]
    people = characters(family[0].script, takes[0].portraits())
    return Bound(clip + 1, PLACES[events[0].place].name, tuple(people), tuple(members))


def _visible_clip(family: Sequence[Shown]) -> int:
    for clip in range(len(family[0].script.events)):
        if not any(shown.script.events[clip].act.deed.verb in HEARD_ONLY for shown in family):
            return clip
    return 0


def _member(take: Take, clip: int, events: Sequence[Event], k: int) -> Member:
    shown, event = take.shown, events[k]
    return Member(
        "ABCDE"[k],
        take.strip(event, STRIP_FRAMES),
        take.spectrogram(clip),
        tuple(clip_rows(shown.script, event)),
        tuple(listed_acts(shown.script, event)),
        told_runs(shown.record.captions(clip)[0], event.act),
        tuple(_happens(event.act, other) for other in events),
    )


def _happens(act: Act, event: Event) -> bool:
    """Whether the same person does the same in a clip."""
    done = (act.actor, act.deed, act.recipient)
    return done in [(other.actor, other.deed, other.recipient) for other in event.acts]
