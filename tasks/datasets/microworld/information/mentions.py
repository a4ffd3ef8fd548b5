"""Mentions: who [someone] is, told by vision only, by text only, or by both."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from itertools import combinations

from reelbench.tasks.datasets.microworld.information.rows import Claim, Item
from reelbench.tasks.datasets.microworld.information.worlds import Habit, World
from reelbench.tasks.datasets.microworld.language import PAST, REFLEXIVES, SOMEONE, Sentence, naming
from reelbench.tasks.datasets.microworld.script import Story
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
    gender: str
    """As text tells it, or nothing."""
    links: frozenset[int]
    """The clips of which text says that the person acted last in one of them."""
    acts: bool
    thread: int
    """The first clip of those that text links, one to the other."""


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
    """Whether the later one is said to have done last what the other does; if not, whether genders are said to differ."""
    return _linked(*pair) or by_gender_said(pair)


def by_both(pair: Pair) -> Hashable:
    """What vision and text know."""
    return by_vision(pair), by_text(pair)


def by_gender_said(pair: Pair) -> Hashable:
    """How many genders are said, and of whom."""
    return len({mention.gender for mention in pair} - {""}), *(bool(mention.gender) for mention in pair)


def _linked(earlier: Mention, later: Mention) -> str:
    """Who acts in the clips that are spoken of may be the one, who acts after all of them is not."""
    if not earlier.acts or not later.links:
        return ""
    if earlier.thread == later.thread or earlier.clip in later.links:
        return "linked"
    return "not last" if earlier.clip > max(later.links) else ""


def is_linked(pair: Pair) -> bool:
    """Whether it is said what the later one did before."""
    return bool(pair[1].links)


def is_away(pair: Pair) -> bool:
    """Whether the later one is not on screen."""
    return not pair[1].seen


def _pairs(world: World, story: Story) -> Iterator[Pair]:
    mentions = list(_mentions(world, story))
    return ((a, b) for a, b in combinations(mentions, 2) if a.clip != b.clip)


def _is_one(pair: Pair) -> bool:
    return pair[0].person == pair[1].person


def _mentions(world: World, story: Story) -> Iterator[Mention]:
    """All mentions of a story's naming, in order."""
    stream = Stream(world.corpus.seed, story.key, "mentions")
    doers, threads = list[str](), list[int]()
    for clip, sentence in enumerate(naming(stream, story, linked=world.corpus.has("identity"))):
        event = story.events[clip]
        for place, person in sentence.mentions:
            looks = event.looks[person]
            acts = person == event.act.actor
            seen = (looks.gender, looks.shirt, looks.skin, looks.hair) if person in event.visible else ()
            gender = next((GENDER_OF[w] for w in sentence.tokens if w in GENDER_OF), "") if acts else ""
            links = _links(sentence, place, doers)
            thread = threads[max(links)] if links else clip
            if acts:
                threads.append(thread)
            yield Mention(clip, person, seen, gender, links, acts, thread)
        doers.append(event.act.deed.verb)


def _links(sentence: Sentence, place: int, doers: list[str]) -> frozenset[int]:
    """The clips in which somebody does what ``[someone] who danced before`` did."""
    assert sentence.tokens[place] == SOMEONE
    if sentence.tokens[place + 1 : place + 2] != ("who",):
        return frozenset()
    verb = VERBS_OF_PAST[sentence.tokens[place + 2]]
    return frozenset(clip for clip, done in enumerate(doers) if done == verb)


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
        "accuracy of pairs, one said to have acted before",
        same_person(by_text, by_gender_said, is_linked),
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
