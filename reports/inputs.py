"""What enters a chapter, as digests: rows of the record, artifacts that were read, and the code that draws.

Runs that finished still change: they are deleted, superseded, tagged, and their files are lost. So a chapter is not
known by its runs' ids but by all that their rows say, and by size and time of change of each file that was opened.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import reelbench
from reelbench import reports
from reelbench.fingerprints import digest, versions_of
from reelbench.reports.frames import Mark, Results, Trial

_LIBRARIES = ("reelbench", "jinja2", "markupsafe", "numpy", "scipy", "safetensors")
Read = list[str | Mark]


def rows_digest(benchmark: str, results: Results) -> str:
    """Of the trials of a benchmark, of the failed fits that may be theirs, and of the code."""
    trials = results.of(benchmark)
    datasets = {trial.tags.get("rb.dataset") for trial in trials}
    fits = [fit for fit in results.failed_fits if fit.tags.get("rb.dataset") in datasets]
    return digest([code_digest(), benchmark, [t.digest for t in trials], [f.digest for f in fits]])


def files_read(trials: Iterable[Trial]) -> list[Read]:
    """Run, artifact and mark of each artifact that was opened."""
    return [[trial.run_id, name, mark] for trial in trials for name, mark in trial.opened.items()]


@cache
def code_digest() -> str:
    """Of reports with its templates, of what of the harness they are made with, and of the libraries' versions."""
    roots = [Path(package.__path__[0]) for package in (reelbench, reports)]
    files = [
        *_sources(roots[0], "*.py"),
        *_sources(roots[0] / "tracking", "*.py"),
        *_sources(roots[1], "**/*"),
    ]
    contents = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    return digest([contents, versions_of(_LIBRARIES), platform.python_version()])


def _sources(folder: Path, pattern: str) -> Sequence[Path]:
    return sorted(p for p in folder.glob(pattern) if p.is_file() and p.suffix != ".pyc")
