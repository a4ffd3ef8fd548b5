"""Tags of a clip: what happens in it, with what, where and who is there, and compounds that follow from two of these."""

from __future__ import annotations

from reelbench.tasks.datasets.microworld.script import Event, Story
from reelbench.tasks.datasets.microworld.sizes import Corpus
from reelbench.tasks.datasets.microworld.streams import Stream
from reelbench.tasks.datasets.microworld.world import COMPOUNDS, PLACES, TAGS

NUMBER = {tag: number for number, tag in enumerate(TAGS)}


def tag_numbers(corpus: Corpus, story: Story, clip: int) -> list[int]:
    """Indices into the label space, sorted.

    A compound (``push ball``, ``beach dance``) is there where both of its parts are. In a world without
    co-occurrence a clip has the compounds of a clip of another story instead.
    """
    names = _simple(story.events[clip])
    source = names if corpus.has("cooccurrence") else _simple(_stranger(corpus, story, clip))
    names |= {compound for compound, parts in COMPOUNDS.items() if source.issuperset(parts)}
    return sorted(NUMBER[name] for name in names)


def _simple(event: Event) -> set[str]:
    names = {PLACES[event.place].name}
    for act in event.acts:
        names |= {act.deed.verb, *([act.deed.thing] if act.deed.thing else [])}
        names |= {"slowly": {"slow"}, "quickly": {"fast"}}.get(act.deed.manner, set())
    for person in event.visible:
        names |= {event.looks[person].shirt, event.looks[person].gender}
    return names


def _stranger(corpus: Corpus, story: Story, clip: int) -> Event:
    """The event of a story that nobody sees."""
    from reelbench.tasks.datasets.microworld.writing import write_story

    other = Stream(corpus.seed, story.key, "stranger").below(1_000_000)
    return write_story(corpus, "stranger", other).events[clip]
