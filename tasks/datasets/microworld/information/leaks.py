"""Leaks: nothing can be read from ids, order or lengths. A naive Bayes classifier is trained on these alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reelbench.data import Clip
from reelbench.tasks.datasets.microworld.information.questions import Asked, ask, questions, target
from reelbench.tasks.datasets.microworld.information.rows import Item, Shortcut
from reelbench.tasks.datasets.microworld.information.worlds import World
from reelbench.tasks.datasets.microworld.records import StoryRecord
from reelbench.tasks.datasets.microworld.script import FRAMES_PER_SECOND

Logs = NDArray[np.float64]
Case = tuple[str, Sequence[Hashable], Hashable]
"""(family, what a file's name, place and length give away, what must not be read from it)."""
Cases = Callable[[Sequence[StoryRecord]], Iterable[Case]]
ORDER_BINS = 10
ID_DIGITS = 7
"""Digits of an id that are looked at."""


@dataclass(frozen=True)
class Bayes:
    """Naive Bayes over features with few values, add-one smoothed."""

    classes: list[Hashable]
    priors: Logs
    likelihoods: dict[tuple[int, Hashable], Logs]
    """(feature, value) → log of how probable it is, one a class."""

    @classmethod
    def learn(cls, cases: Sequence[Case]) -> Bayes:
        """Count."""
        number = {answer: i for i, answer in enumerate(dict.fromkeys(answer for _, _, answer in cases))}
        totals, counts = np.zeros(len(number)), dict[tuple[int, Hashable], Logs]()
        for _, features, answer in cases:
            totals[number[answer]] += 1
            for key in enumerate(features):
                counts.setdefault(key, np.zeros(len(number)))[number[answer]] += 1
        values = Counter(feature for feature, _ in counts)
        logs = {key: np.log((count + 1) / (totals + values[key[0]])) for key, count in counts.items()}
        return cls(list(number), np.log(totals), logs)

    def guess(self, features: Sequence[Hashable]) -> Hashable:
        """The most probable class; a value that training has not says nothing."""
        known = (self.likelihoods[key] for key in enumerate(features) if key in self.likelihoods)
        return self.classes[int(sum(known, self.priors).argmax())]


def score(train: Sequence[Case], test: Sequence[Case]) -> Iterator[Item]:
    """Train and test; chance is what the same guesses get where they have nothing to do with the answers."""
    bayes = Bayes.learn(train)
    frequency = Counter(answer for _, _, answer in test)
    for family, features, answer in test:
        guess = bayes.guess(features)
        yield Item(family, 1.0, float(guess == answer), frequency[guess] / len(test))


def read(cases: Cases) -> Callable[[World], Iterator[Item]]:
    """What naive Bayes reads from the records."""

    def measure(world: World) -> Iterator[Item]:
        yield from score(list(cases(world.train_records)), list(cases(world.test_records)))

    return measure


def names_and_lengths(answer: Callable[[StoryRecord, int], Hashable]) -> Cases:
    """Clips: the digits of their video's id, their place in the listing, when they begin and how long they are."""

    def cases(records: Sequence[StoryRecord]) -> Iterator[Case]:
        for order, record in enumerate(records):
            story = [*record.id, record.shown, order * ORDER_BINS // len(records)]
            for clip, (first, last) in enumerate(record.spans):
                features = [*story, clip, round(FRAMES_PER_SECOND * (last - first)), int(first) // 2]
                yield record.family, features, answer(record, clip)

    return cases


def who(record: StoryRecord, clip: int) -> Hashable:
    """Who acts: gender and shirt."""
    return tuple(record.told(clip)["actor"])


def what(record: StoryRecord, clip: int) -> Hashable:
    """The action."""
    return record.told(clip)["action"]


def where(record: StoryRecord, clip: int) -> Hashable:
    """The place."""
    return record.clips[clip]["place"]


def rarest_tag(record: StoryRecord, clip: int) -> Hashable:
    """The last of a clip's tags, a compound most often."""
    return record.clips[clip]["tags"][-1]


def act_lengths(records: Sequence[StoryRecord]) -> Iterator[Case]:
    """Acts: their length and their place in the story, and their action."""
    for record in records:
        for clip, facts in enumerate(record.clips):
            for act in facts["acts"]:
                first, last = act["acting"]
                yield record.family, [clip, round(FRAMES_PER_SECOND * (last - first))], act["action"]


def track_names(records: Sequence[StoryRecord]) -> Iterator[Case]:
    """Pairs of clips' tracks: the ends of their ids, and whether they are of one person."""
    for record in records:
        tracks = record.content["tracks"][record.shown]
        for i, (one, clip, person) in enumerate(tracks):
            for other, later, person_later in tracks[i + 1 :]:
                if clip != later:
                    features = [one[-2:] + other[-2:], one[-1] == other[-1]]
                    yield record.family, features, person == person_later


def acting_track(records: Sequence[StoryRecord]) -> Iterator[Case]:
    """Tracks: the end of the id, and whether the person is the one who is told of."""
    for record in records:
        for track, clip, person in record.content["tracks"][record.shown]:
            yield record.family, [track[-1], clip], record.told(clip)["person"] == person


def answers(world: World) -> Iterator[Item]:
    """The place of the right sentence, from a question's id, its place in the listing, and its clip's length."""
    train, test = (
        [
            (family, [*e.id, k * ORDER_BINS // len(asked), _frames(e["video"])], target(e, "answer"))
            for k, (family, e) in enumerate(asked)
        ]
        for asked in questions(world, "multiple_choice", "choice")
    )
    yield from score(train, test)


def moments(world: World) -> Iterator[Item]:
    """The clip of a query, from what its id has besides its video's name, and from its place among its video's queries."""
    train, test = (list(_moments(asked)) for asked in questions(world, "localization", "spans"))
    yield from score(train, test)


def _moments(asked: Asked) -> Iterator[Case]:
    places = Counter[str]()
    for family, example in asked:
        video = example["video"].video
        rest = re.findall(r"[0-9a-f]", example.id.removeprefix(video))
        place = places[video]
        places[video] += 1
        start = int(target(example, "span")[0, 0])
        yield family, [*(rest + [""] * ID_DIGITS)[:ID_DIGITS], place], start // 6


def matches(world: World) -> Iterator[Item]:
    """The clip or story that a query is about: the one whose id starts alike, or comes as late among sorted ids."""
    for protocol in ("sentence", "paragraph"):
        test = ask(world, "test", "retrieval", protocol)
        names = sorted(target(example, "match") for _, example in test)
        for place, (family, example) in enumerate(test):
            alike = [name for name in names if name[:ID_DIGITS] == example.id[:ID_DIGITS]] or [names[place]]
            yield Item(family, 1.0, (target(example, "match") in alike) / len(alike), 1 / len(names))


def _frames(clip: Clip) -> int:
    return round(FRAMES_PER_SECOND * ((clip.end_s or 0.0) - clip.start_s))


def _shortcut(name: str, benchmark: str, measure: Callable[[World], Iterator[Item]]) -> Shortcut:
    return Shortcut(name, benchmark, "accuracy", measure, at_chance=True)


SHORTCUTS = (
    _shortcut("ids, order and lengths: who", "captioning:clip", read(names_and_lengths(who))),
    _shortcut("ids, order and lengths: what", "captioning:clip", read(names_and_lengths(what))),
    _shortcut("ids, order and lengths: where", "captioning:clip", read(names_and_lengths(where))),
    _shortcut("ids, order and lengths: tags", "tagging:all-labels", read(names_and_lengths(rarest_tag))),
    _shortcut("ids, order and lengths: answers", "multiple_choice:choice", answers),
    _shortcut("ids and order: moments", "localization:spans", moments),
    _shortcut("ids: matches", "retrieval:sentence", matches),
    _shortcut("lengths of acts: actions", "action_recognition:seen", read(act_lengths)),
    _shortcut("ids of tracks: who is who", "reidentification:video", read(track_names)),
    _shortcut("ids of tracks: who is told of", "reidentification:grounding", read(acting_track)),
)
