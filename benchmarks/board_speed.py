"""How long a leaderboard's statistics and pages take.

    python benchmarks/board_speed.py table --store sqlite:///mlflow.db
    python benchmarks/board_speed.py board --trials 10000 --folder /tmp/board

``table``: of each benchmark in a store, seconds to resample one trial's score sheet, and of a table of twelve such rows with three seeds to
resample all of them and to compute its intervals, pairs, ranks and what it resolves. ``board``: makes a store of so many synthetic trials (fifty
rows of five seeds a benchmark, 2,000 draws each; kept in the folder) and draws its site from nothing, once more with nothing changed, after a new trial,
and after another one only its benchmark; each time in a fresh process. Seconds on the wall and of the processor, and the largest memory of the process. On a busy machine read the processor's seconds.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

ROWS, SEEDS, CLUSTERS = 50, 5, 300
TABLE_ROWS, TABLE_SEEDS = 12, 3
METRICS = ("recall_at_1", "cider", "median_rank")
INSERTS = {
    "runs": "insert into runs (run_uuid, name, source_type, status, start_time, end_time, lifecycle_stage, artifact_uri, experiment_id, user_id) "
    "values (?, 'trial', 'LOCAL', 'FINISHED', 1760000000000, 1760000100000, 'active', ?, ?, '')",
    "tags": "insert into tags (key, value, run_uuid) values (?, ?, ?)",
    "metrics": "insert into metrics (key, value, timestamp, run_uuid, step, is_nan) values (?, ?, 0, ?, 0, 0)",
    "latest_metrics": "insert into latest_metrics (key, value, timestamp, step, is_nan, run_uuid) values (?, ?, 0, 0, 0, ?)",
}


def clocked(work: Callable[[], Any]) -> tuple[Any, str]:
    """What it returns, and ``1.2 s (1.1 s of the processor)``."""
    wall, processor = time.perf_counter(), time.process_time()
    found = work()
    return (
        found,
        f"{time.perf_counter() - wall:6.2f} s ({time.process_time() - processor:6.2f} s of the processor)",
    )


def table(uri: str) -> None:
    """Statistics of a table of twelve, of each benchmark that a store has."""
    from reelbench.benchmarks import Benchmark
    from reelbench.registry import build_registry
    from reelbench.reports.frames import load
    from reelbench.reports.leaderboard import Board, Row, boards
    from reelbench.reports.standing import stand
    from reelbench.resampling import replicate
    from reelbench.scoring import ScoreSheet

    tasks = build_registry().tasks
    for board in boards(load(uri)):
        if not (trials := [t for row in board.rows for t in row.finished if t.replicates()]):
            continue
        sheet, task = ScoreSheet.load(trials[0].file("sheet")), tasks[Benchmark.parse(board.benchmark).task]
        replicate(task, sheet)  # the draws themselves are made once a benchmark
        _, one = clocked(lambda task=task, sheet=sheet: replicate(task, sheet))
        seconds = float(one.split("(")[1].split()[0]) * TABLE_ROWS * TABLE_SEEDS
        rows = [
            Row(f"row{i}", tuple(replace(trials[(i + s) % len(trials)], run_id=f"{i}-{s}") for s in range(TABLE_SEEDS)))
            for i in range(TABLE_ROWS)
        ]  # fmt: skip
        _, standing = clocked(lambda rows=rows, board=board: stand(Board(board.benchmark, tuple(rows))))
        print(
            f"{board.benchmark:50s} resampling of one sheet {one}, of {TABLE_ROWS * TABLE_SEEDS} {seconds:6.1f} s; statistics {standing}"
        )


def board(folder: Path, trials: int) -> None:
    """A synthetic store's site: from nothing, and again."""
    folder.mkdir(parents=True, exist_ok=True)
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    if not (folder / "mlflow.db").exists():
        print("making the store:", clocked(lambda: fill(folder, uri, trials))[1])
    for kept in ("site", "workspace"):
        shutil.rmtree(folder / kept, ignore_errors=True)
    draw("from nothing", folder)
    draw("nothing changed", folder)
    name = next(iter(names(trials)))
    for what, benchmark in (("a new trial", ""), ("a new trial, its benchmark alone", name)):
        with sqlite3.connect(folder / "mlflow.db") as database:
            experiment = database.execute(
                "select experiment_id from experiments where name = ?", (f"reelbench/{name}",)
            ).fetchone()[0]
            insert(database, folder, name, experiment, f"newcomer-{uuid.uuid4().hex[:6]}", range(1))
        draw(what, folder, benchmark)


def draw(what: str, folder: Path, benchmark: str = "") -> None:
    """In a fresh process: its seconds without imports of the program's start, and its memory."""
    print(f"{what}: ", end="", flush=True)
    words = [sys.executable, __file__, "draw", "--folder", str(folder)]
    subprocess.run([*words, *(["--benchmark", benchmark] if benchmark else [])], check=True)


def drawing(folder: Path, benchmark: str) -> None:
    from reelbench.reports.render import draw_site

    uri, chosen = f"sqlite:///{folder / 'mlflow.db'}", [benchmark] if benchmark else []
    _, told = clocked(lambda: draw_site(uri, folder / "site", chosen, workspace=folder / "workspace"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{told}, {peak:,.0f} MiB")


def names(trials: int) -> Iterator[str]:
    """Benchmarks enough for so many trials."""
    for k in range(max(1, trials // (ROWS * SEEDS))):
        yield f"task{k:02d}@microworld/small:p"


def fill(folder: Path, uri: str, trials: int) -> None:
    """Rows straight into the database: MLflow's client takes minutes for so many."""
    from reelbench.tracking.store import Store

    store = Store(uri)
    for name in names(trials):
        experiment = store.experiment(f"reelbench/{name}")
        with sqlite3.connect(folder / "mlflow.db") as database:
            for k in range(ROWS):
                insert(database, folder, name, experiment, f"method-{k:02d}", range(SEEDS))


def insert(
    database: sqlite3.Connection, folder: Path, benchmark: str, experiment: str, method: str, seeds: range
) -> None:
    """The trials of a row, as ``docs/record.md`` says; the tests' synthetic record is taken for what lies in them."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "reports"))
    import synthetic

    from reelbench.resampling import cluster_weights, save_replicates

    weights = cluster_weights([f"story-{i}" for i in range(CLUSTERS)])
    for seed in seeds:
        rng, run = np.random.default_rng(abs(hash((method, seed))) % 2**32), uuid.uuid4().hex
        naming = synthetic._naming(method, "full", "method", benchmark, ("frames",), seed, "")
        values = synthetic._metrics(naming["label"], seed)
        place = folder / "mlruns" / run
        (place / "sheet").mkdir(parents=True)
        (place / "record.json").write_text(json.dumps(synthetic._record(naming, values)), encoding="utf-8")
        (place / "examples.json").write_text("[]", encoding="utf-8")
        noise = weights @ rng.normal(0, 0.2, CLUSTERS) / CLUSTERS
        save_replicates({n: (values[n] + noise).astype(np.float32) for n in METRICS}, place / "sheet")
        database.execute(INSERTS["runs"], (run, str(place), experiment))
        database.executemany(
            INSERTS["tags"], [(k, v, run) for k, v in synthetic._tags("trial", naming).items()]
        )
        for where in ("metrics", "latest_metrics"):
            database.executemany(INSERTS[where], [(f"test/{k}", v, run) for k, v in values.items()])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("table", "board", "draw"))
    parser.add_argument("--store", default="sqlite:///mlflow.db")
    parser.add_argument("--folder", type=Path, default=Path("board-speed"))
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--benchmark", default="")
    told = parser.parse_args()
    if told.what == "table":
        table(told.store)
    elif told.what == "board":
        board(told.folder.absolute(), told.trials)
    else:
        drawing(told.folder, told.benchmark)


if __name__ == "__main__":
    main()
