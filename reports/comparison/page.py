"""What the page of a comparison says, and the same as JSON."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reelbench.errors import UsageError
from reelbench.reports import numbers
from reelbench.reports.comparison.caveats import caveats_of
from reelbench.reports.comparison.outcomes import KindLine, Outcomes, by_kind, kinds_of, outcomes_of, widest
from reelbench.reports.leaderboard import Board, Row
from reelbench.reports.pages import title_of, where_of
from reelbench.reports.standing import FEWEST_CLUSTERS, scores_of, why_no_scores
from reelbench.reports.statistics.contrast import Contrast, contrast
from reelbench.reports.tables import distinct_names, places

if TYPE_CHECKING:
    from reelbench.data import EvaluationSet
    from reelbench.dataset import Dataset
    from reelbench.predictions import Predictions
    from reelbench.task import Task

EXAMPLES = 6


class IncomparableError(UsageError):
    """Two rows of a benchmark that cannot be held side by side."""


@dataclass(frozen=True)
class MetricLine:
    """One metric of both rows, and their difference."""

    spec: numbers.Spec
    left: float
    right: float
    difference: Contrast

    @property
    def p(self) -> float | None:
        """Of no difference; ``None`` where the error cannot be told, and where the metric gets an interval only."""
        return self.difference.p if self.difference.is_known and not self.is_interval_only else None

    @property
    def is_interval_only(self) -> bool:
        """Whether no t stands behind a p of the metric, as of a median (``docs/statistics.md``)."""
        return bool(self.spec.get("interval_only"))


@dataclass(frozen=True)
class Said:
    """What one seed of a row predicted for an example, and what that scored."""

    seed: int
    score: float
    text: str


@dataclass(frozen=True)
class Told:
    """An example with what a seed of both rows predicted.

    Attributes
    ----------
    lead
        The difference of the rows' scores, each a mean over its seeds.
    strip
        A data address of a JPEG.
    """

    id: str
    lead: float
    show: Mapping[str, str]
    left: Said
    right: Said
    strip: str | None


@dataclass(frozen=True)
class Comparison:
    """Two rows on one benchmark."""

    board: Board
    left: Row
    right: Row
    metrics: tuple[MetricLine, ...]
    kinds: tuple[KindLine, ...] = ()
    wins: tuple[Told, ...] = ()
    losses: tuple[Told, ...] = ()

    @property
    def names(self) -> tuple[str, str]:
        """What the rows are called in the benchmark's table."""
        names = distinct_names(self.board.rows)
        return names[self.left.label], names[self.right.label]


def compare_rows(
    board: Board, left: Row, right: Row, task: Task, dataset: Dataset, *, examples: int = EXAMPLES
) -> Comparison:
    """Everything that can be said of two rows of a board.

    Raises
    ------
    IncomparableError
        If they were scored on different test sets, or on other data than those here.
    """
    _check_test_sets(left, right, dataset)
    metrics = compare_metrics(board, left, right)
    protocol, split = str(board.record["protocol"]), str(board.record["split"])
    evaluation = task.evaluation(dataset, protocol, split)
    try:
        one, other = outcomes_of(left, task), outcomes_of(right, task)
    except NotImplementedError:  # a task that does not rank its examples
        return Comparison(board, left, right, metrics)
    except ValueError as error:
        raise IncomparableError(str(error)) from None
    if (one.ids, one.sheet.cluster_names) != (other.ids, other.sheet.cluster_names):
        raise IncomparableError(DIFFERENT)
    kinds = by_kind(one, other, kinds_of(evaluation, dataset), (left.deterministic, right.deterministic))
    wins, losses = widest(one, other, examples)
    told = _Teller(left, right, (one, other), task, dataset, evaluation)
    return Comparison(
        board, left, right, metrics, tuple(kinds), tuple(map(told, wins)), tuple(map(told, losses))
    )


DIFFERENT = "the two rows were scored on different test sets"


def _check_test_sets(left: Row, right: Row, dataset: Dataset) -> None:
    for name in ("clusters_digest", "data"):
        if left.record.get(name) != right.record.get(name):
            raise IncomparableError(DIFFERENT)
    data = left.record.get("data")
    if data and data != dataset.fingerprint:
        raise IncomparableError(
            f"the data here have fingerprint {dataset.fingerprint[:12]}, the record's {str(data)[:12]}"
        )


def compare_metrics(board: Board, left: Row, right: Row) -> tuple[MetricLine, ...]:
    """The difference on every metric that both rows have replicates of.

    Raises
    ------
    IncomparableError
        If they were scored on different test sets.
    """
    one, other = scores_of(left), scores_of(right)
    try:
        return tuple(
            MetricLine(spec, one[name].mean, other[name].mean, contrast(one[name], other[name]))
            for spec in board.specs
            if (name := str(spec["name"])) in one and name in other
        )
    except ValueError as error:
        raise IncomparableError(str(error)) from None


class _Teller:
    """Looks examples up: what was asked, what each row's first seed predicted and scored, and the film strip."""

    def __init__(
        self,
        left: Row,
        right: Row,
        outcomes: tuple[Outcomes, Outcomes],
        task: Task,
        dataset: Dataset,
        evaluation: EvaluationSet,
    ) -> None:
        self.task, self.dataset, self.evaluation, self.outcomes = task, dataset, evaluation, outcomes
        self.predicted = [_predictions(row) for row in (left, right)]
        self.seeds = [row.finished[0].seed for row in (left, right)]
        self.places = [{i: k for k, i in enumerate(p.ids)} for p in self.predicted]
        self.examples = {e.id: e for e in evaluation.examples}

    def __call__(self, index: int) -> Told:
        example = self.examples[self.outcomes[0].ids[index]]
        targets = self.evaluation.targets.get(example.id, {})
        shown = [
            self.task.show(example, targets, p.row(places[example.id]), self.evaluation)
            for p, places in zip(self.predicted, self.places, strict=True)
        ]
        clip = self.evaluation.clip_of(example)
        image = self.dataset.film_strip(clip) if clip else None
        left, right = (
            Said(seed, float(outcomes.scores[0, index]), shown_here.get("Predicted", ""))
            for seed, outcomes, shown_here in zip(self.seeds, self.outcomes, shown, strict=True)
        )
        lead = float(self.outcomes[0].mean[index] - self.outcomes[1].mean[index])
        asked = {k: v for k, v in shown[0].items() if k != "Predicted"}
        strip = f"data:image/jpeg;base64,{base64.b64encode(image).decode()}" if image else None
        return Told(example.id, lead, asked, left, right, strip)


def _predictions(row: Row) -> Predictions:
    from reelbench.predictions import DENSE, META, TABLE, Predictions

    trial = row.finished[0]
    files = [trial.file(f"predictions/{name}") for name in (TABLE, DENSE, META)]
    return Predictions.load(files[0].parent)


def page_of(found: Comparison) -> dict[str, Any]:
    """The values of the template."""
    board, names = found.board, found.names
    return {
        "title": title_of(board), "where": where_of(board), "names": names, "benchmark": board.benchmark, "seeds": [r.seeds for r in (found.left, found.right)],
        "metrics": [_metric_values(board, line) for line in found.metrics], "kinds": [_kind_values(line) for line in found.kinds],
        "warnings": warnings(found), "fewest": FEWEST_CLUSTERS, "has_interval_only": any(line.is_interval_only for line in found.metrics),
        "examples": {f"{names[0]} wins by most": found.wins, f"{names[1]} wins by most": found.losses},
    }  # fmt: skip


def warnings(found: Comparison) -> list[str]:
    """What must be said of every interval: that there are few clusters, and what is known of the rows' seeds; then which metrics have none."""
    clusters = int(found.board.record.get("clusters", 0))
    rows = dict(zip(found.names, (found.left, found.right), strict=True))
    return [*_few(clusters), *caveats_of(rows), *_uncompared(found, rows)]


def _uncompared(found: Comparison, rows: Mapping[str, Row]) -> Iterator[str]:
    """A metric of which a row has no scores, and why."""
    compared = {str(line.spec["name"]) for line in found.metrics}
    left = [spec for spec in found.board.specs if str(spec["name"]) not in compared]
    scores = {name: scores_of(row) for name, row in rows.items()} if left else {}
    for spec in left:
        for name, there in scores.items():
            if why := why_no_scores(rows[name], str(spec["name"]), there, f" of {name}"):
                yield f"{spec.get('title') or spec['name']} is not compared: {why}"


def _few(clusters: int) -> Iterator[str]:
    if clusters < 2:
        yield f"{clusters} cluster of test examples: how large an error is cannot be told"
    elif clusters < FEWEST_CLUSTERS:
        yield f"only {clusters} clusters of test examples: the intervals are not to be believed"


def _metric_values(board: Board, line: MetricLine) -> dict[str, str]:
    spec, digits, diff = line.spec, places(board, line.spec), line.difference
    return {
        "head": numbers.metric_head(spec), "left": f"{numbers.shown(spec, line.left):.{digits}f}", "right": f"{numbers.shown(spec, line.right):.{digits}f}",
        "difference": numbers.signed(spec, diff.estimate, digits), "interval": numbers.interval(spec, diff.interval(), digits) if diff.is_known else UNKNOWN,
        "p": numbers.MISSING if line.is_interval_only else UNKNOWN if line.p is None else f"{line.p:.2g}",
    }  # fmt: skip


def _kind_values(line: KindLine) -> dict[str, Any]:
    low, high = line.difference.interval()
    return {
        "by": line.by, "kind": line.kind, "examples": line.examples, "left": f"{line.left:.3f}", "right": f"{line.right:.3f}",
        "difference": f"{line.difference.estimate:+.3f}".replace("-", "−"),
        "interval": f"[{low:.3f}, {high:.3f}]".replace("-", "−") if line.difference.is_known else UNKNOWN, "sure": line.is_sure,
    }  # fmt: skip


UNKNOWN = "unknown"


def _finite(value: float) -> float | None:
    """JSON has no infinity, and no number that is none."""
    return value if math.isfinite(value) else None


def comparison_object(found: Comparison) -> dict[str, Any]:
    """The comparison as JSON, metrics as they are stored."""

    def told(difference: Contrast, p: float | None) -> dict[str, Any]:
        interval = list(difference.interval()) if difference.is_known else None
        return {"estimate": _finite(difference.estimate), "interval": interval, "p": p}

    def listed(examples: Sequence[Told]) -> list[dict[str, Any]]:
        return [{"id": e.id, "lead": e.lead, "left": e.left.score, "right": e.right.score} for e in examples]

    return {
        "benchmark": found.board.benchmark, "left": found.left.label, "right": found.right.label, "warning": "; ".join(warnings(found)),
        "example_seeds": [row.finished[0].seed for row in (found.left, found.right)],
        "metrics": [{"name": m.spec["name"], "left": _finite(m.left), "right": _finite(m.right), **told(m.difference, m.p)} for m in found.metrics],
        "kinds": [{"by": k.by, "kind": k.kind, "examples": k.examples, "clusters": k.clusters, "left": k.left, "right": k.right, **told(k.difference, k.difference.p if k.difference.is_known else None)} for k in found.kinds],
        "wins": listed(found.wins), "losses": listed(found.losses),
    }  # fmt: skip
