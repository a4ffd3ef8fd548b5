"""Language: sentences about events from a small grammar, each word with its part of speech and its head.

A phrase is a tree of :class:`Word`; reading it out gives tokens and heads together, so that they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reelbench.tasks.datasets.microworld.script import NOBODY, Event, Person, Story
from reelbench.tasks.datasets.microworld.streams import Stream
from reelbench.tasks.datasets.microworld.world import PLACES

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
    "take": ("picks up", "grabs"),
    "drop": ("puts down", "drops"),
    "give": ("gives", "hands"),
}
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


def caption(stream: Stream, story: Story, event: Event, *, full: bool = False) -> Sentence:
    """A sentence about a clip by itself, people told by their looks; a full one leaves nothing out."""
    actor = _description(stream, story.cast[event.actor])
    other = _description(stream, story.cast[event.recipient]) if event.recipient != NOBODY else None
    return read_out(_clause(stream, story, event, actor, other, place=full or stream.chance(70)))


def telling(stream: Stream, story: Story) -> list[Sentence]:
    """One sentence a clip as parts of one story: pronouns for who acted last, "then" in between."""
    sentences: list[Sentence] = []
    previous = NOBODY
    for event in story.events:
        person = story.cast[event.actor]
        again = event.actor == previous and stream.chance(60)
        actor = Word(PRONOUNS[person.gender], "PRON") if again else _description(stream, person)
        other = _description(stream, story.cast[event.recipient]) if event.recipient != NOBODY else None
        opening = (Word("then", "ADV"),) if sentences and stream.chance(40) else ()
        clause = _clause(stream, story, event, actor, other, place=stream.chance(60), opening=opening)
        sentences.append(read_out(clause))
        previous = event.actor
    return sentences


def naming(stream: Stream, story: Story) -> list[Sentence]:
    """One sentence a clip with every name replaced by ``[someone]``; some say the person's gender by a reflexive."""
    sentences = []
    for event in story.events:
        actor = Word(SOMEONE, "PROPN", person=event.actor)
        other = Word(SOMEONE, "PROPN", person=event.recipient) if event.recipient != NOBODY else None
        closing: tuple[Word, ...] = ()
        if stream.chance(40):
            reflexive = REFLEXIVES[story.cast[event.actor].gender]
            closing = (Word(reflexive, "PRON", left=(Word("by", "ADP"),)),)
        clause = _clause(stream, story, event, actor, other, place=stream.chance(50), closing=closing)
        sentences.append(read_out(clause))
    return sentences


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
    story: Story,
    event: Event,
    actor: Word,
    other: Word | None,
    *,
    place: bool,
    opening: tuple[Word, ...] = (),
    closing: tuple[Word, ...] = (),
) -> Word:
    forms = FORMS[event.verb]
    verb, *particle = stream.pick(forms).split()
    right = [Word(word, "ADP") for word in particle]
    if event.handles_object:
        right.append(_object(stream, story, other if event.verb == "give" else None))
    right += _direction(stream, event)
    left: list[Word] = [*opening, actor]
    if event.manner:
        manner = Word(event.manner, "ADV", slot="manner")
        left, right = ([*left, manner], right) if stream.chance(40) else (left, [*right, manner])
    right += closing
    if place and stream.chance(30) and not opening:
        left = [_place(event), *left]
    elif place:
        right.append(_place(event))
    slot = "verb" if len(forms) == 1 else ""
    return Word(verb, "VERB", left=tuple(left), right=tuple(right), slot=slot)


def _object(stream: Stream, story: Story, receiver: Word | None) -> Word:
    thing = Word(story.thing, "NOUN", left=(Word(stream.pick(("a", "the")), "DET"),), slot="object")
    if receiver is None:
        return thing
    toward = Word(
        receiver.text, receiver.pos, (Word("to", "ADP"), *receiver.left), receiver.right, "", receiver.person
    )
    return Word(thing.text, thing.pos, thing.left, (toward,), thing.slot)


def _direction(stream: Stream, event: Event) -> list[Word]:
    if not event.direction:
        return []
    if stream.chance(50):
        return [Word(event.direction, "ADV", slot="direction")]
    case = (Word("to", "ADP"), Word("the", "DET"))
    return [Word(ENDS[event.direction], "NOUN", left=case, slot="direction")]


def _place(event: Event) -> Word:
    name = PLACES[event.place].name
    case = (Word(PREPOSITIONS.get(name, "in"), "ADP"), Word("the", "DET"))
    return Word(name, "NOUN", left=case, slot="place")
