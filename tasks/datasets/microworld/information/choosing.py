"""Multiple choice by text alone, which is at chance by construction: each sentence is right once and wrong four times."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator

from reelbench.data import Example
from reelbench.tasks.datasets.microworld.information.questions import Asked, Text, questions, target
from reelbench.tasks.datasets.microworld.information.rows import Item, Shortcut
from reelbench.tasks.datasets.microworld.information.worlds import World

Rate = Callable[[Example, int], float]
"""How good the so-manieth sentence of a question is."""


def choose_by(score: Callable[[Asked], Rate]) -> Callable[[World], Iterator[Item]]:
    """Five-way choice by a score of each sentence that training taught; equal ones are as good."""

    def measure(world: World) -> Iterator[Item]:
        train, test = questions(world, "multiple_choice", "choice")
        rate = score(train)
        for family, example in test:
            rates = [rate(example, k) for k in range(len(example["choices"]))]
            best = [k for k, r in enumerate(rates) if math.isclose(r, max(rates), abs_tol=1e-9)]
            right = target(example, "answer")
            yield Item(family, 1.0, (right in best) / len(best), 1 / len(rates))

    return measure


def right_before(train: Asked) -> Rate:
    """How often a sentence was right, of the times that it was there."""
    there, right = Counter[Text](), Counter[Text]()
    for _, example in train:
        there.update(example["choices"])
        right[example["choices"][target(example, "answer")]] += 1

    def rate(example: Example, k: int) -> float:
        text = example["choices"][k]
        return (right[text] + 0.2) / (there[text] + 1)

    return rate


def words_of_right(train: Asked) -> Rate:
    """Naive Bayes: whether a sentence's words stand in right ones rather than in wrong ones."""
    words = {True: Counter[str](), False: Counter[str]()}
    for _, example in train:
        for k, text in enumerate(example["choices"]):
            words[k == target(example, "answer")].update(text)
    totals = {side: counts.total() for side, counts in words.items()}

    def rate(example: Example, k: int) -> float:
        return sum(
            math.log((words[True][w] + 1) / (totals[True] + 1))
            - math.log((words[False][w] + 1) / (totals[False] + 1))
            for w in example["choices"][k]
        )

    return rate


def odd_one_out(train: Asked) -> Rate:
    """How little a sentence has in common with the four others: negatives are made from the right one, it may seem."""

    def rate(example: Example, k: int) -> float:
        choices = [set(text) for text in example["choices"]]
        return -float(sum(len(choices[k] & other) for other in choices))

    return rate


def usual_place(train: Asked) -> Rate:
    """How often the answer stood there."""
    places = Counter(target(example, "answer") for _, example in train)
    return lambda example, k: places[k]


def _shortcut(name: str, learn: Callable[[Asked], Rate]) -> Shortcut:
    return Shortcut(name, "multiple_choice:choice", "accuracy", choose_by(learn), at_chance=True)


SHORTCUTS = (
    _shortcut("sentences that were right before", right_before),
    _shortcut("words of right sentences", words_of_right),
    _shortcut("the sentence least like the others", odd_one_out),
    _shortcut("the usual place of the answer", usual_place),
)
