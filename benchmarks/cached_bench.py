"""How long a suite takes of which everything is recorded already, and where the time goes.

Runs the real command in a fresh process, several times, in a folder where the suite has been run (or where the first
time runs it), and times what it calls: the registry, the plan, the import of MLflow, the look-up, each life-cycle
plugin's part. A part's seconds leave out those of the parts inside it. On a busy machine read the processor's seconds.

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

Pair = tuple[float, float]

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
    """Seconds by part, on the wall and of the processor, those of inner parts left out."""

    def __init__(self) -> None:
        self.seconds: dict[str, Pair] = {}
        self._open: list[Pair] = []

    def timed(self, part: str, work: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(work)
        def call(*args: Any, **kwargs: Any) -> Any:
            started = now()
            self._open.append((0.0, 0.0))
            try:
                return work(*args, **kwargs)
            finally:
                took = minus(now(), started)
                self.add(part, minus(took, self._open.pop()))
                if self._open:
                    self._open[-1] = plus(self._open[-1], took)

        return call

    def add(self, part: str, seconds: Pair) -> None:
        self.seconds[part] = plus(self.seconds.get(part, (0.0, 0.0)), seconds)


def now() -> Pair:
    return time.perf_counter(), time.process_time()


def plus(a: Pair, b: Pair) -> Pair:
    return a[0] + b[0], a[1] + b[1]


def minus(a: Pair, b: Pair) -> Pair:
    return a[0] - b[0], a[1] - b[1]


def measured(arguments: list[str]) -> None:
    """Run the command in this process and print its parts, as JSON, on standard error's last line."""
    clock, started = Clock(), now()
    cli = importlib.import_module("reelbench.cli.run")
    for part, (module, name) in PARTS.items():
        _replace(importlib.import_module(module), name, functools.partial(clock.timed, part))
    clock.add("imports of reelbench", minus(now(), started))
    try:
        cli.run.main(arguments, standalone_mode=False)
    finally:
        clock.add("whole, once Python runs", minus(now(), started))
        print(json.dumps(clock.seconds), file=sys.stderr)


def _replace(module: Any, name: str, around: Callable[[Any], Any]) -> None:
    *owners, last = name.split(".")
    for owner in owners:
        module = getattr(module, owner)
    setattr(module, last, around(getattr(module, last)))


def once(folder: Path, arguments: list[str]) -> dict[str, Pair]:
    """Seconds by part of one run in a fresh process."""
    command = [sys.executable, __file__, "--inside", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stderr.strip().splitlines()[-1])


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
    print(
        f"{options.suite}, everything cached, median of {options.times}: seconds on the wall, of the processor"
    )
    for part in runs[0]:
        wall, processor = (statistics.median(r.get(part, (0.0, 0.0))[k] for r in runs) for k in range(2))
        print(f"  {part:<24} {wall:6.2f} {processor:6.2f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        measured(sys.argv[2:])
    else:
        main()
