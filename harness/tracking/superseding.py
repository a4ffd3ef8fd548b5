"""Which runs of a row still count: those of the newest plan's families; older editions are tagged as superseded."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from reelbench.stages import Stage
from reelbench.tracking.entries import experiment_of, naming_tags, row_of, run_kind, stage_naming
from reelbench.tracking.runs import RunWriter

if TYPE_CHECKING:
    from mlflow.entities import Run

Row = tuple[str, ...]


def families_by_row(stages: Sequence[Stage]) -> dict[Row, set[str]]:
    """The families that a plan holds for each row of each table."""
    rows: dict[Row, set[str]] = {}
    for stage in stages:
        naming = stage_naming(stage)
        if run_kind(naming) is not None:
            rows.setdefault(row_of(naming_tags(naming)), set()).add(stage.family)
    return rows


def supersede(writer: RunWriter, stages: Sequence[Stage], reused: Collection[str] = ()) -> int:
    """Tag older editions of the plan's rows, and untag the plan's own; returns how many runs changed.

    A row of which the plan finished nothing keeps what it had.

    Parameters
    ----------
    reused
        Families of runs that stand for stages of the plan though theirs is another (``--reuse=compatible``).
    """
    experiments = {experiment_of(stage_naming(s)) for s in stages if run_kind(stage_naming(s)) is not None}
    runs = writer.store.search(
        [writer.store.experiment(e) for e in sorted(experiments)], "attributes.status = 'FINISHED'"
    )
    changes = changed(runs, {row: own.union(reused) for row, own in families_by_row(stages).items()})
    for run_id, value in changes.items():
        writer.log(run_id, tags={"rb.superseded": value})
    return len(changes)


def changed(runs: Sequence[Run], families: Mapping[Row, set[str]]) -> dict[str, str]:
    """Run id → the value its ``rb.superseded`` must get, for the runs where that is new."""
    tags = {run.info.run_id: run.data.tags for run in runs if "rb.damaged" not in run.data.tags}
    done = {row_of(t) for t in tags.values() if t.get("rb.family") in families.get(row_of(t), ())}
    wanted = {
        i: str(t.get("rb.family") not in families[row_of(t)]).lower()
        for i, t in tags.items()
        if row_of(t) in done
    }
    return {i: value for i, value in wanted.items() if tags[i].get("rb.superseded", "false") != value}
