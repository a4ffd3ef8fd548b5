"""Reading a database's rows tells the same as asking MLflow's client."""

from __future__ import annotations

import math
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from reelbench.tracking.reading import RunReader, RunRow
from reelbench.tracking.store import Store

TRIALS = {"rb.kind": "trial", "rb.superseded": "false"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Two experiments, one deleted and one of somebody else's; runs of each status, superseded, deleted, started at one moment."""
    from mlflow.entities import Metric

    made = Store(f"sqlite:///{tmp_path_factory.mktemp('reading') / 'mlflow.db'}")
    client = made.client
    for name in ("reelbench/a@x:p", "reelbench/b@x:p", "reelbench/gone@x:p", "other"):
        experiment = made.experiment(name)
        for k, status in enumerate(("FINISHED", "FAILED", "KILLED", "RUNNING", "FINISHED", "FINISHED")):
            tags = TRIALS | {
                "rb.superseded": str(k == 4).lower(),
                "said": 'a "quoted" word ☺ \\ \n\t \x1b[31m \u202e {}',
            }
            run = client.create_run(experiment, start_time=1000 + k // 2, tags=tags, run_name=f"run {k}")
            told = [("test/r", 0.1 * k, 0), ("test/r", math.nan if k == 2 else 0.5, 3), ("big", math.inf, 0)]
            client.log_batch(run.info.run_id, [Metric(key, v, 7, step) for key, v, step in told])
            client.set_terminated(run.info.run_id, status)
        client.delete_run(run.info.run_id)
    client.create_run(made.experiment("reelbench/a@x:p"))
    client.delete_experiment(made.experiment("reelbench/gone@x:p"))
    return made


def told(rows: list[RunRow]) -> list[str]:
    """As text, because NaN equals nothing."""
    return [
        repr(replace(row, tags=sorted(row.tags.items()), metrics=sorted(row.metrics.items()), digest=""))
        for row in rows
    ]


@pytest.mark.parametrize(
    ("tags", "count"), [({}, 11), (TRIALS, 8), ({"rb.kind": "trial"}, 10), ({"rb.kind": "fit"}, 0)]
)
def test_rows_of_the_database_are_what_the_client_tells(
    store: Store, tags: dict[str, str], count: int, monkeypatch: pytest.MonkeyPatch
):
    asked, read = RunReader(store.uri), RunReader(store.uri)
    monkeypatch.setattr(asked, "_database", None)
    experiments = asked.experiments()
    assert read.experiments() == experiments
    assert sorted(experiments) == ["reelbench/a@x:p", "reelbench/b@x:p"]
    ids = list(experiments.values())
    found = read.runs(ids, tags)
    assert told(found) == told(asked.runs(ids, tags))
    assert len(found) == count


def test_the_client_is_not_opened_where_rows_can_be_read(store: Store):
    reader = RunReader(store.uri)
    reader.runs(list(reader.experiments().values()), TRIALS)
    assert "store" not in vars(reader)


def test_of_no_experiment_there_are_no_runs(store: Store):
    assert RunReader(store.uri).runs([], {}) == []


def test_a_database_of_another_schema_is_left_to_the_client(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with sqlite3.connect(tmp_path / "other.db") as database:
        database.execute("create table runs (id integer)")
    reader = RunReader(store.uri)
    monkeypatch.setattr(reader, "_database", tmp_path / "other.db")
    experiments = list(reader.experiments().values())
    assert told(reader.runs(experiments, TRIALS)) == told(RunReader(store.uri).runs(experiments, TRIALS))


def test_the_digest_changes_with_any_tag_metric_and_status_alone(
    store: Store, monkeypatch: pytest.MonkeyPatch
):
    read, asked = RunReader(store.uri), RunReader(store.uri)
    monkeypatch.setattr(asked, "_database", None)
    experiments = list(read.experiments().values())
    run = next(row.run_id for row in read.runs(experiments, TRIALS) if row.status == "RUNNING")

    def digests(of: str = run) -> list[str]:
        every = [row for reader in (read, asked) for row in reader.runs(experiments, {"rb.kind": "trial"})]
        return [row.digest for row in every if row.run_id == of]

    seen = [digests()]
    assert seen == [digests()]
    for change in (
        lambda: store.client.set_tag(run, "said", "more"),
        lambda: store.client.log_metric(run, "test/r", 0.75, step=4),
        lambda: store.client.set_terminated(run, "KILLED"),
    ):
        change()
        seen.append(digests())
    assert all(len(set(column)) == 4 for column in zip(*seen, strict=True))
