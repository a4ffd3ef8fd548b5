"""A sequel family: five stories that share scenes, which the page names by letters."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from reelbench.dataset import Dataset
from reelbench.tasks.datasets.microworld.page.cast import Character, characters
from reelbench.tasks.datasets.microworld.page.choosing import Shown
from reelbench.tasks.datasets.microworld.page.pictures import picture_uri
from reelbench.tasks.datasets.microworld.page.take import Take
from reelbench.tasks.datasets.microworld.page.words import Run, told_runs
from reelbench.tasks.datasets.microworld.script import Event

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class SceneCell:
    """A clip of a story; ``differs`` from the first story's clip in that place."""

    letter: str
    picture: str
    sentence: tuple[Run, ...]
    differs: bool


@dataclass(frozen=True)
class SequelStory:
    """A story of the family, with what was done to it."""

    change: str
    cells: tuple[SceneCell, ...]


@dataclass(frozen=True)
class Sequel:
    """The five stories."""

    people: tuple[Character, ...]
    stories: tuple[SequelStory, ...]

    @property
    def scenes(self) -> dict[str, tuple[Run, ...]]:
        """Letter → the sentence of the first clip that shows the scene."""
        first: dict[str, tuple[Run, ...]] = {}
        for story in self.stories:
            for cell in story.cells:
                first.setdefault(cell.letter, cell.sentence)
        return dict(sorted(first.items()))


def sequel_view(dataset: Dataset, family: Sequence[Shown]) -> Sequel:
    """A family with its scenes lettered in the order in which they first occur."""
    letters: dict[Hashable, str] = {}
    for shown in family:
        for event in shown.script.events:
            letters.setdefault(_scene(event), LETTERS[len(letters) % len(LETTERS)])
    base = [letters[_scene(event)] for event in family[0].script.events]
    stories = [_story(dataset, shown, letters, base) for shown in family]
    people = characters(family[0].script, Take(dataset, family[0]).portraits())
    return Sequel(tuple(people), tuple(stories))


def _story(dataset: Dataset, shown: Shown, letters: dict[Hashable, str], base: list[str]) -> SequelStory:
    take, cells = Take(dataset, shown), []
    for number, event in enumerate(shown.script.events):
        letter = letters[_scene(event)]
        middle = (event.act.first + event.act.last) // 2
        sentence = told_runs(shown.record.captions(number)[0], event.act)
        cells.append(SceneCell(letter, picture_uri(take.frames[middle]), sentence, letter != base[number]))
    return SequelStory(_change(base, [cell.letter for cell in cells]), tuple(cells))


def _change(base: list[str], letters: list[str]) -> str:
    if letters == base:
        return "the first story"
    if sorted(letters) == sorted(base):
        return "the same scenes in another order"
    changed = [f"clip {k}" for k, (old, new) in enumerate(zip(base, letters, strict=True), 1) if old != new]
    return f"another {' and '.join(changed)}" if len(changed) < len(base) else "a story of its own"


def _scene(event: Event) -> Hashable:
    """What happens, without its seconds."""
    return event.place, event.told, tuple((act.actor, act.deed, act.recipient) for act in event.acts)
