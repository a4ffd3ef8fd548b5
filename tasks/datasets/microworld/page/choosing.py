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
    best = max(chained, key=lambda index: (_richness(records[f"{SPLIT}/{index}"]), -index))
    script = write_story(corpus, SPLIT, best)
    return Shown(corpus, script, records[script.key])


def _richness(record: StoryRecord) -> tuple[bool, int, int]:
    is_whole = bool(record.content["tellings"]) and "gaze" in record.content
    queries = record.queries()
    return is_whole, len({kind for _, kind, _ in queries}), len(queries)
