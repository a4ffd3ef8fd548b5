"""Acts in plain words, for the page's bars and lists; the corpus's own sentences come from its grammar."""

from __future__ import annotations

from reelbench.tasks.datasets.microworld.language import FORMS
from reelbench.tasks.datasets.microworld.script import NOBODY, Act, Story


def verb_words(act: Act) -> str:
    """``throws``."""
    return FORMS[act.deed.verb][0]


def act_words(story: Story, act: Act) -> str:
    """``throws the bag up``, ``gives the cup to anna``; always the same words for the same act."""
    deed = act.deed
    thing = f"the {deed.thing}" if deed.thing else ""
    recipient = f"to {story.cast[act.recipient].name}" if act.recipient != NOBODY else ""
    parts = (verb_words(act), thing, deed.direction, deed.manner, recipient)
    return " ".join(part for part in parts if part)
