"""How often things occur in the corpus: counts over the scripts, sentences and tags of the training split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reelbench.dataset import Dataset
from reelbench.tasks.datasets.microworld.page.choosing import SPLIT
from reelbench.tasks.datasets.microworld.records import StoryRecord
from reelbench.tasks.datasets.microworld.script import FRAMES_PER_SECOND, Act, Event, Story
from reelbench.tasks.datasets.microworld.sizes import Corpus
from reelbench.tasks.datasets.microworld.world import OBJECTS, PLACES, VERBS
from reelbench.tasks.datasets.microworld.writing import write_story


@dataclass(frozen=True)
class Tally:
    """One bar: what, how often, and its length in hundredths of the longest."""

    name: str
    count: int
    length: float


@dataclass(frozen=True)
class Chart:
    """A bar chart: lying bars with a name each, or upright ones of which only some are named."""

    title: str
    says: str
    tallies: tuple[Tally, ...]
    is_upright: bool = False
    names_shown: int = 0
    """How many upright bars are named."""

    @property
    def name_every(self) -> int:
        """Of how many upright bars one is named; 0 for none."""
        return -(-len(self.tallies) // self.names_shown) if self.names_shown else 0


def charts(dataset: Dataset, corpus: Corpus, records: Sequence[StoryRecord]) -> list[Chart]:
    """All charts of the page."""
    stories = [write_story(corpus, SPLIT, index) for index in range(corpus.stories.train)]
    events = [event for story in stories for event in story.events]
    acts = [act for event in events for act in event.acts]
    places = [place.name for place in PLACES]
    return [
        _named("What people do", _share_told(events), VERBS, (act.deed.verb for act in acts)),
        _named("With which object", "a long tail, on purpose", OBJECTS, _things(acts)),
        _named("Where", "clips in each place", places, (places[event.place] for event in events)),
        _ordered("Seconds of a clip", "five clips fill 30 seconds", _clip_seconds(stories)),
        _ordered("Words of a sentence", "captions of single clips", _caption_lengths(records)),
        _tags(dataset),
    ]


def _share_told(events: Sequence[Event]) -> str:
    acts = sum(len(event.acts) for event in events)
    return f"{acts} acts in {len(events)} clips; sentences tell one act a clip"


def _things(acts: Iterable[Act]) -> Iterable[str]:
    return (act.deed.thing for act in acts if act.deed.thing)


def _clip_seconds(stories: Iterable[Story]) -> Counter[str]:
    lengths = Counter(event.last - event.first for story in stories for event in story.events)
    return Counter({f"{frames / FRAMES_PER_SECOND:g}": lengths[frames] for frames in sorted(lengths)})


def _caption_lengths(records: Iterable[StoryRecord]) -> Counter[str]:
    clips = ((record, clip) for record in records for clip in range(len(record.spans)))
    lengths = Counter(len(words.tokens) for record, clip in clips for words in record.captions(clip))
    return Counter({str(n): lengths[n] for n in range(min(lengths, default=0), max(lengths, default=-1) + 1)})


def _tags(dataset: Dataset) -> Chart:
    names = dataset.spaces["tags"]
    counts = Counter(
        names[label]
        for example in dataset.relation("tags", SPLIT)
        for label in (example.targets or {})["labels"].tolist()
    )
    often = ", ".join(name for name, _ in counts.most_common(3))
    says = f"{len(names)} tags by how often they occur; the most frequent are {often}"
    return Chart("Tags", says, _tallies(dict(counts.most_common())), is_upright=True)


def _named(title: str, says: str, names: Iterable[str], found: Iterable[str]) -> Chart:
    counts = Counter(found)
    everything = {name: counts[name] for name in sorted(names, key=lambda name: -counts[name])}
    return Chart(title, says, _tallies(everything))


def _ordered(title: str, says: str, counts: Mapping[str, int]) -> Chart:
    return Chart(title, says, _tallies(counts), is_upright=True, names_shown=9)


def _tallies(counts: Mapping[str, int]) -> tuple[Tally, ...]:
    most = max(counts.values(), default=0) or 1
    return tuple(Tally(name, count, round(100 * count / most, 2)) for name, count in counts.items())
