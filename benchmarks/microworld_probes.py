"""Can a linear classifier read from microworld's features what the claims need? Prints a table of held-out accuracies.

    python benchmarks/microworld_probes.py [SIZE] [--stories N]

Each probe is a logistic regression on features pooled over an act's own frames, or over a track; a quarter of the
families is held out. DESIGN.md asks for more than 90 % of each attribute that a claim uses. Run by people, not by the
tests; 400 stories take about two minutes on one core.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from reelbench.tasks.datasets.microworld.film import film
from reelbench.tasks.datasets.microworld.people import Track, list_tracks
from reelbench.tasks.datasets.microworld.props import halfway
from reelbench.tasks.datasets.microworld.script import NOBODY, Act, Event, Story, holder_after
from reelbench.tasks.datasets.microworld.sizes import FAMILY, Corpus, parse_path
from reelbench.tasks.datasets.microworld.sprites import POSE
from reelbench.tasks.datasets.microworld.staging import RENDERINGS, Stage, stage_story
from reelbench.tasks.datasets.microworld.vision import MAP_STRIDE
from reelbench.tasks.datasets.microworld.world import HEARD_ONLY, VERBS
from reelbench.tasks.datasets.microworld.writing import write_story

HELD_OUT = 4  # one family of so many
GIFT_SEARCH = 700
Rows = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Seen:
    """An act, or a person's track where ``track`` is given, with the features of its video."""

    index: int
    story: Story
    event: Event
    stage: Stage
    features: Rows
    act: Act | None = None
    track: Track | None = None


@dataclass(frozen=True)
class Probe:
    """What is read, from what; ``answer`` is ``None`` where the question does not arise."""

    name: str
    answer: Callable[[Seen], object]
    inputs: Callable[[Seen], NDArray[np.float32]]
    tracks: bool = False
    gifts: bool = False
    """Whether it is asked of stories too that are there only because something is given in them, which is rare."""


def pooled(*modalities: str, part: str = "whole") -> Callable[[Seen], NDArray[np.float32]]:
    """Mean and maximum over the frames of an act or its half; of maps also what changed from its start to its end."""

    def inputs(seen: Seen) -> NDArray[np.float32]:
        assert seen.act is not None
        parts = []
        for modality in modalities:
            stride = MAP_STRIDE if modality.startswith("spatial") else 1
            begins = halfway(seen.act) + 1 if part == "second half" else seen.act.first
            ends = halfway(seen.act) if part == "first half" else seen.act.last + 1
            first, last = begins // stride, ends // stride
            rows = seen.features[modality][first:last].astype(np.float32).reshape(last - first, -1)
            parts += [rows.mean(axis=0), rows.max(axis=0)]
            if stride > 1:
                parts.append(rows[-1] - rows[0])
        return np.concatenate(parts)

    return inputs


def around_actor(seen: Seen) -> NDArray[np.float32]:
    """What maps show in the three by three cells at the actor, as somebody sees who looks there."""
    act, maps = act_of(seen), []
    for row in range(act.first // MAP_STRIDE + 1, (act.last + 1) // MAP_STRIDE):
        x, y = (seen.stage.people_xy[act.actor, row * MAP_STRIDE] + np.array((8, 12))) // 12
        padded = np.pad(seen.features["spatial"][row], ((2, 2), (2, 2), (0, 0)), "edge")
        maps.append(padded[y + 1 : y + 4, x + 1 : x + 4].astype(np.float32).ravel())
    return np.concatenate([np.mean(maps, axis=0), np.max(maps, axis=0), np.min(maps, axis=0)])


def of_track(*modalities: str, rows: Callable[[NDArray[Any]], NDArray[Any]]) -> Any:
    """Some rows of a track's features, as one vector."""
    return lambda seen: np.concatenate([rows(seen.features[m].astype(np.float32)) for m in modalities])


def mean(rows: NDArray[Any]) -> NDArray[Any]:
    return rows.mean(axis=0)


def looks(seen: Seen, kind: str) -> object:
    """Whether a track's person is seen from the front, from behind, or half."""
    assert seen.track is not None
    first = seen.event.first
    x = seen.stage.people_xy[seen.track.person, first, 0]
    turned = (seen.stage.pose[seen.track.person, seen.event.first : seen.event.last] == POSE["back"]).all()
    return kind == ("turned" if turned else "cropped" if x < 0 or x > 68 else "front")


def person_probe(name: str, kind: str, *modalities: str) -> Probe:
    def answer(seen: Seen) -> object:
        assert seen.track is not None
        person = seen.event.looks[seen.track.person]
        of = {"shirt": person.shirt, "gender": person.gender, "face": (person.skin, person.hair)}
        return of[name] if looks(seen, kind) else None

    return Probe(f"person's {name} ({kind})", answer, of_track(*modalities, rows=mean), tracks=True)


def act_of(seen: Seen) -> Act:
    assert seen.act is not None
    return seen.act


def _verb(seen: Seen) -> object:
    verb = act_of(seen).deed.verb
    return HEARD_ONLY[0] if verb in HEARD_ONLY else verb


def _partner(seen: Seen, person: int) -> object:
    """The shirt of somebody who gives or gets."""
    return seen.event.looks[person].shirt if act_of(seen).recipient != NOBODY else None


def _holds(seen: Seen, *, end: bool) -> object:
    """Whether a track is the treasure's holder when the clip starts or ends."""
    assert seen.track is not None
    if not seen.event.treasure_seen:
        return None
    return (holder_after(seen.event) if end else seen.event.holder) == seen.track.person


def _recipient(seen: Seen) -> object:
    """In clips in which something is given: who of the others gets it."""
    assert seen.track is not None
    gift = next((act for act in seen.event.acts if act.recipient != NOBODY), None)
    if gift is None or len(seen.event.visible) < 3 or seen.track.person == gift.actor:
        return None
    return gift.recipient == seen.track.person


def _is_acting(seen: Seen) -> object:
    assert seen.track is not None
    return any(act.actor == seen.track.person for act in seen.event.acts)


PROBES = (
    Probe("verb (sing, shout, whistle as one)", _verb, pooled("motion", "appearance", "audio")),
    Probe("verb (sing, shout, whistle as one), pixels only", _verb, pooled("motion")),
    Probe(
        "sing, shout or whistle, audio",
        lambda s: act_of(s).deed.verb if act_of(s).deed.verb in HEARD_ONLY else None,
        pooled("audio"),
    ),
    Probe(
        "sing, shout or whistle, pixels (chance wanted)",
        lambda s: act_of(s).deed.verb if act_of(s).deed.verb in HEARD_ONLY else None,
        pooled("motion"),
    ),
    Probe(
        "whose voice",
        lambda s: s.event.looks[act_of(s).actor].voice if act_of(s).deed.verb in HEARD_ONLY else None,
        pooled("audio"),
    ),
    Probe("direction", lambda s: act_of(s).deed.direction or None, pooled("motion")),
    Probe(
        "manner",
        lambda s: act_of(s).deed.manner if VERBS[act_of(s).deed.verb].mannered else None,
        pooled("motion", "audio"),
    ),
    Probe("thing handled", lambda s: act_of(s).deed.thing or None, pooled("motion")),
    Probe("actor's shirt", lambda s: s.event.looks[act_of(s).actor].shirt, pooled("motion")),
    Probe("actor's gender", lambda s: s.event.looks[act_of(s).actor].gender, pooled("motion")),
    Probe("place", lambda s: s.event.place, pooled("appearance")),
    Probe("verb, from the maps around the actor", _verb, around_actor),
    Probe(
        "direction, from the maps around the actor", lambda s: act_of(s).deed.direction or None, around_actor
    ),
    Probe("thing, from the maps around the actor", lambda s: act_of(s).deed.thing or None, around_actor),
    Probe(
        "shirt, from the maps around the actor", lambda s: s.event.looks[act_of(s).actor].shirt, around_actor
    ),
    Probe(
        "gender, from the maps around the actor",
        lambda s: s.event.looks[act_of(s).actor].gender,
        around_actor,
    ),
    Probe(
        "giver's shirt",
        lambda s: _partner(s, act_of(s).actor),
        pooled("motion", part="first half"),
        gifts=True,
    ),
    Probe(
        "recipient's shirt",
        lambda s: _partner(s, act_of(s).recipient),
        pooled("motion", part="second half"),
        gifts=True,
    ),
    Probe(
        "holder at the start",
        lambda s: _holds(s, end=False),
        of_track("person_look", rows=lambda r: r[0]),
        True,
    ),
    Probe(
        "holder at the end",
        lambda s: _holds(s, end=True),
        of_track("person_look", rows=lambda r: r[-1]),
        True,
    ),
    Probe("recipient", _recipient, of_track("person_look", rows=lambda r: r[-1] - r[0]), True, True),
    Probe(
        "acts in the clip",
        _is_acting,
        of_track("person_body", rows=lambda r: np.concatenate([r.mean(axis=0), r.max(axis=0)])),
        True,
    ),
    person_probe("shirt", "front", "person_look"),
    person_probe("shirt", "turned", "person_look"),
    person_probe("shirt", "cropped", "person_look"),
    person_probe("gender", "front", "person_look"),
    person_probe("gender", "turned", "person_look"),
    person_probe("face", "front", "person_face"),
    person_probe("face", "cropped", "person_face"),
    person_probe("face", "turned", "person_face"),
)


def list_gifts(corpus: Corpus, first: int) -> list[int]:
    """Further stories in which something is given."""
    stories = ((index, write_story(corpus, "train", index)) for index in range(first, first + GIFT_SEARCH))
    return [i for i, story in stories if any(act.recipient != NOBODY for e in story.events for act in e.acts)]


def watch_acts(corpus: Corpus, indices: Iterable[int]) -> Iterator[Seen]:
    """Every act and every track of some training stories."""
    for index in indices:
        story, features = write_story(corpus, "train", index), film(corpus, "train", index)
        for rendering in RENDERINGS:
            stage = stage_story(corpus, story, rendering)
            video = {m: rows[stage.name] for m, rows in features.items() if stage.name in rows}
            for event in story.events:
                yield from (Seen(index, story, event, stage, video, act=act) for act in event.acts)
            for track in list_tracks(corpus, story, rendering):
                regions = {m: rows[track.id] for m, rows in features.items() if track.id in rows}
                yield Seen(index, story, story.events[track.clip], stage, regions, track=track)


def accuracy(probe: Probe, seen: list[Seen]) -> tuple[float, float, int]:
    """(held-out accuracy, that of the most frequent answer, number of held-out examples)."""
    answered = [
        (s, a) for s in seen if (s.track is not None) == probe.tracks and (a := probe.answer(s)) is not None
    ]
    names = sorted({str(a) for _, a in answered})
    x = np.stack([probe.inputs(s) for s, _ in answered])
    y = np.array([names.index(str(a)) for _, a in answered])
    held = np.array([s.index // FAMILY % HELD_OUT == HELD_OUT - 1 for s, _ in answered])
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.05, max_iter=150))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # not converged: good enough for a probe
        model.fit(x[~held], y[~held])
    most = np.bincount(y[~held]).argmax()
    return float((model.predict(x[held]) == y[held]).mean()), float((y[held] == most).mean()), int(held.sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("size", nargs="?", default="smoke")
    parser.add_argument("--stories", type=int, default=400)
    parser.add_argument("--only", default="", help="probes whose name has this in it")
    arguments = parser.parse_args()
    began = time.perf_counter()
    corpus = parse_path(arguments.size)
    seen = list(watch_acts(corpus, range(arguments.stories)))
    probes = [probe for probe in PROBES if arguments.only in probe.name]
    rare = list_gifts(corpus, arguments.stories) if any(probe.gifts for probe in probes) else []
    gifts = list(watch_acts(corpus, rare))
    print(f"{len(seen) + len(gifts)} acts and tracks in {time.perf_counter() - began:.0f} s")
    print(f"{'attribute':50} accuracy  majority  held out")
    for probe in probes:
        right, majority, count = accuracy(probe, seen + gifts * probe.gifts)
        print(f"{probe.name:50} {right:8.1%}  {majority:8.1%}  {count:8}", flush=True)


if __name__ == "__main__":
    main()
