"""Learning curves: means over seeds, and how far those lie apart."""

from __future__ import annotations

import pytest
from synthetic import BENCHMARK, Synthetic

from reelbench.reports.curves import Chart, average, charts_of
from reelbench.reports.frames import load
from reelbench.reports.leaderboard import boards


def test_seeds_are_averaged_step_by_step():
    found = average([[(0, 1.0), (50, 3.0)], [(0, 2.0), (50, 7.0)]])
    assert [(p.step, p.value, p.seeds) for p in found] == [(0, 1.5, 2), (50, 5.0, 2)]
    assert [p.sd for p in found] == pytest.approx([0.5**0.5, 8**0.5])


def test_a_seed_that_stopped_early_leaves_the_others_their_steps():
    found = average([[(0, 1.0)], [(0, 3.0), (50, 4.0), (100, 5.0)]])
    assert [(p.step, p.value, p.seeds) for p in found] == [(0, 2.0, 2), (50, 4.0, 1), (100, 5.0, 1)]


def test_a_step_of_two_phases_counts_twice_and_in_order():
    one = [(0.0, 1.0), (50.0, 2.0), (0.0, 3.0), (50.0, 4.0)]
    found = average([one, [(x, y + 2) for x, y in one]])
    assert [(p.step, p.value) for p in found] == [(0, 2.0), (50, 3.0), (0, 4.0), (50, 5.0)]


def chart(synthetic: Synthetic, *values: list[float]) -> Chart:
    """The chart of a method of so many seeds with these curves."""
    for seed, several in enumerate(values):
        curve = [
            {"phase": "joint", "step": 50 * i, "values": {"val/recall_at_1": v}}
            for i, v in enumerate(several)
        ]
        told = {"validation": [{"phase": "joint", "benchmark": BENCHMARK}], "curve": curve}
        synthetic.trial(seed=seed, record=told | {"fingerprints": {"fits": [str(seed)]}})
    (board,) = boards(load(synthetic.uri))
    (found,) = charts_of(board, [("full", board.rows[0])], set())
    return found


def ends(points: str) -> list[tuple[float, ...]]:
    return [tuple(map(float, pair.split(","))) for pair in points.split()]


def test_a_band_surrounds_the_mean_and_stays_in_the_picture(synthetic: Synthetic):
    (line,) = chart(synthetic, [0.1, 0.4, 0.5], [0.2, 0.6, 0.5]).lines
    mean, band = ends(line.points), ends(line.band)
    assert (len(mean), len(band), line.seeds) == (3, 6, 2)
    for (x, y), upper, lower in zip(mean, band[:3], reversed(band[3:]), strict=True):
        assert upper[0] == lower[0] == x
        assert upper[1] <= y <= lower[1]  # pictures count from above
    assert band[2][1] == mean[2][1]  # both seeds end alike
    assert all(0 <= y <= 220 for _, y in band)


def test_one_seed_has_a_line_and_no_band(synthetic: Synthetic):
    found = chart(synthetic, [0.1, 0.4])
    assert (found.lines[0].band, found.has_band) == ("", False)


def test_what_is_not_a_number_is_left_out(synthetic: Synthetic):
    (line,) = chart(synthetic, [0.1, float("nan"), 0.5], [0.1, 0.3, float("inf")]).lines
    assert len(ends(line.points)) == 3
    assert "nan" not in line.points + line.band
