"""Mentions: who [someone] is, told by vision only, by text only, or by both."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from reelbench.tasks.datasets.microworld.information.rows import Claim, Item
from reelbench.tasks.datasets.microworld.information.worlds import Habit, World
from reelbench.tasks.datasets.microworld.language import PAST, REFLEXIVES, SOMEONE, Sentence, naming
from reelbench.tasks.datasets.microworld.script import Event, Story
from reelbench.tasks.datasets.microworld.streams import Stream

IDENTITY = (
    "identity: turned or cropped people, shared clothes or shared faces; "
    "mentions resolvable by text only, by vision only, or by both"
)
VERBS_OF_PAST = {past: verb for verb, past in PAST.items()}
GENDER_OF = {word: gender for gender, word in REFLEXIVES.items()}


@dataclass(frozen=True, slots=True)
class Mention:
    """A [someone]: where, who it is, and what vision and text know of it."""

    clip: int
    person: int
    seen: Hashable
    """How the person looks, or nothing where it is not on screen."""
    linked_look: Hashable
    """How the one looks who acted last of those that text speaks of, or nothing."""
    acts: bool
    gender: str
    """As its own sentence tells it, or nothing."""
    thread_gender: str
    """As text tells it of the thread, or nothing."""
    links: frozenset[int]
    """The clips of which text says that the person acted last in one of them."""
    thread: int
    """Mentions that text links to each other; the number of the first."""
    others: frozenset[int]
    """Threads of other people: who is mentioned beside this one, or acted after this one is said to have acted last."""


Pair = tuple[Mention, Mention]
View = Callable[[Pair], Hashable]
Measure = Callable[[World], Iterator[Item]]


def same_person(view: View, other_view: View, asked: Callable[[Pair], bool] = lambda pair: True) -> Measure:
    """Whether mentions of two clips are of one person, by oracles that know different things.

    Both answer what is most frequent in training where they know the same.
    """

    def measure(world: World) -> Iterator[Item]:
        seen = [pair for story in world.train for pair in _pairs(world, story) if asked(pair)]
        if not seen:
            return
        habits = [Habit.learn((v(pair), _is_one(pair)) for pair in seen) for v in (view, other_view)]
        for story in world.test:
            for pair in filter(asked, _pairs(world, story)):
                right = _is_one(pair)
                guesses = [habit.guess(v(pair)) for habit, v in zip(habits, (view, other_view), strict=True)]
                yield Item(story.family, *(float(g == right) for g in (*guesses, habits[0].overall)))

    return measure


def by_vision(pair: Pair) -> Hashable:
    """Whether both are seen, and alike."""
    one, other = pair
    return (one.seen == other.seen) if one.seen and other.seen else "unseen"


def by_text(pair: Pair) -> Hashable:
    """Whether text links them or keeps them apart; if neither, whether genders are said to differ."""
    one, other = pair
    if one.thread == other.thread:
        return "linked"
    if one.thread in other.others or other.thread in one.others:
        return "apart"
    return _genders([mention.thread_gender for mention in pair])


def by_both(pair: Pair) -> Hashable:
    """Whether both look alike, where text may lead to the look of one who is away; and what text knows."""
    looks = [mention.seen or mention.linked_look for mention in pair]
    return looks[0] == looks[1] if all(looks) else "unseen", by_text(pair)


def by_gender_said(pair: Pair) -> Hashable:
    """Whether genders are said to differ."""
    return _genders([mention.gender for mention in pair])


def _genders(said: Sequence[str]) -> Hashable:
    """How many genders are said, and of whom."""
    return len({*said} - {""}), *map(bool, said)


def is_about_the_last(pair: Pair) -> bool:
    """Whether the earlier one acts in the clip before, and it is said what the later one did before."""
    one, other = pair
    return one.acts and bool(other.links) and other.clip - one.clip == 1


def is_away(pair: Pair) -> bool:
    """Whether the later one is not on screen."""
    return not pair[1].seen


def _pairs(world: World, story: Story) -> Iterator[Pair]:
    return ((a, b) for a, b in combinations(_mentions(world, story), 2) if a.clip != b.clip)


def _is_one(pair: Pair) -> bool:
    return pair[0].person == pair[1].person


def _mentions(world: World, story: Story) -> list[Mention]:
    """All mentions of a story's naming, in order."""
    stream = Stream(world.corpus.seed, story.key, "mentions")
    found, doers, done = list[Mention](), list[Mention](), list[str]()
    for clip, sentence in enumerate(naming(stream, story, linked=world.corpus.has("identity"))):
        event, beside = story.events[clip], list[Mention]()
        for place, person in sentence.mentions:
            links = _links(sentence, place, done)
            last = doers[max(links)] if links else None
            mention = Mention(
                clip,
                person,
                _look(event, person),
                last.seen if last else (),
                person == event.act.actor,
                _gender(sentence) if person == event.act.actor else "",
                "",
                links,
                last.thread if last else len(found) + len(beside),
                frozenset(m.thread for m in (*beside, *(doers[max(links) + 1 :] if links else ()))),
            )
            beside.append(mention)
        found += beside
        doers.append(next(mention for mention in beside if mention.acts))
        done.append(event.act.deed.verb)
    genders = {mention.thread: mention.gender for mention in found if mention.gender}
    return [replace(mention, thread_gender=genders.get(mention.thread, "")) for mention in found]


def _look(event: Event, person: int) -> Hashable:
    looks = event.looks[person]
    return (looks.gender, looks.shirt, looks.skin, looks.hair) if person in event.visible else ()


def _gender(sentence: Sentence) -> str:
    """The gender that "by herself" says, or nothing."""
    return next((GENDER_OF[word] for word in sentence.tokens if word in GENDER_OF), "")


def _links(sentence: Sentence, place: int, done: list[str]) -> frozenset[int]:
    """The clips in which somebody does what ``[someone] who danced before`` did."""
    assert sentence.tokens[place] == SOMEONE
    if sentence.tokens[place + 1 : place + 2] != ("who",):
        return frozenset()
    verb = VERBS_OF_PAST[sentence.tokens[place + 2]]
    return frozenset(clip for clip, deed in enumerate(done) if deed == verb)


def _claim(name: str, protocol: str, metric: str, measure: Measure, asked_of: str = "") -> Claim:
    benchmark = f"reidentification:{protocol}"
    return Claim(name, "CiSIN", benchmark, metric, "identity", IDENTITY, measure, asked_of=asked_of)


CLAIMS = (
    _claim(
        "looks tell who [someone] is",
        "characters",
        "accuracy of pairs of clips' mentions",
        same_person(by_both, by_text),
    ),
    _claim(
        "text tells who [someone] is",
        "text",
        "whether who acted before is who acted last",
        same_person(by_text, by_gender_said, is_about_the_last),
        "mentions of what somebody did before",
    ),
    _claim(
        "text tells who is away",
        "characters",
        "accuracy of pairs, one not on screen",
        same_person(by_both, by_vision, is_away),
        "mentions of who is away",
    ),
)
