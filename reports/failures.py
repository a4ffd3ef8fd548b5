"""What went wrong, gathered by reason, so that thirty fits that died of one cause are one line with thirty names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reelbench.reports.frames import Results, Trial


@dataclass(frozen=True)
class Failure:
    """One reason, and whom it struck."""

    reason: str
    struck: tuple[str, ...]


def failures(results: Results) -> list[Failure]:
    """Fits and trials that failed and that nothing made good, the reasons that struck most first.

    A trial lost with a fit is not named beside it: the fit's failure is the reason, and tables count the seed.
    """
    fits = {fit.tags.get("rb.fingerprint.fit") for fit in results.failed_fits}
    trials = (t for t in results.trials if not t.is_finished and t.tags.get("rb.lost_with", "") not in fits)
    found: dict[str, list[Trial]] = {}
    for trial in (*trials, *results.failed_fits):
        found.setdefault(trial.error or trial.status.lower(), []).append(trial)
    several = [Failure(reason, _names(trials)) for reason, trials in found.items()]
    return sorted(several, key=lambda f: (-len(f.struck), f.reason))


def _names(trials: Sequence[Trial]) -> tuple[str, ...]:
    return tuple(sorted({_name(t) for t in trials}))


def _name(trial: Trial) -> str:
    """``JSFusion (full · retrieval), seed 0, fit on microworld/small``."""
    tag = trial.tags.get
    which = " · ".join(part for part in (tag("rb.variant"), tag("rb.recipe")) if part and part != "none")
    where = tag("rb.benchmark") or f"fit on {tag('rb.dataset', '?')}"
    return f"{tag('rb.title') or tag('rb.method')} ({which}), seed {trial.seed}, {where}"
