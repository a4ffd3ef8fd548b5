"""Rules for a table of twelve equal rows with few seeds: how often any difference is declared, and how often one of 5 and 15 points is found.

    python benchmarks/few_seeds.py [--tables N]

``satterthwaite`` is the leaderboard's. ``moderated`` shrinks the rows' seed variances towards each other (Smyth 2004), ``cochran`` weighs the
quantiles of the terms (Cochran and Cox 1957). Seed SDs are alike, of two kinds, or lognormal; clusters are 300 and hardly matter. In seconds: scores are
drawn as normal and the variance over clusters as chi-squared.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from scipy.special import digamma, polygamma, stdtr, stdtrit

ROWS, CLUSTERS, SEED_SD, CLUSTER_SD, LEVEL = 12, 300, 0.02, 0.0058, 0.05
PAIRS = np.triu_indices(ROWS, 1)
COUNT = len(PAIRS[0])
RULES = ("satterthwaite", "moderated", "cochran")
Array = np.ndarray


def welch(lead: Array, paired: Array, seeds: Array, freedom: Array) -> Array:
    """p of every pair by Satterthwaite's degrees of freedom."""
    one, other = PAIRS
    total = paired + seeds[one] + seeds[other]
    below = paired**2 / (CLUSTERS - 1) + seeds[one] ** 2 / freedom[one] + seeds[other] ** 2 / freedom[other]
    return np.asarray(2 * stdtr(total**2 / below, -lead / np.sqrt(total)))


def moderated(variance: Array, freedom: int) -> tuple[Array, Array]:
    """Variances shrunk towards a common one, and their degrees of freedom: Smyth's empirical Bayes."""
    log = np.log(variance) - digamma(freedom / 2) + np.log(freedom / 2)
    excess, most = log.var(ddof=1) - polygamma(1, freedom / 2), ROWS * freedom
    if excess <= 0:
        return np.full(ROWS, np.exp(log.mean())), np.full(ROWS, float(most))
    half = 0.5 + 1 / excess
    for _ in range(50):  # Newton's steps to the inverse of the trigamma function
        half += polygamma(1, half) * (1 - polygamma(1, half) / excess) / polygamma(2, half)
    common = np.exp(log.mean() + digamma(half) - np.log(half))
    shrunk = (2 * half * common + freedom * variance) / (2 * half + freedom)
    return shrunk, np.full(ROWS, min(2 * half + freedom, float(most)))


def cochran(lead: Array, paired: Array, seeds: Array, freedom: int, level: float) -> Array:
    """Which pairs are told apart by a quantile that is the terms' mean, weighted by their variances."""
    of_seeds = seeds[PAIRS[0]] + seeds[PAIRS[1]]
    quantiles = stdtrit(CLUSTERS - 1, 1 - level / 2), stdtrit(freedom, 1 - level / 2)
    total = paired + of_seeds
    return np.asarray(lead / np.sqrt(total) > (paired * quantiles[0] + of_seeds * quantiles[1]) / total)


def apart(rng: np.random.Generator, sd: Array, seeds: int, effect: float) -> dict[str, Array]:
    """Pairs that each rule tells apart in one table, at the strictest of Holm's levels; the first row is better by ``effect``."""
    scores = rng.normal(0, 1, (ROWS, seeds)) * sd[:, None]
    means = scores.mean(axis=1) + rng.normal(0, CLUSTER_SD, ROWS) + effect * (np.arange(ROWS) == 0)
    paired = 2 * CLUSTER_SD**2 * rng.chisquare(CLUSTERS - 1, COUNT) / (CLUSTERS - 1)
    variance, lead = scores.var(axis=1, ddof=1), np.abs(means[PAIRS[0]] - means[PAIRS[1]])
    shrunk, freedom = moderated(variance, seeds - 1)
    level = LEVEL / COUNT
    return {
        "satterthwaite": welch(lead, paired, variance / seeds, np.full(ROWS, seeds - 1.0)) < level,
        "moderated": welch(lead, paired, shrunk / seeds, freedom) < level,
        "cochran": cochran(lead, paired, variance / seeds, seeds - 1, level),
    }


def spreads(rng: np.random.Generator) -> dict[str, Callable[[], Array]]:
    """Seed SDs of the rows."""
    return {
        "alike": lambda: np.full(ROWS, SEED_SD),
        "two kinds": lambda: np.where(np.arange(ROWS) % 2, SEED_SD / 2, SEED_SD * 2),
        "lognormal": lambda: SEED_SD * np.exp(rng.normal(0, 0.5, ROWS)),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tables", type=int, default=2000)
    tables = parser.parse_args().tables
    rng = np.random.default_rng(0)
    print(
        f"{'seeds':>5} {'seed SDs':>10} {'effect':>6}  {'  '.join(f'{rule:>13}' for rule in RULES)}   (%, {tables} tables)"
    )
    for seeds in (3, 5):
        for name, sd in spreads(rng).items():
            for effect in (0.0, 0.05, 0.15):
                found = [apart(rng, sd(), seeds, effect) for _ in range(tables)]
                shares = {
                    rule: np.mean(
                        [one[rule][: ROWS - 1].mean() if effect else one[rule].any() for one in found]
                    )
                    for rule in RULES
                }
                told = "  ".join(f"{100 * shares[rule]:13.1f}" for rule in RULES)
                print(f"{seeds:5d} {name:>10s} {100 * effect:6.0f}  {told}")


if __name__ == "__main__":
    main()
