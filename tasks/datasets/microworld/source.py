"""Registers microworld: its name, its sizes and what it can evaluate, without importing numpy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from reelbench.dataset import BenchmarkSpec, Dataset, DatasetSource, Finding
from reelbench.tasks.datasets.microworld.benchmarks import BENCHMARKS
from reelbench.tasks.datasets.microworld.sizes import DEFAULT_SIZE, SIZES, parse_path


class MicroworldSource(DatasetSource):
    """Opens ``microworld/SIZE[/drawN]``, generating it into the cache folder on first use."""

    name = "microworld"
    title = "microworld"
    sizes = tuple(SIZES)
    default_size = DEFAULT_SIZE
    licence = "generated here; Apache-2.0 as the rest"
    generated = True

    def open(self, path: str, *, data_dir: Path | None, cache_dir: Path) -> Dataset:
        """Open a corpus; ``data_dir`` is not used."""
        from reelbench.tasks.datasets.microworld.dataset import Microworld

        corpus = parse_path(path)
        return Microworld(corpus, cache_dir / corpus.folder)

    def with_stories(self, path: str, stories: int) -> str:
        """``small`` with 200 is ``small/stories200``."""
        return f"{path}/stories{stories}"

    def list_benchmarks(self) -> Sequence[BenchmarkSpec]:
        """All of them, whatever the size."""
        return BENCHMARKS

    def verify(self, path: str) -> Iterator[Finding]:
        """The information rows of a corpus: what its scripts carry, measured without drawing it."""
        from reelbench.tasks.datasets.microworld.information.findings import list_findings

        return list_findings(parse_path(path))
