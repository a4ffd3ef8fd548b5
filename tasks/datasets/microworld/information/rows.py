"""Claims and shortcuts as data, and when a row of them fails.

A claim's oracle is scored item by item, with the ingredient and without it; where several answers are left, the score
is what a uniform guess among them gets on average, so that the numbers carry no noise of guessing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from reelbench.tasks.datasets.microworld.information.worlds import World

GAP = 0.15
"""An ingredient is worth at least this where it is there."""
NOTHING = 0.03
"""And at most this, or nothing that can be told from sampling noise, in its control world."""
MISSES, ROWS = 0.05, 40
"""How often one of about so many rows may seem to be more than noise where it is not (Bonferroni)."""


@dataclass(frozen=True, slots=True)
class Item:
    """One answer: the family that it comes from, the scores with and without, and that of a guess."""

    family: str
    with_it: float
    without: float
    chance: float


@dataclass(frozen=True, slots=True)
class Claim:
    """What an ingredient is worth to a benchmark."""

    name: str
    methods: str
    benchmark: str
    metric: str
    ingredient: str
    """As in ``no-INGREDIENT`` of the control worlds."""
    proves: str
    """The words of DESIGN section 5 that the row shows to be true."""
    measure: Callable[[World], Iterable[Item]]
    elsewhere: Callable[[World], Iterable[Item]] | None = None
    """How the control is measured in the world itself, for an ingredient that has no control world."""
    control_name: str = ""
    """What stands for the control world then; ``no-INGREDIENT`` otherwise."""
    asked_of: str = ""
    """What the control world has none of, where nothing is left to ask about in it."""


@dataclass(frozen=True, slots=True)
class Shortcut:
    """An answer that looks at too little: it may get at most ``reach`` of the way from chance to the oracle."""

    name: str
    benchmark: str
    metric: str
    measure: Callable[[World], Iterable[Item]]
    """``with_it`` is the oracle's score, ``without`` the shortcut's."""
    reach: float = 0.5
    at_chance: bool = False
    """It has to be at chance instead: within 3 points, or within sampling noise."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Means over items, and an interval of the difference over families."""

    items: int
    with_it: float
    without: float
    chance: float
    error: float
    """Half of the 95 % interval of ``gap``."""
    gap_noise: float
    """The same where all rows' intervals are to hold together."""
    above_noise: float
    """That of ``above``."""

    @property
    def gap(self) -> float:
        """What the ingredient is worth."""
        return self.with_it - self.without

    @property
    def above(self) -> float:
        """How much better than chance it is without the ingredient."""
        return self.without - self.chance

    @property
    def is_nothing(self) -> bool:
        """Whether the gap is small, or its interval contains 0."""
        return abs(self.gap) < _noise(self.gap_noise)


@dataclass(frozen=True, slots=True)
class Row:
    """A claim or a shortcut, measured; ``failure`` says why it does not hold, or is empty."""

    of: Claim | Shortcut
    scores: Scores
    control: Scores | None
    failure: str

    @property
    def control_name(self) -> str:
        """What the control world is called."""
        return (self.of.control_name or f"no-{self.of.ingredient}") if isinstance(self.of, Claim) else ""


def _noise(error: float) -> float:
    """What cannot be told from nothing; one family alone has no interval."""
    return max(NOTHING, error if math.isfinite(error) else 0.0)


def summarize(items: Iterable[Item]) -> Scores:
    """Means of items; families are what is drawn, so the interval is that of a ratio of sums over families.

    Raises
    ------
    ValueError
        Where there is no item.
    """
    taken = list(items)
    if not taken:
        raise ValueError("no item to score")
    gaps = [(item.family, item.with_it - item.without) for item in taken]
    above = [(item.family, item.without - item.chance) for item in taken]
    return Scores(
        len(taken),
        _mean([item.with_it for item in taken]),
        _mean([item.without for item in taken]),
        _mean([item.chance for item in taken]),
        _half_interval(gaps, MISSES),
        _half_interval(gaps, MISSES / ROWS),
        _half_interval(above, MISSES / ROWS),
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _half_interval(values: Sequence[tuple[str, float]], misses: float) -> float:
    """Half of the t interval of the mean of (family, value) that misses it so often."""
    from scipy.stats import t

    mean = _mean([value for _, value in values])
    errors: dict[str, float] = {}
    for family, value in values:
        errors[family] = errors.get(family, 0.0) + value - mean
    count = len(errors)
    if count < 2:
        return math.inf
    variance = sum(error**2 for error in errors.values()) * count / (count - 1)
    return float(t.ppf(1 - misses / 2, count - 1)) * math.sqrt(variance) / len(values)


def measure_claim(claim: Claim, world: World) -> Row:
    """The row of a claim in a world and in the control world of its ingredient."""
    scores = summarize(claim.measure(world))
    if claim.elsewhere:
        items = list(claim.elsewhere(world))
    else:
        items = list(claim.measure(world.without(claim.ingredient)))
    control = None if claim.asked_of and not items else summarize(items)
    return Row(claim, scores, control, "; ".join(_faults(claim, scores, control)))


def _faults(claim: Claim, scores: Scores, control: Scores | None) -> Iterable[str]:
    if scores.gap < GAP:
        yield f"the ingredient is worth {100 * scores.gap:.1f} points, less than {100 * GAP:.0f}"
    if control and claim.asked_of:
        yield f"its control world has {control.items} {claim.asked_of}"
    elif control and not control.is_nothing:
        yield f"it is worth {100 * control.gap:.1f} points in its control world"


def measure_shortcut(shortcut: Shortcut, world: World) -> Row:
    """The row of a shortcut."""
    scores = summarize(shortcut.measure(world))
    way = shortcut.reach * (scores.with_it - scores.chance)
    most = _noise(scores.above_noise) if shortcut.at_chance else way
    failure = f"more than {100 * most:.1f} points above chance" if scores.above > most else ""
    return Row(shortcut, scores, None, failure)
