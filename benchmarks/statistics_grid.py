"""How often the leaderboard's test is wrong, and how often it finds what is there: seeds by clusters, one pair and a table of twelve.

    python benchmarks/statistics_grid.py [--trials N]

Simulated rows share how hard each cluster is; a row has noise of its own on clusters, on seeds, and on both together. Sizes should lie in 3–7 %,
families in at most 7 %, power near 80 % at the difference that ``resolvable`` names. Read by people, not asserted; a fast version runs in the tests.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from reelbench.reports.statistics.contrast import Scores, contrast
from reelbench.reports.statistics.pairs import all_pairs, tell_apart
from reelbench.reports.statistics.power import resolvable
from reelbench.resampling import cluster_weights

SEEDS, CLUSTERS = (3, 5), (15, 75, 300)
ROWS = 12
SHARED_SD, OWN_SD, SEED_SD, BOTH_SD = 0.2, 0.1, 0.02, 0.05


def rows_of(rng: np.random.Generator, effects: list[float], seeds: int, weights: np.ndarray) -> list[Scores]:
    """Rows with these true effects, on one test set."""
    clusters = weights.shape[1]
    share, hard = weights / clusters, rng.normal(0, SHARED_SD, clusters)
    rows = []
    for effect in effects:
        own = hard + rng.normal(0, OWN_SD, clusters)
        cells = (
            0.5
            + effect
            + own
            + rng.normal(0, SEED_SD, (seeds, 1))
            + rng.normal(0, BOTH_SD, (seeds, clusters))
        )
        rows.append(Scores(tuple(cells.mean(axis=1)), cells @ share.T, clusters))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=2000)
    trials = parser.parse_args().trials
    print(
        f"{'seeds':>5} {'clusters':>8} {'size %':>7} {'power %':>8} {'family %':>9}  ({trials} pairs, {trials // 4} tables of {ROWS})"
    )
    started = time.perf_counter()
    for seeds in SEEDS:
        for clusters in CLUSTERS:
            rng = np.random.default_rng(1000 * seeds + clusters)
            weights = cluster_weights([f"c{i}" for i in range(clusters)], 500)
            size = np.mean(
                [contrast(*rows_of(rng, [0.0, 0.0], seeds, weights)).p < 0.05 for _ in range(trials)]
            )
            typical = [contrast(*rows_of(rng, [0.0, 0.0], seeds, weights)) for _ in range(200)]
            error, freedom = (
                float(np.median([getattr(c, name) for c in typical])) for name in ("error", "freedom")
            )
            effect = resolvable(error, freedom)
            power = np.mean(
                [contrast(*rows_of(rng, [effect, 0.0], seeds, weights)).p < 0.05 for _ in range(trials)]
            )
            family = np.mean([
                (tell_apart(all_pairs(rows_of(rng, [0.0] * ROWS, seeds, weights)), higher=True, level=0.05)[0] < 0.05).any()
                for _ in range(trials // 4)
            ])  # fmt: skip
            print(
                f"{seeds:5d} {clusters:8d} {100 * size:7.1f} {100 * power:8.1f} {100 * family:9.1f}",
                flush=True,
            )
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
