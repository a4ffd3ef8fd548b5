"""A phase's examples as batches: which ones, in which order, and how each is prepared.

Order and preparation are functions of seed, phase, epoch and example alone, so that a resumed fit meets the same
batches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from reelbench.batching import Batch, bucketed_batches
from reelbench.examples import FeatureReader, chunks, length_of
from reelbench.preparation import Preparer
from reelbench.seeding import ExampleGenerator, derive_seed, stream_of

if TYPE_CHECKING:
    from reelbench.data import Relation
    from reelbench.method import Context, Method

PREPARED_BYTES = 512 << 20


class Loader:
    """Batches of one relation.

    Parameters
    ----------
    ctx
        The phase's context, without generators; ``ctx.training`` says whether batches are shuffled.
    """

    def __init__(self, relation: Relation, reader: FeatureReader, method: Method, ctx: Context) -> None:
        assert ctx.phase is not None
        self.relation, self.phase, self._seed = relation, ctx.phase, ctx.seed
        self.generator = ExampleGenerator()
        self.preparer = Preparer(method, reader, self.generator, ctx.device, room_bytes=PREPARED_BYTES)
        self.ctx = replace(ctx, rng=self.generator.rng)
        self._streams = [stream_of(e.id) for e in relation]
        self._lengths = [length_of(e, reader.rate_hz) for e in relation]

    def order(self, epoch: int) -> list[list[int]]:
        """The epoch's batches, as indices into the relation; opens the epoch's random streams."""
        self.generator.key(self._seed, "sample", self.phase.name, epoch)
        rng = np.random.default_rng(derive_seed(self._seed, "order", self.phase.name, epoch))
        return bucketed_batches(self._lengths, self.phase.batch_size, rng, bucket=self.phase.bucket)

    def batch(self, indices: Sequence[int], ctx: Context) -> Batch:
        """Examples sampled, read, prepared and padded."""
        examples = [self.relation.examples[i] for i in indices]
        return self.preparer.batch(examples, [self._streams[i] for i in indices], ctx, self.relation)

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """Every batch of an epoch: shuffled in training, in the relation's order in validation."""
        ctx = replace(self.ctx, epoch=epoch)
        for indices in self.order(epoch) if ctx.training else self._in_order():
            yield self.batch(indices, ctx)

    def _in_order(self) -> Iterator[Any]:
        self.generator.key(self._seed, "sample", self.phase.name, "validation")
        return chunks(np.argsort(self._lengths, kind="stable").tolist(), self.phase.batch_size)
