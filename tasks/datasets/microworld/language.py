"""Language: sentences about events from a small grammar, each word with its part of speech and its head.

A phrase is a tree of :class:`Word`; reading it out gives tokens and heads together, so that they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reelbench.tasks.datasets.microworld.script import NOBODY, Act, Event, Person, Story
from reelbench.tasks.datasets.microworld.streams import Stream
from reelbench.tasks.datasets.microworld.world import PLACES, VERBS

SOMEONE = "[someone]"
NOUNS = {"man": ("man", "guy"), "woman": ("woman", "lady")}
PRONOUNS = {"man": "he", "woman": "she"}
REFLEXIVES = {"man": "himself", "woman": "herself"}
FORMS = {
    "walk": ("walks", "strolls"),
    "run": ("runs", "dashes"),
    "carry": ("carries",),
    "push": ("pushes", "shoves"),
    "throw": ("throws", "tosses"),
    "jump": ("jumps", "hops"),
    "spin": ("spins", "twirls"),
    "wave": ("waves",),
    "dance": ("dances",),
    "sit": ("sits down",),
    "clap": ("claps",),
    "sing": ("sings",),
    "shout": ("shouts",),
    "whistle": ("whistles",),
    "lift": ("lifts", "raises"),
    "take": ("picks up", "grabs"),
    "drop": ("puts down", "drops"),
    "give": ("gives", "hands"),
}
PAST = {
    "walk": "walked",
    "run": "ran",
    "carry": "carried",
    "push": "pushed",
    "throw": "threw",
    "jump": "jumped",
    "spin": "spun",
    "wave": "waved",
    "dance": "danced",
    "sit": "sat",
    "clap": "clapped",
    "sing": "sang",
    "shout": "shouted",
    "whistle": "whistled",
    "lift": "lifted",
    "take": "took",
    "drop": "dropped",
    "give": "gave",
}
ORDINALS = ("first", "second", "third", "fourth", "fifth")
ENDS = {"up": "top", "down": "bottom", "left": "left", "right": "right"}
PREPOSITIONS = {"garden": "in", "beach": "at", "street": "on", "stage": "on"}


@dataclass(frozen=True, slots=True)
class Word:
    """A word with what depends on it, before and after it.

    ``slot`` names what a blank in its place would ask for (``colour``); ``person`` whom it mentions.
    """

    text: str
    pos: str
    left: tuple[Word, ...] = ()
    right: tuple[Word, ...] = ()
    slot: str = ""
    person: int = NOBODY


@dataclass(frozen=True, slots=True)
class Sentence:
    """Tokens with parts of speech and heads (−1 for the root), blanks' places, and mentions' places."""

    tokens: tuple[str, ...]
    pos: tuple[str, ...]
    heads: tuple[int, ...]
    slots: tuple[tuple[int, str], ...]
    mentions: tuple[tuple[int, int], ...]


def read_out(root: Word) -> Sentence:
    """A tree as a sentence."""
    order = list(_in_order(root, None))
    place = {id(word): i for i, (word, _) in enumerate(order)}
    return Sentence(
        tuple(word.text for word, _ in order),
        tuple(word.pos for word, _ in order),
        tuple(place[id(head)] if head is not None else -1 for _, head in order),
        tuple((i, word.slot) for i, (word, _) in enumerate(order) if word.slot),
        tuple((i, word.person) for i, (word, _) in enumerate(order) if word.person != NOBODY),
    )


def _in_order(word: Word, head: Word | None) -> Iterator[tuple[Word, Word | None]]:
    for before in word.left:
        yield from _in_order(before, word)
    yield word, head
    for after in word.right:
        yield from _in_order(after, word)


def caption(stream: Stream, event: Event, *, full: bool = False) -> Sentence:
    """A sentence about what a clip tells, by itself, people told by their looks; a full one leaves nothing out."""
    return read_out(_by_looks(stream, event, place=full or stream.chance(50)))


def ordinal(stream: Stream, event: Event, count: int) -> Sentence:
    """A sentence about what is told for the so-manieth time in its story, without its place."""
    parts = (Word("for", "ADP"), Word("the", "DET"), Word(ORDINALS[count - 1], "ADJ"))
    return read_out(_by_looks(stream, event, closing=(Word("time", "NOUN", left=parts),)))


def after(stream: Stream, event: Event, earlier: Event) -> Sentence:
    """A sentence about what is told right after something else, without its place."""
    before = _by_looks(stream, earlier)
    clause = Word(before.text, before.pos, (Word("after", "SCONJ"), *before.left), before.right, before.slot)
    return read_out(_by_looks(stream, event, closing=(clause,)))


def _by_looks(stream: Stream, event: Event, *, place: bool = False, closing: tuple[Word, ...] = ()) -> Word:
    """The clause of what an event tells, people told by their looks."""
    act = event.act
    actor = _description(stream, event.looks[act.actor])
    other = _description(stream, event.looks[act.recipient]) if act.recipient != NOBODY else None
    return _clause(stream, event, act, actor, other, place=place, closing=closing)


def telling(stream: Stream, story: Story) -> list[Sentence]:
    """One sentence a clip as parts of one story: pronouns for who acted last, "then" in between."""
    sentences: list[Sentence] = []
    previous = NOBODY
    for event in story.events:
        act = event.act
        person = event.looks[act.actor]
        again = act.actor == previous and stream.chance(60)
        actor = Word(PRONOUNS[person.gender], "PRON") if again else _description(stream, person)
        other = _description(stream, event.looks[act.recipient]) if act.recipient != NOBODY else None
        opening = (Word("then", "ADV"),) if sentences and stream.chance(40) else ()
        clause = _clause(stream, event, act, actor, other, place=stream.chance(60), opening=opening)
        sentences.append(read_out(clause))
        previous = act.actor
    return sentences


def naming(stream: Stream, story: Story, *, linked: bool) -> list[Sentence]:
    """One sentence a clip with every name replaced by ``[someone]``.

    Some say the person's gender by a reflexive. Where they are ``linked``, some say what the person did before, and
    some mention one who is not on screen.
    """
    sentences, done = [], dict[int, str]()
    for event in story.events:
        act = event.act
        actor = _someone(stream, act.actor, done if linked else {})
        other = Word(SOMEONE, "PROPN", person=act.recipient) if act.recipient != NOBODY else None
        closing: tuple[Word, ...] = ()
        absent = [person for person in done if person not in event.visible]
        if linked and absent and stream.chance(40):
            closing = (_absence(stream.pick(absent), done),)
        elif stream.chance(40):
            reflexive = REFLEXIVES[story.cast[act.actor].gender]
            closing = (Word(reflexive, "PRON", left=(Word("by", "ADP"),)),)
        clause = _clause(stream, event, act, actor, other, place=stream.chance(50), closing=closing)
        sentences.append(read_out(clause))
        done[act.actor] = PAST[act.deed.verb]
    return sentences


def _someone(stream: Stream, person: int, done: dict[int, str]) -> Word:
    """``[someone]``, now and then with what that person did last."""
    if person in done and stream.chance(40):
        return Word(SOMEONE, "PROPN", right=(_who(person, done),), person=person)
    return Word(SOMEONE, "PROPN", person=person)


def _who(person: int, done: dict[int, str]) -> Word:
    return Word(done[person], "VERB", left=(Word("who", "PRON"),), right=(Word("before", "ADV"),))


def _absence(person: int, done: dict[int, str]) -> Word:
    """``while [someone] who danced before is away``."""
    someone = Word(SOMEONE, "PROPN", right=(_who(person, done),), person=person)
    return Word("away", "ADV", left=(Word("while", "SCONJ"), someone, Word("is", "AUX")))


def _description(stream: Stream, person: Person) -> Word:
    noun, colour = stream.pick(NOUNS[person.gender]), person.shirt
    determiner = Word(stream.pick(("a", "the")), "DET")
    style = stream.below(3)
    if style == 0:
        dress = Word(colour, "NOUN", left=(Word("in", "ADP"),), slot="colour")
        return Word(noun, "NOUN", left=(determiner,), right=(dress,))
    if style == 1:
        parts = (Word("with", "ADP"), Word("the", "DET"), Word(colour, "ADJ", slot="colour"))
        return Word(noun, "NOUN", left=(determiner,), right=(Word("shirt", "NOUN", left=parts),))
    article = "an" if colour[0] in "aeiou" else "a"
    parts = (Word("in", "ADP"), Word(article, "DET"), Word(colour, "ADJ", slot="colour"))
    return Word(noun, "NOUN", left=(determiner,), right=(Word("shirt", "NOUN", left=parts),))


def _clause(
    stream: Stream,
    event: Event,
    act: Act,
    actor: Word,
    other: Word | None,
    *,
    place: bool,
    opening: tuple[Word, ...] = (),
    closing: tuple[Word, ...] = (),
) -> Word:
    deed = act.deed
    forms = FORMS[deed.verb]
    verb, *particle = stream.pick(forms).split()
    right = [Word(word, "ADP") for word in particle]
    if VERBS[deed.verb].needs:
        right.append(_object(stream, deed.thing, other if deed.verb == "give" else None))
    right += _direction(stream, deed.direction)
    left: list[Word] = [*opening, actor]
    if deed.manner:
        manner = Word(deed.manner, "ADV", slot="manner")
        left, right = ([*left, manner], right) if stream.chance(40) else (left, [*right, manner])
    if place and stream.chance(30) and not opening:
        left = [_place(event), *left]
    elif place:
        right.append(_place(event))
    right += closing
    slot = "verb" if len(forms) == 1 else ""
    return Word(verb, "VERB", left=tuple(left), right=tuple(right), slot=slot)


def _object(stream: Stream, name: str, receiver: Word | None) -> Word:
    thing = Word(name, "NOUN", left=(Word(stream.pick(("a", "the")), "DET"),), slot="object")
    if receiver is None:
        return thing
    toward = Word(
        receiver.text, receiver.pos, (Word("to", "ADP"), *receiver.left), receiver.right, "", receiver.person
    )
    return Word(thing.text, thing.pos, thing.left, (toward,), thing.slot)


def _direction(stream: Stream, direction: str) -> list[Word]:
    if not direction:
        return []
    if stream.chance(50):
        return [Word(direction, "ADV", slot="direction")]
    case = (Word("to", "ADP"), Word("the", "DET"))
    return [Word(ENDS[direction], "NOUN", left=case, slot="direction")]


def _place(event: Event) -> Word:
    name = PLACES[event.place].name
    case = (Word(PREPOSITIONS.get(name, "in"), "ADP"), Word("the", "DET"))
    return Word(name, "NOUN", left=case, slot="place")
