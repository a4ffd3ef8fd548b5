"""The people of a story as the page shows them: one colour a person, the same wherever that person occurs."""

from __future__ import annotations

from dataclasses import dataclass

from reelbench.tasks.datasets.microworld.script import NOBODY, Story


@dataclass(frozen=True)
class Character:
    """Somebody, with the style class that colours every trace of them."""

    number: int
    name: str
    look: str
    portrait: str = ""

    @property
    def style(self) -> str:
        """``p0``, ``p1`` or ``p2``."""
        return person_style(self.number)


def person_style(number: int) -> str:
    """The style class of a person; nobody has none."""
    return "" if number == NOBODY else f"p{number}"


def characters(story: Story, portraits: dict[int, str]) -> list[Character]:
    """The cast, with a picture of each who is ever on screen."""
    return [
        Character(i, person.name, f"{person.gender}, {person.shirt} shirt", portraits.get(i, ""))
        for i, person in enumerate(story.cast)
    ]
