"""Learning curves: means over seeds, and how far those lie apart."""

from __future__ import annotations

from typing import Any

import pytest
from synthetic import BENCHMARK, Synthetic

from reelbench.reports.curves import Chart, average, charts_of
from reelbench.reports.frames import load
from reelbench.reports.leaderboard import boards

NAN = float("nan")


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


def curve_of(values: list[float]) -> dict[str, Any]:
    curve = [
        {"phase": "joint", "step": 50 * i, "values": {"val/recall_at_1": v}} for i, v in enumerate(values)
    ]
    return {"validation": [{"phase": "joint", "benchmark": BENCHMARK}], "curve": curve}


def chart(synthetic: Synthetic, *values: list[float]) -> Chart:
    """The chart of a method of so many seeds with these curves."""
    for seed, several in enumerate(values):
        synthetic.trial(seed=seed, record=curve_of(several) | {"fingerprints": {"fits": [str(seed)]}})
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


def test_what_is_not_a_number_is_left_out_and_said(synthetic: Synthetic):
    found = chart(synthetic, [0.1, float("nan"), 0.5], [0.1, 0.3, float("inf")])
    (line,) = found.lines
    assert len(ends(line.points)) == 3
    assert "nan" not in line.points + line.band
    assert found.groups == ("full: 1 of 2 seeds to the end, 2 not finite somewhere",)


@pytest.mark.parametrize(
    ("third", "told"),
    [
        ([0.2, 0.3, 0.4], "full"),
        ([0.2, 0.3], "full: 2 of 3 seeds to the end"),
        ([0.2, 0.3, NAN], "full: 2 of 3 seeds to the end, 1 not finite somewhere"),
        ([0.2, NAN, 0.3], "full: 1 not finite somewhere"),
        ([NAN, NAN, NAN], "full: 2 of 3 seeds to the end, 1 not finite somewhere"),
    ],
)
def test_a_seed_that_is_missing_somewhere_is_told_in_the_lines_name(
    synthetic: Synthetic, third: list[float], told: str
):
    found = chart(synthetic, [0.1, 0.4, 0.5], [0.2, 0.6, 0.5], third)
    assert found.groups == (told,)
    (line,) = found.lines
    assert (line.name + line.missing, line.seeds) == (told, 3)


def test_a_variant_without_any_number_has_no_line_and_is_named(synthetic: Synthetic):
    synthetic.trial(record=curve_of([0.1, 0.4]) | {"fingerprints": {"fits": ["a"]}})
    synthetic.trial(variant="no-audio", record=curve_of([NAN, NAN]) | {"fingerprints": {"fits": ["b"]}})
    (board,) = boards(load(synthetic.uri))
    rows = sorted((row.tag("variant"), row) for row in board.rows)
    (found,) = charts_of(board, rows, set())
    assert [line.name for line in found.lines] == ["full"]
    assert found.groups == ("full", "no-audio: 0 of 1 seeds to the end, 1 not finite somewhere")
