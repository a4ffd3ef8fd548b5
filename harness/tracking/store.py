"""An MLflow store: which one, opened safely by several processes at once, and never with its password shown.

Everything that talks to MLflow goes through :class:`Store`, so that an unreachable server is one kind of error
with one line, and usage reports to the outside are off before MLflow is imported.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from filelock import FileLock

from reelbench.errors import TrackingError

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.tracking import MlflowClient

DEFAULT_URI = "sqlite:///mlflow.db"
FITS, SUITES = "reelbench/fits", "reelbench/suites"
PAGE = 1000

_LOGIN = re.compile(r"(?<!sqlite)(?<!file)://(?:[^\s'\"/:@]*:(?!\d+(?:[/?#]|$))[^\s'\"]*|[^\s'\"/?#]*)@")
_SECRET = re.compile(r"([?&][\w-]*(?:password|passwd|pwd|token|secret|signature)=)[^&\s'\"]+", re.IGNORECASE)
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
}


def resolve_uri(flag: str | None = None) -> str:
    """The tracking URI: the flag, else ``MLFLOW_TRACKING_URI``, else ``sqlite:///mlflow.db``."""
    return flag or os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI


def redact(text: str) -> str:
    """The text with user names, passwords and tokens in addresses replaced by ``***``."""
    return _SECRET.sub(r"\1***", _LOGIN.sub("://***@", text))


def experiment_name(benchmark: str) -> str:
    """The experiment that holds a benchmark's trials."""
    return f"reelbench/{benchmark}"


def be_quiet() -> None:
    """No usage reports, short waits for a server, no chatter; what the user set in the environment stands."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    for logger in ("mlflow", "alembic", "urllib3.connectionpool"):
        logging.getLogger(logger).setLevel(logging.ERROR)


@contextmanager
def tracking_errors(uri: str) -> Iterator[None]:
    """Turn whatever goes wrong with a store into a one-line :class:`TrackingError` without its password."""
    try:
        yield
    except TrackingError:
        raise
    except Exception as error:
        cause = " ".join(redact(str(error)).split())
        raise TrackingError(f"MLflow store {redact(uri)}: {cause[:300]}") from None


def sqlite_path(uri: str) -> Path | None:
    """The database file of a ``sqlite:`` URI, absolute; ``None`` for other stores."""
    if not uri.startswith("sqlite:///"):
        return None
    return Path(uri.removeprefix("sqlite:///").partition("?")[0]).absolute()


def absolute_uri(uri: str) -> str:
    """The same store whatever the working folder."""
    path = sqlite_path(uri)
    return f"sqlite:///{path}" if path else uri


def is_missing(uri: str) -> bool:
    """Whether it is a database file that nobody has made yet."""
    path = sqlite_path(uri)
    return path is not None and not path.exists()


class Store:
    """An open MLflow store.

    Raises
    ------
    TrackingError
        From every method, if the store cannot be reached or read.
    """

    def __init__(self, uri: str) -> None:
        self.uri = absolute_uri(uri)
        self.shown = redact(self.uri)
        self._experiments: dict[str, str] = {}
        with tracking_errors(self.uri):
            self.client = _open_client(self.uri)

    def experiments(self) -> Mapping[str, str]:
        """Name → id of reelbench's experiments."""
        with tracking_errors(self.uri):
            found = _pages(
                lambda token: self.client.search_experiments(
                    filter_string="name LIKE 'reelbench/%'", max_results=PAGE, page_token=token
                )
            )
        self._experiments.update({e.name: e.experiment_id for e in found})
        return self._experiments

    def experiment(self, name: str) -> str:
        """The id of an experiment, made if it is not there."""
        if name not in self._experiments:
            with tracking_errors(self.uri):
                self._experiments[name] = self._find(name) or self._create(name)
        return self._experiments[name]

    def search(
        self, experiments: Sequence[str], condition: str = "", *, limit: int | None = None
    ) -> list[Run]:
        """Runs of experiments (ids) that meet a condition, newest first, deleted ones left out; at most ``limit``."""
        if not experiments:
            return []

        def ask(token: str | None) -> Any:
            return self.client.search_runs(
                list(experiments),
                condition,
                max_results=limit or PAGE,
                order_by=["attributes.start_time DESC"],
                page_token=token,
            )

        with tracking_errors(self.uri):
            return list(ask(None)) if limit else _pages(ask)

    def _find(self, name: str) -> str | None:
        found = self.client.get_experiment_by_name(name)
        return found.experiment_id if found else None

    def _create(self, name: str) -> str:
        from mlflow.exceptions import MlflowException

        root = artifact_root(self.uri)
        location = f"{root}/{re.sub(r'[^A-Za-z0-9.@_-]+', '-', name)}" if root else None
        try:
            return str(self.client.create_experiment(name, artifact_location=location))
        except MlflowException:
            if found := self._find(name):
                return found  # another bench made it meanwhile
            raise


def artifact_root(uri: str) -> str | None:
    """Where a database store keeps files: ``MLFLOW_DEFAULT_ARTIFACT_ROOT``, else ``mlruns`` beside it; a server decides for itself."""
    if configured := os.environ.get("MLFLOW_DEFAULT_ARTIFACT_ROOT"):
        return configured.rstrip("/")
    if urlsplit(uri).scheme in ("http", "https", "databricks"):
        return None
    database = sqlite_path(uri)
    folder = database.parent if database else Path.cwd()
    return (folder / "mlruns").as_uri()


def local_folder(artifact_uri: str) -> Path | None:
    """The folder of an artifact URI on this machine's disk; ``None`` for a remote one."""
    path = local_path(artifact_uri)
    return None if path is None else Path(path)


def local_path(artifact_uri: str) -> str | None:
    """The same as text, for those who ask of thousands."""
    if artifact_uri.startswith("/"):
        return artifact_uri
    from urllib.request import url2pathname

    parts = urlsplit(artifact_uri)
    if parts.scheme == "file":
        return url2pathname(parts.path)
    return artifact_uri if parts.scheme == "" else None


def _open_client(uri: str) -> MlflowClient:
    """A client whose database is there: made once, under a lock, because concurrent migrations kill each other."""
    be_quiet()
    from mlflow.tracking import MlflowClient

    be_quiet()  # importing mlflow sets its loggers' levels
    database = sqlite_path(uri)
    if database is None:
        return _answering(MlflowClient(tracking_uri=uri))
    database.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{database}.lock", timeout=120):
        return _answering(MlflowClient(tracking_uri=uri))


def _answering(client: MlflowClient) -> MlflowClient:
    """The client, once its store has answered."""
    client.search_experiments(max_results=1)
    return client


def _pages(fetch: Any) -> list[Any]:
    """Every item of a paged answer."""
    page = fetch(None)
    items = list(page)
    while page.token:
        page = fetch(page.token)
        items += page
    return items
