"""What a table says below itself about how sure it is, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reelbench.reports import numbers
from reelbench.reports.leaderboard import Board, Row
from reelbench.reports.standing import names_by_reason
from reelbench.reports.statistics.power import POWER


def standing_notes(board: Board, names: Mapping[str, str]) -> list[str]:
    """How ranks and intervals came about, what cannot be resolved, and what is not ranked and why."""
    return [*_method(board), *_resolution(board), *_unranked(board, names), *_given_upstream(board, names)]


def _method(board: Board) -> Iterator[str]:
    standings = board.standings
    if not any(place.intervals for place in standings.places.values()):
        yield "Rows are ordered by their mean; their record has no replicates, so that no difference was tested. Run the suite again to score them anew."
        return
    given = f" All are given {told}." if (told := board.record.get("given")) else ""
    yield (
        f"Intervals are 95 % for one number each, over {standings.clusters} clusters of test examples and over seeds (Satterthwaite's t); of a row with one seed, given that seed.{given}{_left_out(board)} "
        "Only the primary metric's ranks are corrected for how many there are."
    )
    if standings.pairs:
        compared = (
            "the two ranked rows"
            if standings.pairs == 1
            else f"all {standings.pairs} pairs of {len(standings.ranked)} ranked rows"
        )
        yield (
            f"Rank: the places that are left possible when {compared} are compared on {board.primary.get('title') or board.primary['name']} "
            "(Holm, 5 % for the whole table). Where ranks overlap, the order of the means may be noise."
        )


def _left_out(board: Board) -> str:
    """Classes that a draw of clusters has no positive of."""
    classes = board.record.get("classes") or {}
    if not (count := classes.get("left_out")):
        return ""
    told = f"{count:.1f}" if count >= 1 else f"{count:.2g}"
    return f" Of {classes['present']} classes, a draw of the clusters has no positive of {told} on average; its mean over classes leaves them out."


def _resolution(board: Board) -> Iterator[str]:
    if (smallest := board.standings.resolvable) is not None:
        spec = board.primary
        digits = numbers.decimals(spec, int(board.record.get("examples", 0)))
        unit = " points" if spec.get("percent") else ""
        pairs = board.standings.pairs
        level = "" if pairs == 1 else f" at the strictest of Holm's levels for {pairs} pairs"
        yield (
            f"Smallest difference that this test set ({board.standings.clusters} clusters) and these seeds ({_seeds(board)}) resolve with {POWER * 100:.0f} % power{level}, "
            f"for a pair with the median error: {numbers.shown(spec, smallest):.{digits}f}{unit}."
        )


def _seeds(board: Board) -> str:
    """``3 a ranked row``, ``2 to 5 a ranked row, deterministic ones aside``."""
    ranked = [row for row in board.rows if row.label in board.standings.ranked]
    counts = sorted(len(row.finished) for row in ranked if not row.deterministic)
    if not counts:
        return "none: every ranked row is deterministic"
    several = f"{counts[0]} to {counts[-1]}" if counts[0] < counts[-1] else str(counts[0])
    return f"{several} a ranked row" + (", deterministic ones aside" if len(counts) < len(ranked) else "")


def _unranked(board: Board, names: Mapping[str, str]) -> Iterator[str]:
    found = names_by_reason(board.rows, board.standings, names)
    if found:
        yield "Not ranked: " + "; ".join(f"{', '.join(rows)} ({why})" for why, rows in found.items()) + "."


def _given_upstream(board: Board, names: Mapping[str, str]) -> Iterator[str]:
    """Rows whose seeds start from one fit: what that fit would do with another seed is not in their spread."""
    shared = [names[row.label] for row in board.rows if shares_upstream(row)]
    if shared:
        yield f"Given upstream: the seeds of {', '.join(shared)} start from one shared fit, whose own spread is not in theirs."


def shares_upstream(row: Row) -> bool:
    """Whether two seeds of a row start from the same fit."""
    seen = [set(trial.record.get("upstream") or ()) for trial in row.finished]
    return any(one & other for i, one in enumerate(seen) for other in seen[:i])
