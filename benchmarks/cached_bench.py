"""How long a suite takes of which everything is recorded already, and where the time goes.

Runs the real command in a fresh process, several times, in a folder where the suite has been run (or where the first
time runs it), and times what it calls: the registry, the plan, the import of MLflow, the look-up, each life-cycle
plugin's part. A part's seconds leave out those of the parts inside it. Parts on other threads overlap, so they may add
up to more than the whole.

    python benchmarks/cached_bench.py smoke --folder /tmp/cached --times 3
"""

from __future__ import annotations

import argparse
import functools
import importlib
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PARTS = {
    "registry": ("reelbench.registry", "build_registry"),
    "plan": ("reelbench.bench", "build_plan"),
    "look-up": ("reelbench.tracking.cache", "CachedStages.lookup"),
    "store opened": ("reelbench.tracking.store", "_open_client"),
    "files checked": ("reelbench.tracking.held", "RunFiles.hit"),
    "watchers": ("reelbench.lifecycle", "LifeCycle._tell"),
    "waiting for MLflow": ("reelbench.tracking.background", "Background.close"),
}


class Clock:
    """Seconds by part, those of inner parts left out."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._open: list[float] = []

    def timed(self, part: str, work: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(work)
        def call(*args: Any, **kwargs: Any) -> Any:
            started = time.perf_counter()
            self._open.append(0.0)
            try:
                return work(*args, **kwargs)
            finally:
                took = time.perf_counter() - started
                self.seconds[part] = self.seconds.get(part, 0.0) + took - self._open.pop()
                if self._open:
                    self._open[-1] += took

        return call


def measured(arguments: list[str]) -> None:
    """Run the command in this process and print its parts, as JSON, on standard error's last line."""
    clock, started = Clock(), time.perf_counter()
    import reelbench.cli.run

    clock.seconds["command line"] = time.perf_counter() - started
    for part, (module, name) in PARTS.items():
        before = time.perf_counter()
        _replace(importlib.import_module(module), name, lambda work, part=part: clock.timed(part, work))
        clock.seconds["imports of reelbench"] = (
            clock.seconds.get("imports of reelbench", 0.0) + time.perf_counter() - before
        )
    try:
        reelbench.cli.run.run.main(arguments, standalone_mode=False)
    finally:
        print(json.dumps(clock.seconds), file=sys.stderr)


def _replace(module: Any, name: str, around: Callable[[Any], Any]) -> None:
    *owners, last = name.split(".")
    for owner in owners:
        module = getattr(module, owner)
    setattr(module, last, around(getattr(module, last)))


def once(folder: Path, arguments: list[str]) -> dict[str, float]:
    """Seconds by part of one run in a fresh process, ``whole`` among them."""
    started = time.perf_counter()
    command = [sys.executable, __file__, "--inside", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    whole = time.perf_counter() - started
    if not done.stderr.strip().startswith(("{", "suite")) and done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stderr.strip().splitlines()[-1]) | {"whole": whole}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("suite")
    parser.add_argument("--folder", type=Path, required=True, help="Where the suite was run, or is to be.")
    parser.add_argument("--times", type=int, default=3)
    options, rest = parser.parse_known_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    runs = [once(options.folder, [options.suite, *rest]) for _ in range(options.times + 1)][1:]
    print(f"{options.suite}, everything cached, median of {options.times} (seconds)")
    for part in runs[0]:
        print(f"  {part:<22} {statistics.median(r.get(part, 0.0) for r in runs):6.2f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        measured(sys.argv[2:])
    else:
        main()
