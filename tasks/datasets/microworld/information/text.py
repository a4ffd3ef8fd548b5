"""The text corpus: ways of saying that few told films do not show."""

from __future__ import annotations

from collections.abc import Iterator

from reelbench.tasks.datasets.microworld.annotation import TELLINGS, TOLD_STORIES, annotate_text
from reelbench.tasks.datasets.microworld.information.rows import Claim, Item
from reelbench.tasks.datasets.microworld.information.worlds import World
from reelbench.tasks.datasets.microworld.language import telling
from reelbench.tasks.datasets.microworld.script import Story
from reelbench.tasks.datasets.microworld.streams import Stream

RUN = 5
"""Words of a run."""
Run = tuple[str, ...]
Told = list[tuple[str, ...]]
START, END = "<", ">"


def read_before(world: World) -> Iterator[Item]:
    """Runs of five words of the test split's tellings that were read before: in texts and told films, or the latter."""
    films = {
        run
        for story in world.train[::TOLD_STORIES]
        for k in range(TELLINGS)
        for run in _runs(_tell(world, story, k))
    }
    texts = films | {run for told in _texts(world) for run in _runs(told)}
    for story in world.test:
        for run in _runs(_tell(world, story, 0)):
            yield Item(story.family, float(run in texts), float(run in films), 0.0)


def _texts(world: World) -> Iterator[Told]:
    for index in range(world.corpus.stories.text):
        yield [tuple(words[0].split()) for words in annotate_text(world.corpus, index)]


def _tell(world: World, story: Story, k: int) -> Told:
    stream = Stream(world.corpus.seed, story.key, k, "read")
    return [sentence.tokens for sentence in telling(stream, story)]


def _runs(told: Told) -> Iterator[Run]:
    """Five words in turn, over the borders of sentences too."""
    words = [START, *(word for sentence in told for word in (*sentence, END))]
    return (tuple(words[i : i + RUN]) for i in range(len(words) - RUN + 1))


CLAIMS = (
    Claim(
        "texts tell how stories are told",
        "TAPM",
        "storytelling:set",
        "runs of five words that were read before",
        "text",
        "adaptation: a text corpus ten times the captions, few paired stories",
        read_before,
    ),
)
