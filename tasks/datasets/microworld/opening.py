"""Opening a corpus: what is there is checked cheaply, what is missing is generated, with its cost said beforehand."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reelbench.errors import FeatureError
from reelbench.features.manifest import Manifest, check_size
from reelbench.tasks.datasets.microworld.shards import Report, generate
from reelbench.tasks.datasets.microworld.sizes import Corpus

SECONDS_A_VIDEO = 0.048
MEGABYTES_A_VIDEO = 0.303
PLAIN_LINE_S = 5.0


def complete_manifest(corpus: Corpus, root: Path, *, processes: int = 2) -> Manifest:
    """The manifest of a corpus whose files are all there and as long as they should be."""
    manifest = _sound_manifest(root)
    if manifest is not None:
        return manifest
    with _shown(corpus) as report:
        return generate(corpus, root, report, processes=processes)


def _sound_manifest(root: Path) -> Manifest | None:
    """The manifest on disk; ``None`` where it is absent or damaged, or a file is not as long as it says."""
    try:
        manifest = Manifest.load(root)
    except (FeatureError, UnicodeDecodeError):
        return None
    return None if any(check_size(root, *item) for item in manifest.files.items()) else manifest


def estimate(corpus: Corpus) -> tuple[float, float]:
    """Seconds on two cores and megabytes that a corpus takes."""
    filmed = corpus.stories.filmed
    videos = 2 * sum(filmed.values()) - filmed["unlabelled"]
    return videos * SECONDS_A_VIDEO / 2, videos * MEGABYTES_A_VIDEO


@contextmanager
def _shown(corpus: Corpus) -> Iterator[Report]:
    seconds, megabytes = estimate(corpus)
    title = f"generating {corpus.name} (about {seconds:.0f} s, {megabytes:.0f} MB)"
    with _bar(title) if sys.stderr.isatty() else _lines(title) as report:
        yield report


@contextmanager
def _bar(title: str) -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(bar, completed=done, total=total)


@contextmanager
def _lines(title: str) -> Iterator[Report]:
    print(title, file=sys.stderr, flush=True)
    last = time.monotonic()

    def report(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last > PLAIN_LINE_S:
            last = time.monotonic()
            print(f"{title}: {done} of {total} parts", file=sys.stderr, flush=True)

    yield report
