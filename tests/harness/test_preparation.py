"""Examples are prepared once where nothing differs between their visits, and never where something does."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from test_examples import reader

from reelbench.batching import batch_bytes
from reelbench.data import Clip, Example
from reelbench.method import Config, Context, DataInfo, Method
from reelbench.preparation import Preparer
from reelbench.seeding import ExampleGenerator, stream_of

EXAMPLES = [Example(f"e{i}", {"video": Clip(f"test-{i}"), "n": i}) for i in range(4)]
STREAMS = [stream_of(e.id) for e in EXAMPLES]
CTX = Context(Config(), DataInfo("toy", {}, {}), "colours", 0, training=True, total_steps=10)


class Counting(Method):
    """Counts how often it is asked, which no real method may."""

    name = "counting"

    def __init__(self):
        self.visits = []

    def prepare(self, example, ctx):
        self.visits.append(example.id)
        return Example(example.id, {"mean": example["video"]["look"].mean(0) + self.what(example, ctx)}, None)

    def what(self, example, ctx):
        return ctx.seed + ctx.total_steps


class Drawing(Counting):
    def what(self, example, ctx):
        return ctx.rng.random()


class Warming(Counting):
    def what(self, example, ctx):
        return ctx.progress


class Ageing(Counting):
    def what(self, example, ctx):
        return replace(ctx, seed=1).epoch


class DrawingForOdd(Counting):
    def what(self, example, ctx):
        return ctx.rng.random() if example["n"] % 2 else 0.0


class Pairing(Counting):
    """Draws in ``sample``, so that what is prepared differs."""

    def sample(self, example, source, ctx):
        return example.with_fields(video=source[int(ctx.rng.integers(len(source)))]["video"])


def visits(method, room_bytes, epochs=3, source=None):
    """The batches of some epochs."""
    generator = ExampleGenerator()
    preparer = Preparer(method, reader(), generator, "cpu", room_bytes=room_bytes)
    made = []
    for epoch in range(epochs):
        generator.key(0, "sample", epoch)
        for step, places in enumerate(([2, 0], [3, 1])):
            ctx = replace(CTX, epoch=epoch, step=2 * epoch + step, rng=generator.rng)
            made.append(
                preparer.batch([EXAMPLES[i] for i in places], [STREAMS[i] for i in places], ctx, source)
            )
    return made


@pytest.mark.parametrize(
    ("method", "asked"),
    [(Counting, 4), (Drawing, 12), (Warming, 12), (Ageing, 12), (DrawingForOdd, 8), (Pairing, 12)],
)
def test_what_is_remembered_changes_no_batch(method, asked):
    remembering, forgetting = method(), method()
    one, other = (visits(m, room, source=EXAMPLES) for m, room in ((remembering, 1 << 20), (forgetting, 0)))
    for a, b in zip(one, other, strict=True):
        assert a.ids == b.ids
        assert torch.equal(a["mean"].data, b["mean"].data)
    assert (len(remembering.visits), len(forgetting.visits)) == (asked, 12)


def test_no_more_is_remembered_than_there_is_room_for():
    (first, *_) = visits(Counting(), 0)
    method = Counting()
    visits(method, batch_bytes(first))
    assert sorted(method.visits) == ["e0"] + ["e1"] * 3 + ["e2"] + ["e3"] * 3


def test_an_example_of_each_visit_stands_for_itself():
    batches = visits(Counting(), 1 << 20, epochs=2)
    batches[0]["mean"].data.zero_()
    assert np.count_nonzero(batches[2]["mean"].data.numpy())
