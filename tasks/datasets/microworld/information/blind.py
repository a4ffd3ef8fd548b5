"""Blind answers: what the text, or what is frequent, tells without the film."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator

import numpy as np

from reelbench.data import Example
from reelbench.tasks.datasets.microworld.examples import BLANK
from reelbench.tasks.datasets.microworld.information.identity import pairs_of_tracks
from reelbench.tasks.datasets.microworld.information.questions import Text, ask, questions, target
from reelbench.tasks.datasets.microworld.information.rows import Item, Shortcut
from reelbench.tasks.datasets.microworld.information.worlds import Habit, World, look
from reelbench.tasks.datasets.microworld.language import ORDINALS
from reelbench.tasks.datasets.microworld.moments import candidates
from reelbench.tasks.datasets.microworld.script import Event, Story
from reelbench.tasks.datasets.microworld.world import ACTIONS, SEEN_ACTIONS, TAGS, UNSEEN_ACTIONS


def blank_by_context(world: World) -> Iterator[Item]:
    """The word left out that is most frequent between its neighbours in training."""
    train, test = questions(world, "fill_in_blank", "word")
    habits = [
        Habit.learn((context(e), target(e, "answer")) for _, e in train)
        for context in (_neighbours, _word_class)
    ]
    chance = 1 / len({target(e, "answer") for _, e in train})
    for family, example in test:
        near, rough = _neighbours(example), _word_class(example)
        guess = habits[0].guess(near) if near in habits[0].by_evidence else habits[1].guess(rough)
        yield Item(family, 1.0, float(guess == target(example, "answer")), chance)


def _neighbours(example: Example) -> Hashable:
    text, place = ("", *example["sentence"], ""), example["blank"] + 1
    assert text[place] == BLANK
    return text[place - 1], text[place + 1], example["word_class"]


def _word_class(example: Example) -> Hashable:
    return example["word_class"]


def moment_by(words: Callable[[Text], Hashable]) -> Callable[[World], Iterator[Item]]:
    """The candidate that is most frequent in training, given something of the query."""

    def measure(world: World) -> Iterator[Item]:
        train, test = questions(world, "localization", "candidates")
        habit = Habit.learn((words(e["query"]), _moment(e)) for _, e in train)
        for family, example in test:
            guess = habit.guess(words(example["query"]))
            yield Item(family, 1.0, float(guess == _moment(example)), 1 / len(candidates()))

    return measure


def _moment(example: Example) -> Hashable:
    """The candidate that most annotators chose."""
    rows, counts = np.unique(target(example, "segments"), axis=0, return_counts=True)
    return tuple(rows[counts.argmax()].tolist())


def _time_words(query: Text) -> Hashable:
    return tuple(word for word in query if word in (*ORDINALS, "after"))


def usual_tags(world: World) -> Iterator[Item]:
    """As many tags as a clip has, the most frequent ones: what share of them is right."""
    train, test = questions(world, "tagging", "all-labels")
    counts = Counter(int(tag) for _, example in train for tag in target(example, "labels"))
    ranked = sorted(range(len(TAGS)), key=lambda tag: -counts[tag])
    for family, example in test:
        right = set(target(example, "labels").tolist())
        hits = len(right.intersection(ranked[: len(right)]))
        yield Item(family, 1.0, hits / len(right), len(right) / len(TAGS))


def usual_action(world: World) -> Iterator[Item]:
    """The most frequent action."""
    train, test = questions(world, "action_recognition", "seen")
    usual = Habit.learn((None, target(example, "label")) for _, example in train).overall
    for family, example in test:
        yield Item(family, 1.0, float(usual == target(example, "label")), 1 / len(SEEN_ACTIONS))


def likeliest_name(world: World) -> Iterator[Item]:
    """Of the actions that training has not, the one whose words are most frequent in the names of its actions."""
    train, test = (ask(world, *asked) for asked in (("train", *_SEEN), ("test", *_UNSEEN)))
    words = Counter(word for _, example in train for word in ACTIONS[target(example, "label")].split())
    guess = max(UNSEEN_ACTIONS, key=lambda name: sum(words[word] for word in name.split()))
    for family, example in test:
        right = ACTIONS[target(example, "label")]
        yield Item(family, 1.0, float(guess == right), 1 / len(UNSEEN_ACTIONS))


_SEEN, _UNSEEN = ("action_recognition", "seen"), ("action_recognition", "unseen")


def usual_events(world: World) -> Iterator[Item]:
    """As many events as a story has, the most frequent ones at their usual second: what share of the events is found."""
    train, test = questions(world, "detection", "events")
    usual = [event for event, _ in Counter(e for _, example in train for e in _events(example)).most_common()]
    for family, example in test:
        events = _events(example)
        guesses = usual[: len(events)]
        for event in events:
            yield Item(family, 1.0, float(event in guesses), len(guesses) / len(usual))


def _events(example: Example) -> list[tuple[int, int]]:
    """(action, the second of its middle) of each event."""
    middles = target(example, "segments").mean(1).astype(int).tolist()
    return list(zip(target(example, "labels").tolist(), middles, strict=True))


def usual_facts(place: Callable[[int], Hashable]) -> Callable[[World], Iterator[Item]]:
    """What captions usually tell: who, what, with what and where, each right, given what is told of the clip's place."""

    def measure(world: World) -> Iterator[Item]:
        train, test = (
            [(s.family, place(clip), _facts(s, e)) for s in stories for clip, e in enumerate(s.events)]
            for stories in (world.train, world.test)
        )
        for fact in range(len(train[0][2])):
            habit = Habit.learn((clip, facts[fact]) for _, clip, facts in train)
            chance = 1 / len({facts[fact] for _, _, facts in train})
            for family, clip, facts in test:
                yield Item(family, 1.0, float(habit.guess(clip) == facts[fact]), chance)

    return measure


def _facts(story: Story, event: Event) -> tuple[Hashable, ...]:
    deed = event.act.deed
    return look(story, event.act.actor), deed.action, deed.thing, event.place


def never_again(world: World) -> Iterator[Item]:
    """Whether tracks of two clips are of one person: never."""
    for story in world.test:
        for one, other in pairs_of_tracks(story):
            yield Item(story.family, 1.0, float(one[1] != other[1]), 0.5)


SHORTCUTS = (
    Shortcut("the word between two words", "fill_in_blank:word", "accuracy", blank_by_context),
    Shortcut("the usual moment", "localization:candidates", "rank@1", moment_by(lambda query: None)),
    Shortcut("the usual moment of an ordinal", "localization:candidates", "rank@1", moment_by(_time_words)),
    Shortcut("the usual tags", "tagging:all-labels", "precision at equal recall", usual_tags),
    Shortcut("the usual action", "action_recognition:seen", "top-1", usual_action),
    Shortcut("the likeliest name", "action_recognition:unseen", "top-1", likeliest_name),
    Shortcut("the usual events", "detection:events", "events found", usual_events),
    Shortcut(
        "the usual facts", "captioning:clip", "who, what, with what, where", usual_facts(lambda clip: None)
    ),
    Shortcut(
        "the usual facts of a story's n-th clip",
        "storytelling:sentence",
        "who, what, with what, where",
        usual_facts(lambda clip: clip),
    ),
    Shortcut(
        "nobody comes again", "reidentification:video", "accuracy of pairs of clips' tracks", never_again
    ),
)
