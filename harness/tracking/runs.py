"""Writes stages as MLflow runs: created RUNNING, filled in batches, FINISHED last."""

from __future__ import annotations

import json
import os
import socket
import tempfile
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from reelbench.errors import ReelbenchError
from reelbench.predictions import DENSE, META, TABLE
from reelbench.resampling import REPLICATES
from reelbench.stages import StageFolder, is_relaxed, weight_files
from reelbench.tracking.checks import verify
from reelbench.tracking.entries import (
    TAG_LIMIT,
    Point,
    experiment_of,
    fingerprint_tag,
    finite_points,
    naming_tags,
    params,
    result_tags,
    run_name,
)
from reelbench.tracking.held import RECORD_TAG, RunFiles, file_digest
from reelbench.tracking.markers import mark_recorded
from reelbench.tracking.store import FITS, Store, redact, tracking_errors

if TYPE_CHECKING:
    from mlflow.entities import Run

LEASE = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
_BATCH = 1000


class UnrecordedError(ReelbenchError):
    """A finished stage that cannot be recorded as it is: its files are gone, or contradict a run of the same fingerprint."""

    exit_code = 7


class RunWriter:
    """Writes the runs of one store.

    Parameters
    ----------
    workspace
        Where the stage folders are.
    """

    def __init__(self, store: Store, workspace: Path) -> None:
        self.store, self.workspace = store, workspace
        self.client = store.client
        self._fit_runs: dict[str, str] = {}

    # --- life of a run ------------------------------------------------------------------------------------------

    def start(self, stage: Mapping[str, Any], started_ms: int | None = None) -> str:
        """Create the stage's run, RUNNING under this process's lease; returns its id."""
        experiment = self.store.experiment(experiment_of(stage))
        tags = naming_tags(stage) | heartbeat()
        with self._errors():
            run = self.client.create_run(
                experiment, start_time=started_ms or _now_ms(), tags=tags, run_name=run_name(stage)
            )
        return str(run.info.run_id)

    def beat(self, run_ids: Iterable[str], progress: Mapping[str, str]) -> None:
        """Refresh the heartbeats of running runs, and say how far they are."""
        for run_id in run_ids:
            told = {"rb.progress": progress[run_id]} if run_id in progress else {}
            self.log(run_id, tags=heartbeat() | told)

    def finish(self, record: Mapping[str, Any], run_id: str | None = None) -> str:
        """Send a finished stage; returns the id of the run that counts.

        Raises
        ------
        UnrecordedError
            If the predictions differ from those of another run of the same fingerprint, or are gone.
        """
        folder = StageFolder(self.workspace, record["kind"], record["fingerprint"]).path
        with self._sending(record["fingerprint"]):
            run_id = run_id or self.start(record, record["started_ms"])
            try:
                counted = self._counted_twin(record, run_id) or self._fill(record, run_id, folder)
            except UnrecordedError as error:
                self.end(run_id, "FAILED", str(error))
                mark_recorded(folder, run_id, self.store.shown, refused=str(error))
                raise
            self._remember(record, folder, counted)
        return counted

    def fail(self, record: Mapping[str, Any], run_id: str | None = None) -> str:
        """Record a stage that failed, was interrupted or is lost with another, with its traceback; returns the run's id."""
        run_id = run_id or self.start(record, record["started_ms"])
        with self._errors():
            self.client.log_text(run_id, redact(json.dumps(record, indent=1, default=str)), "record.json")
        self.end(
            run_id,
            "KILLED" if record["status"] == "interrupted" else "FAILED",
            record["error"],
            record["ended_ms"],
            **({"lost_with": record["lost_with"]} if "lost_with" in record else {}),
        )
        return run_id

    def end(
        self, run_id: str, status: str, error: str = "", ended_ms: int | None = None, **tags: str
    ) -> None:
        """Give a run its last status, and say why where it is not FINISHED."""
        told = {"rb.error": redact(error)[:TAG_LIMIT]} if error else {}
        if told or tags:
            self.log(run_id, tags=told | {f"rb.{k}": v for k, v in tags.items()})
        with self._errors():
            self.client.set_terminated(run_id, status, ended_ms or _now_ms())

    def log(
        self,
        run_id: str,
        points: Sequence[Point] = (),
        params: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Log in as few calls as the store takes."""
        from mlflow.entities import Metric, Param, RunTag

        entries = [Metric(name, value, time_ms, step) for name, value, time_ms, step in points]
        first = _BATCH - len(params or ()) - len(tags or ())
        with self._errors():
            self.client.log_batch(
                run_id,
                entries[:first],
                [Param(k, v) for k, v in (params or {}).items()],
                [RunTag(k, v[:TAG_LIMIT]) for k, v in (tags or {}).items()],
            )
            for at in range(first, len(entries), _BATCH):
                self.client.log_batch(run_id, entries[at : at + _BATCH])

    def log_json(self, run_id: str, value: Any, name: str) -> None:
        """Keep a JSON artifact."""
        with self._errors():
            self.client.log_text(run_id, redact(json.dumps(value, indent=1, default=str)), name)

    # --- what a finished run holds ------------------------------------------------------------------------------

    def _fill(self, record: Mapping[str, Any], run_id: str, folder: Path) -> str:
        with self._files(record, folder) as files:
            self._upload(files, run_id)
        links = {"rb.fit_runs": ",".join(self._fits_of(record))} if record["kind"] != "fit" else {}
        whole = {RECORD_TAG: file_digest(folder / "record.json")}
        self.log(run_id, finite_points(record), params(record), result_tags(record) | links | whole)
        self.end(run_id, "FINISHED", ended_ms=record["ended_ms"])
        return self._first_of_twins(record)

    def _upload(self, files: Sequence[tuple[Path, str | None]], run_id: str) -> None:
        if gone := [str(path) for path, _ in files if not path.exists()]:
            raise UnrecordedError(f"{gone[0]} is gone; run the suite again")
        with self._errors():
            for path, place in files:
                self.client.log_artifact(run_id, str(path), place)

    @contextmanager
    def _files(self, record: Mapping[str, Any], folder: Path) -> Iterator[list[tuple[Path, str | None]]]:
        """The files of a stage and the artifact folder of each, as ``docs/record.md`` lays them out."""
        own: list[tuple[Path, str | None]] = [(folder / "record.json", None)]
        if record["kind"] == "fit":
            yield own + [
                (path, None)
                for path in [*weight_files(folder), folder / "assets.json", folder / "assets.safetensors"]
            ]
        elif record["kind"] == "predict":
            yield own + _prediction_files(folder)
        else:
            own += [
                (folder / "sheet.json", "sheet"),
                (folder / "sheet.safetensors", "sheet"),
                (folder / REPLICATES, "sheet"),
                (folder / "examples.json", None),
            ]
            own += [(path, "strips") for path in sorted((folder / "strips").glob("*.jpg"))]
            with self._predictions(record) as predictions:
                yield own + _prediction_files(predictions)

    @contextmanager
    def _predictions(self, record: Mapping[str, Any]) -> Iterator[Path]:
        """The folder of a trial's predictions: in the workspace, or in the run of an earlier score of the same."""
        fingerprint = record["fingerprints"]["predict"]
        folder = StageFolder(self.workspace, "predict", fingerprint)
        if folder.finished:
            yield folder.path
            return
        with tempfile.TemporaryDirectory() as spare:
            for run in self.runs_of("predict", fingerprint, experiment_of(record)):
                path = RunFiles(self.store, self.workspace, run).folder("predictions", Path(spare))
                if verify("predict", path, record["predictions_digest"]) is None:
                    yield path
                    return
            raise UnrecordedError(
                f"the predictions of {run_name(record)} on {record['benchmark']} are gone; run the suite again"
            )

    def runs_of(self, kind: str, fingerprint: str, experiment: str) -> list[Run]:
        """FINISHED runs of a stage, newest first."""
        condition = f"attributes.status = 'FINISHED' and tags.`{fingerprint_tag(kind)}` = '{fingerprint}'"
        return self.store.search([self.store.experiment(experiment)], condition)

    def _fits_of(self, record: Mapping[str, Any]) -> list[str]:
        wanted = record["fingerprints"]["fits"] if record["kind"] == "score" else record["fits"]
        for fingerprint in wanted:
            if fingerprint not in self._fit_runs and (found := self.runs_of("fit", fingerprint, FITS)):
                self._fit_runs[fingerprint] = found[0].info.run_id
        return [self._fit_runs[f] for f in wanted if f in self._fit_runs]

    # --- the same stage, finished twice -------------------------------------------------------------------------

    def _counted_twin(self, record: Mapping[str, Any], run_id: str) -> str | None:
        """The id of a sound FINISHED run of the same fingerprint; this run then ends as its duplicate."""
        for twin in self.runs_of(record["kind"], record["fingerprint"], experiment_of(record)):
            self._check_equal(twin, record)
            if RunFiles(self.store, self.workspace, twin).problem(record["kind"]) is None:
                self.end(
                    run_id, "KILLED", "finished meanwhile by another bench", duplicate_of=twin.info.run_id
                )
                return str(twin.info.run_id)
            self.log(
                twin.info.run_id,
                tags={"rb.superseded": "true", "rb.damaged": "its artifacts are gone or altered"},
            )
        return None

    def _first_of_twins(self, record: Mapping[str, Any]) -> str:
        """The run that counts where benches on several workspaces finished at the same moment; all of them find the same one."""
        twins = self.runs_of(record["kind"], record["fingerprint"], experiment_of(record))
        sound = [twin for twin in twins if "rb.damaged" not in twin.data.tags]
        first, *others = sorted(sound, key=lambda run: (run.info.start_time, run.info.run_id))
        self._check_equal(first, record)
        for twin in others:
            self.end(
                twin.info.run_id,
                "KILLED",
                "finished by another bench at the same moment",
                duplicate_of=first.info.run_id,
            )
        return str(first.info.run_id)

    def _check_equal(self, twin: Run, record: Mapping[str, Any]) -> None:
        """Raise if predictions on a CPU, which repeat exactly, came out otherwise than in another run.

        Where the fingerprint leaves versions and device out, they need not be equal.
        """
        deterministic = (
            record["kind"] == "score"
            and record["hardware"]["device"] == "cpu"
            and not is_relaxed("score", record)
        )
        if deterministic and twin.data.tags.get("rb.digest") != record["predictions_digest"]:
            raise UnrecordedError(
                f"predictions of {run_name(record)} on {record['benchmark']} differ from those of run {twin.info.run_id}, which has the same "
                "fingerprint; something that matters is not in the fingerprint, or a device is not exact: delete the run that is wrong"
            )

    # --- markers ------------------------------------------------------------------------------------------------

    def _remember(self, record: Mapping[str, Any], folder: Path, run_id: str) -> None:
        if record["kind"] == "fit":
            self._fit_runs[record["fingerprint"]] = run_id
        folders = [folder]
        if record["kind"] == "score":
            folders.append(StageFolder(self.workspace, "predict", record["fingerprints"]["predict"]).path)
        for path in folders:
            if path.exists():
                mark_recorded(path, run_id, self.store.shown)

    @contextmanager
    def _sending(self, fingerprint: str) -> Iterator[None]:
        """One sender a stage, so that two benches on one workspace record it once."""
        folder = self.workspace / "leases"
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f"{fingerprint}.sending.lock"):
            yield

    def _errors(self) -> Any:
        return tracking_errors(self.store.uri)


def heartbeat() -> dict[str, str]:
    """Tags that say whose a running run is, and that its process lives."""
    return {"rb.lease": LEASE, "rb.heartbeat_ms": str(_now_ms())}


def _prediction_files(folder: Path) -> list[tuple[Path, str | None]]:
    return [(folder / name, "predictions") for name in (TABLE, DENSE, META, "record.json")]


def _now_ms() -> int:
    return round(time.time() * 1000)
