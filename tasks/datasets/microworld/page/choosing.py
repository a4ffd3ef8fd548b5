"""Which stories are shown: the first family of each kind, and in full a chained story of which most is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reelbench.tasks.datasets.microworld.plots import kind_of
from reelbench.tasks.datasets.microworld.records import StoryRecord
from reelbench.tasks.datasets.microworld.script import Story
from reelbench.tasks.datasets.microworld.sizes import FAMILY, Corpus
from reelbench.tasks.datasets.microworld.writing import write_story

SPLIT = "train"
"""The split whose stories are shown and counted, so that no test story is given away."""
CANDIDATES = 40
"""So many stories are looked at for the one that is shown in full."""


@dataclass(frozen=True)
class Shown:
    """A story of the page: its script and its record, in one of its renderings."""

    corpus: Corpus
    script: Story
    record: StoryRecord

    @property
    def rendering(self) -> str:
        """The rendering that is drawn."""
        return self.record.renderings[0]

    @property
    def video(self) -> str:
        """The name of the rendered video."""
        return self.record.id + self.rendering


def first_families(corpus: Corpus) -> dict[str, int]:
    """Kind → number of the first family of that kind in the split."""
    found: dict[str, int] = {}
    for family in range(corpus.stories.train // FAMILY):
        found.setdefault(kind_of(SPLIT, family), family)
    return found


def family_members(corpus: Corpus, family: int, records: Mapping[str, StoryRecord]) -> list[Shown]:
    """The five stories of a family; ``records`` by the key of their script."""
    scripts = [write_story(corpus, SPLIT, FAMILY * family + member) for member in range(FAMILY)]
    return [Shown(corpus, script, records[script.key]) for script in scripts]


def richest_story(corpus: Corpus, records: Mapping[str, StoryRecord]) -> Shown:
    """The chained story of the split that shows most: told as a whole, watched, with queries of several kinds."""
    chained = [index for index in range(corpus.stories.train) if kind_of(SPLIT, index // FAMILY) == "chained"]
    whole = [index for index in chained if _is_whole(records[f"{SPLIT}/{index}"])]
    candidates = [write_story(corpus, SPLIT, index) for index in (whole or chained)[:CANDIDATES]]
    best = max(candidates, key=lambda story: _richness(story, records[story.key]))
    return Shown(corpus, best, records[best.key])


def _is_whole(record: StoryRecord) -> bool:
    return bool(record.content["tellings"]) and "gaze" in record.content


def _richness(story: Story, record: StoryRecord) -> tuple[int, int]:
    """How many people, verbs and places are told of and how often the treasure changes hands; kinds of queries."""
    told = [event.act for event in story.events]
    holders = {event.holder for event in story.events}
    places = {event.place for event in story.events}
    several = (
        len({act.actor for act in told}) + len({act.deed.verb for act in told}) + len(holders) + len(places)
    )
    return several, len({kind for _, kind, _ in record.queries()})
