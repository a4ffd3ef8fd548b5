"""Every information row, in the order of the table."""

from __future__ import annotations

from collections.abc import Iterator

from reelbench.tasks.datasets.microworld.information import (
    binding,
    blind,
    choosing,
    gaze,
    identity,
    leaks,
    mentions,
    moments,
    objects,
    order,
    sharing,
    tags,
    text,
)
from reelbench.tasks.datasets.microworld.information.rows import (
    Claim,
    Row,
    Shortcut,
    measure_claim,
    measure_shortcut,
)
from reelbench.tasks.datasets.microworld.information.worlds import open_world
from reelbench.tasks.datasets.microworld.sizes import Corpus

CLAIMS: tuple[Claim, ...] = (
    *gaze.CLAIMS,
    *objects.CLAIMS,
    *binding.CLAIMS,
    *identity.CLAIMS,
    *mentions.CLAIMS,
    *order.CLAIMS,
    *moments.CLAIMS,
    *text.CLAIMS,
    *tags.CLAIMS,
    *sharing.CLAIMS,
)
SHORTCUTS: tuple[Shortcut, ...] = (
    *choosing.SHORTCUTS,
    *blind.SHORTCUTS,
    *gaze.SHORTCUTS,
    *leaks.SHORTCUTS,
)


def measure(corpus: Corpus) -> Iterator[Row]:
    """Measure all rows on the test split of a corpus and of its control worlds."""
    world = open_world(corpus)
    yield from (measure_claim(claim, world) for claim in CLAIMS)
    yield from (measure_shortcut(shortcut, world) for shortcut in SHORTCUTS)
