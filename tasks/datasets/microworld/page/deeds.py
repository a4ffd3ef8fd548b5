"""Deeds in plain words, for the page's bars and lists; the corpus's own sentences come from its grammar."""

from __future__ import annotations

from reelbench.tasks.datasets.microworld.script import NOBODY, Act, Deed, Story


def deed_words(deed: Deed) -> str:
    """``push left slowly: cup``."""
    words = " ".join(word for word in (deed.verb, deed.direction, deed.manner) if word)
    return f"{words}: {deed.thing}" if deed.thing else words


def act_words(story: Story, act: Act) -> str:
    """A deed with whom it is done to: ``give: cup, to anna``."""
    recipient = f", to {story.cast[act.recipient].name}" if act.recipient != NOBODY else ""
    return deed_words(act.deed) + recipient
