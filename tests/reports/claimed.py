"""Records of a claim for a test: rows of JSFusion with and without sound, and what is judged of them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from synthetic import BENCHMARK, Synthetic

from reelbench.reports.claims.judging import Judged, claims_in, judge
from reelbench.reports.frames import load
from reelbench.reports.leaderboard import boards
from reelbench.reports.statistics.contrast import Contrast

CLAIM = {
    "name": "sound-helps", "kind": "greater", "left": {"variant": "full"}, "right": {"variant": "no-audio"},
    "benchmark": "retrieval", "metric": "recall_at_1", "minimum_effect": 0.02, "where": "Table 2",
}  # fmt: skip
SURE = 1e-6
SECOND = "retrieval@microworld/small/draw2:sentence"


def lead(estimate: float, half: float) -> Contrast:
    """A difference whose 95 % interval is ``estimate ± half``."""
    return Contrast(estimate, half / 1.959964, math.inf)


def filled(
    synthetic: Synthetic, gap: float, *, seeds: int = 3, dataset: str = "microworld/small"
) -> Synthetic:
    """JSFusion with and without sound, ``gap`` apart on every seed but for a hair."""
    for seed in range(seeds):
        for variant, value in (("full", 0.4 + gap), ("no-audio", 0.4)):
            synthetic.trial(
                variant=variant, seed=seed, benchmark=f"retrieval@{dataset}:sentence",
                metrics={"recall_at_1": value + SURE * seed}, record={"paper": {"claims": [CLAIM]}},
            )  # fmt: skip
    return synthetic


def judged(synthetic: Synthetic) -> list[Judged]:
    """What the record says of its claims."""
    found = boards(load(synthetic.uri))
    return judge(claims_in(found), found)


def rows(
    synthetic: Synthetic, *claims: dict, values: Mapping[str, float], seeds: int = 3, benchmark: str = BENCHMARK,
    preset: str = "tiny", metric: str = "recall_at_1", **record,
) -> None:  # fmt: skip
    """Rows of JSFusion by variant, every seed alike but for a hair."""
    for variant, value in values.items():
        label = f"{variant}/{preset}/{'changed' if 'origins' in record else 'own'}"
        for seed in range(seeds):
            synthetic.trial(
                variant=variant, seed=seed, benchmark=benchmark, metrics={"recall_at_1": 0.5, metric: value + SURE * seed},
                tags={"rb.preset": preset, "rb.label": label, "rb.fingerprint.score": f"{label} {seed} {benchmark}"},
                record={"paper": {"claims": list(claims)}, **record},
            )  # fmt: skip
