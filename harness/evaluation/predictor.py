"""A module's predictions for blinded examples: the same code in a fit's validation and in a predict stage."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from reelbench.batching import Batch, batch_bytes
from reelbench.determinism import autocast, own_randomness
from reelbench.errors import PredictionError
from reelbench.evaluation.blinding import Blinded, blind, matrix_columns, unblind
from reelbench.evaluation.pairwise import Tiling, check_matrix, concatenate, score_matrix
from reelbench.examples import chunks, length_of
from reelbench.method import Context, Method
from reelbench.predictions import Predictions
from reelbench.preparation import Preparer
from reelbench.seeding import ExampleGenerator, derive_seed

if TYPE_CHECKING:
    from reelbench.data import EvaluationSet
    from reelbench.examples import FeatureReader
    from reelbench.predictions import Column
    from reelbench.task import Task

Advance = Callable[[int], None]
Prepared = tuple[Batch, Sequence[int], Context]
KEPT_BYTES = 256 << 20


@dataclass(frozen=True)
class Predictor:
    """Predicts one evaluation set with any number of modules of one method.

    Attributes
    ----------
    ctx
        Task, protocol, settings and the rest; its generators are set here.
    advance
        Called with the number of examples that were just seen.
    kept
        Prepared batches of a side, for one that is predicted again and again; ``None`` keeps none.
    """

    method: Method
    task: Task
    reader: FeatureReader
    ctx: Context
    precision: str
    batch_size: int = 64
    tiling: Tiling = field(default_factory=Tiling)
    advance: Advance = lambda seen: None
    kept: dict[str, list[Prepared]] | None = None

    @property
    def schema(self) -> Mapping[str, Column]:
        """What a batch must be given: the columns of the task that the protocol asks for."""
        return self.task.columns(self.ctx.protocol or next(iter(self.task.protocols), ""))

    def blind(self, evaluation: EvaluationSet) -> tuple[Blinded, Blinded | None]:
        """Queries, and the gallery of a pairwise task."""
        queries = blind(evaluation.examples, self.ctx.seed, "query", self.task.inputs)
        if not self.task.pairwise:
            return queries, None
        return queries, blind(evaluation.gallery, self.ctx.seed, "gallery", self.task.inputs)

    def predict(
        self, module: torch.nn.Module | None, queries: Blinded, gallery: Blinded | None
    ) -> Predictions:
        """Predictions under opaque ids, in the blinded order."""
        device = str(self.ctx.device)
        seed = derive_seed(self.ctx.seed, "predict")
        with (
            own_randomness(seed, device) as generator,
            torch.no_grad(),
            autocast(self.precision, device),
            _evaluating(module),
        ):
            ctx = replace(self.ctx, generator=generator)
            if gallery is not None:
                return self._pairwise(module, queries, gallery, ctx)
            return self._by_steps(module, queries, ctx)

    def reveal(self, predictions: Predictions, queries: Blinded, gallery: Blinded | None) -> Predictions:
        """The same under true ids, in the evaluation set's order."""
        return unblind(predictions, queries, gallery, matrix_columns(self.task.prediction))

    # --- one example at a time ----------------------------------------------------------------------------------

    def _by_steps(self, module: Any, queries: Blinded, ctx: Context) -> Predictions:
        columns: dict[str, list[Any]] = {name: [None] * len(queries.examples) for name in self.schema}
        for batch, places, step_ctx in self._batches(queries, ctx):
            predicted = self.method.predict_step(module, batch, step_ctx)
            for name, rows in self._checked(predicted, len(batch)).items():
                for place, row in zip(places, rows, strict=True):
                    columns[name][place] = row
        ids = tuple(e.id for e in queries.examples)
        return Predictions(ids, {name: self._column(name, rows) for name, rows in columns.items()})

    def _checked(self, predicted: Mapping[str, Any], size: int) -> dict[str, Any]:
        """A batch's columns as plain rows."""
        schema, who = self.schema, f"method {self.method.name!r} on {self.task.name}"
        if not isinstance(predicted, Mapping) or set(predicted) != set(schema):
            got = sorted(predicted) if isinstance(predicted, Mapping) else type(predicted).__name__
            raise PredictionError(f"{who}: predict_step must return the columns {sorted(schema)}, got {got}")
        rows = {name: plain(value) for name, value in predicted.items()}
        for name, value in rows.items():
            if len(value) != size:
                raise PredictionError(
                    f"{who}: column {name!r} has {len(value)} rows for a batch of {size} examples"
                )
        return rows

    def _column(self, name: str, rows: list[Any]) -> Any:
        if self.task.prediction[name].kind != "array":
            return [row.tolist() if isinstance(row, np.ndarray | np.generic) else row for row in rows]
        try:
            return np.stack([np.asarray(row) for row in rows])
        except ValueError as error:
            shapes = sorted({np.shape(row) for row in rows})
            raise PredictionError(
                f"method {self.method.name!r} on {self.task.name}: column {name!r} has rows of shapes {shapes[:4]}"
            ) from error

    # --- pairs --------------------------------------------------------------------------------------------------

    def _pairwise(self, module: Any, queries: Blinded, gallery: Blinded, ctx: Context) -> Predictions:
        check_matrix(len(queries.examples), len(gallery.examples), self.tiling)
        query = self._encode(module, self.method.encode_query, queries, ctx)
        against = self._encode(module, self.method.encode_gallery, gallery, ctx)
        score = lambda q, g: self.method.score(module, q, g, ctx)  # noqa: E731
        matrix = score_matrix(
            score, query, against, (len(queries.examples), len(gallery.examples)), self.tiling
        )
        (name,) = matrix_columns(self.task.prediction)
        ids, gallery_ids = tuple(e.id for e in queries.examples), tuple(e.id for e in gallery.examples)
        return Predictions(ids, {name: matrix}, gallery_ids)

    def _encode(self, module: Any, encode: Any, side: Blinded, ctx: Context) -> Any:
        """Encodings of one side, in the blinded order."""
        parts: list[Any] = []
        order: list[int] = []
        for batch, places, step_ctx in self._batches(side, ctx):
            parts.append(encode(module, batch, step_ctx))
            order += places
        return concatenate(parts, np.argsort(order))

    def _batches(self, side: Blinded, ctx: Context) -> Iterator[Prepared]:
        """Prepared batches of similar length, and where their examples stand."""
        name = side.examples[0].id if side.examples else ""
        if self.kept is not None and name in self.kept:
            for batch, places, step_ctx in self.kept[name]:
                yield batch, places, replace(step_ctx, generator=ctx.generator)
            return
        made: list[Prepared] = []
        for prepared in self._prepare(side, ctx):
            if self.kept is not None:
                made.append(prepared)
            yield prepared
            self.advance(len(prepared[1]))
        if self.kept is not None and sum(batch_bytes(batch) for batch, _, _ in made) < KEPT_BYTES:
            self.kept[name] = made

    def _prepare(self, side: Blinded, ctx: Context) -> Iterator[Prepared]:
        generator = ExampleGenerator()
        generator.key(ctx.seed, "predict")
        reader = self.reader.without(self.task.withheld)
        preparer = Preparer(self.method, reader, generator, ctx.device)
        step_ctx = replace(ctx, rng=generator.rng)
        lengths = [length_of(e, reader.rate_hz) for e in side.examples]
        order = np.argsort(lengths, kind="stable").tolist()
        for places in chunks(order, self.batch_size):
            yield (
                preparer.batch(
                    [side.examples[i] for i in places], [side.streams[i] for i in places], step_ctx
                ),
                places,
                step_ctx,
            )


class _evaluating:
    """Puts a module into evaluation mode for a stretch."""

    def __init__(self, module: torch.nn.Module | None) -> None:
        self.module = module

    def __enter__(self) -> None:
        if self.module is not None:
            self.modes = {m: m.training for m in self.module.modules()}
            self.module.eval()

    def __exit__(self, *_: object) -> None:
        if self.module is not None:
            for module, training in self.modes.items():
                module.training = training


def plain(value: Any) -> Any:
    """Tensors as numpy arrays on the CPU, floats in single precision; lists untouched."""
    if isinstance(value, torch.Tensor):
        value = value.detach()
        return (value.float() if value.is_floating_point() else value).cpu().numpy()
    if isinstance(value, list):
        return [plain(v) if isinstance(v, torch.Tensor) else v for v in value]
    return value
