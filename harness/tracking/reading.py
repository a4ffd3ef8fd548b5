"""Runs as plain rows, for reports: of a database on this disk read with a few queries, of any other store by MLflow's client.

MLflow makes an object of each tag and metric and takes seconds to be imported; ten thousand runs cost more so than all
statistics on them. Where the database is not as these queries know it, the client is asked.
"""

from __future__ import annotations

import hashlib
import json
import math
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from reelbench.tracking.store import Store, absolute_uri, sqlite_path, tracking_errors

if TYPE_CHECKING:
    from mlflow.entities import Run

_WAIT_S = 30.0
_CHOSEN = (
    "CREATE TEMP TABLE chosen AS SELECT run_uuid, name, status, start_time, artifact_uri FROM runs "
    "WHERE lifecycle_stage = 'active' AND experiment_id IN (SELECT experiment_id FROM experiments "
    "WHERE lifecycle_stage = 'active') AND experiment_id IN ({ids}){tagged} "
    "ORDER BY start_time IS NULL, start_time DESC, run_uuid"
)
_TAGGED = " AND EXISTS (SELECT 1 FROM tags t WHERE t.run_uuid = runs.run_uuid AND t.key = ? AND t.value = ?)"
_NEWEST_FIRST = (
    "SELECT *, (SELECT json_group_object(key, value) FROM tags WHERE tags.run_uuid = chosen.run_uuid) "
    "FROM chosen ORDER BY rowid"
)
_METRICS = "SELECT run_uuid, key, CASE WHEN is_nan THEN NULL ELSE value END FROM chosen JOIN latest_metrics USING (run_uuid)"


@dataclass(frozen=True)
class RunRow:
    """A run: all its tags, the last value of each of its metrics.

    Attributes
    ----------
    digest
        Another where anything else of it changed.
    """

    run_id: str
    name: str
    status: str
    started_ms: int
    artifact_uri: str
    tags: Mapping[str, str]
    metrics: Mapping[str, float]
    digest: str


class RunReader:
    """Reads a store, and never writes to it.

    Raises
    ------
    TrackingError
        From every method, if the store cannot be reached or read.
    """

    def __init__(self, uri: str) -> None:
        self.uri = absolute_uri(uri)
        self._database = sqlite_path(self.uri)

    @cached_property
    def store(self) -> Store:
        """The same by MLflow's client."""
        return Store(self.uri)

    def experiments(self) -> Mapping[str, str]:
        """Name → id of reelbench's experiments."""
        try:
            with self._rows() as database:
                found = database.execute(
                    "SELECT name, experiment_id FROM experiments WHERE lifecycle_stage = 'active' "
                    "AND name LIKE 'reelbench/%'"
                )
                return {str(name): str(number) for name, number in found}
        except sqlite3.Error:
            return self.store.experiments()

    def runs(self, experiments: Sequence[str], tags: Mapping[str, str]) -> list[RunRow]:
        """Runs of experiments (ids) that have these tags, newest first, deleted ones left out."""
        try:
            with self._rows() as database:
                return list(_read(database, experiments, tags))
        except sqlite3.Error:
            return self._asked(experiments, tags)

    def download(self, run_id: str, name: str) -> Path:
        """An artifact that is not on this disk."""
        with tracking_errors(self.uri):
            return Path(self.store.client.download_artifacts(run_id, name))

    def _asked(self, experiments: Sequence[str], tags: Mapping[str, str]) -> list[RunRow]:
        condition = " and ".join(f"tags.`{key}` = '{value}'" for key, value in tags.items())
        return [_plain(run) for run in self.store.search(experiments, condition)]

    @contextmanager
    def _rows(self) -> Iterator[sqlite3.Connection]:
        """The database, which cannot be written this way."""
        if self._database is None:
            raise sqlite3.NotSupportedError("not a database on this disk")
        address = f"{self._database.as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=_WAIT_S, isolation_level=None)) as database:
            yield database


def _read(
    database: sqlite3.Connection, experiments: Sequence[str], wanted: Mapping[str, str]
) -> Iterator[RunRow]:
    chosen = _CHOSEN.format(ids=", ".join("?" * len(experiments)), tagged=_TAGGED * len(wanted))
    database.execute("PRAGMA temp_store = MEMORY")
    database.execute("BEGIN")  # the runs, their tags and metrics as they are at one moment
    database.execute(chosen, (*experiments, *(part for tag in wanted.items() for part in tag)))
    metrics: dict[str, dict[str, float]] = {}
    for run_id, key, value in database.execute(_METRICS):
        metrics.setdefault(run_id, {})[key] = math.nan if value is None else value
    for run_id, name, status, started_ms, artifact_uri, tags in database.execute(_NEWEST_FIRST):
        found = metrics.get(run_id, {})
        digest = _hash(run_id, name, status, started_ms, artifact_uri, tags, found)
        yield RunRow(
            run_id, name or "", status, started_ms, artifact_uri, json.loads(tags), found, digest
        )  # fmt: skip


def _plain(run: Run) -> RunRow:
    info, data = run.info, run.data
    told = info.run_id, info.run_name or "", info.status, info.start_time, info.artifact_uri
    digest = _hash(*told, sorted(data.tags.items()), sorted(data.metrics.items()))
    return RunRow(*told, data.tags, data.metrics, digest)


def _hash(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()
