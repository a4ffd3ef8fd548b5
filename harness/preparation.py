"""From examples to a batch on a device: sampled, read, prepared by the method, padded.

An example whose preparation read nothing that differs between visits is prepared once a fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from reelbench.batching import Batch, batch_bytes, collate
from reelbench.method import Context, Method

if TYPE_CHECKING:
    from reelbench.data import Example
    from reelbench.examples import FeatureReader
    from reelbench.seeding import ExampleGenerator

DIFFERS_BETWEEN_VISITS = frozenset({"epoch", "step", "progress", "rng", "generator"})


class Preparer:
    """Turns examples into a batch for one method: sample, resolve, prepare, collate.

    Parameters
    ----------
    generator
        Set to each example's own stream before the method draws.
    device
        Where the batch goes.
    room_bytes
        How much of prepared examples may be remembered for their next visit, by the size of their batches.
    """

    def __init__(
        self,
        method: Method,
        reader: FeatureReader,
        generator: ExampleGenerator,
        device: Any,
        *,
        room_bytes: int = 0,
    ) -> None:
        self.method, self.reader, self.generator, self.device = method, reader, generator, device
        self._samples = type(method).sample is not Method.sample
        self._prepares = type(method).prepare is not Method.prepare
        self._resolved: dict[int, Example] = {}
        self._prepared: dict[int, Example] = {}
        self._room_bytes = room_bytes if self._samples or self._prepares else 0

    def batch(
        self, examples: Sequence[Example], streams: Sequence[int], ctx: Context, source: Any = None
    ) -> Batch:
        """A batch of examples whose random streams are ``streams``; negatives are drawn where ``source`` is given."""
        known = len(self._prepared)
        prepared = [self._one(e, s, ctx, source) for e, s in zip(examples, streams, strict=True)]
        batch = collate(prepared)
        if len(self._prepared) > known:
            self._room_bytes -= batch_bytes(batch)
        return batch if str(self.device) == "cpu" else batch.to(self.device)

    def _one(self, example: Example, stream: int, ctx: Context, source: Any) -> Example:
        known = self._prepared.get(stream)
        if known is not None:
            return known
        if self._room_bytes <= 0:
            return self._make(example, stream, ctx, source)
        watched = _Watched.of(ctx)
        made = self._make(example, stream, watched, source)
        if watched.differs:
            self._room_bytes = 0  # watching costs time, and the others will hardly do without
        else:
            self._prepared[stream] = made
        return made

    def _make(self, example: Example, stream: int, ctx: Context, source: Any) -> Example:
        if self._samples or self._prepares:
            self.generator.at(stream)
        if self._samples and source is not None:
            example = self.method.sample(example, source, ctx)
            example = self.reader.resolve(example)
        else:
            example = self._resolve_once(example, stream)
        return self.method.prepare(example, ctx) if self._prepares else example

    def _resolve_once(self, example: Example, stream: int) -> Example:
        """The resolved example, remembered while its arrays are in memory anyway."""
        known = self._resolved.get(stream)
        if known is None:
            known = self.reader.resolve(example)
            if not self.reader.cache.full:
                self._resolved[stream] = known
        return known


class _Watched(Context):
    """A context that notes whether something was read of it that differs from visit to visit."""

    differs = False

    @classmethod
    def of(cls, ctx: Context) -> _Watched:
        """A watched copy; ``replace`` of it reads every field, and so is noted."""
        watched = object.__new__(cls)
        watched.__dict__.update(ctx.__dict__)
        return watched

    def __getattribute__(self, name: str) -> Any:
        if name in DIFFERS_BETWEEN_VISITS:
            self.__dict__["differs"] = True
        return super().__getattribute__(name)
