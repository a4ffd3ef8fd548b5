"""What planning comes to: the stages to run, and the pairs that cannot."""

from __future__ import annotations

from dataclasses import dataclass

from reelbench.stages import Stage
from reelbench.suite import Suite


@dataclass(frozen=True)
class Skipped:
    """A pair that cannot run, and why."""

    method: str
    variant: str
    benchmark: str
    reason: str


@dataclass(frozen=True)
class Plan:
    """The stages of a suite, each after those it needs, seed by seed."""

    suite: Suite
    stages: tuple[Stage, ...]
    skipped: tuple[Skipped, ...]

    def by_fingerprint(self) -> dict[str, Stage]:
        """Fingerprint → stage."""
        return {s.fingerprint: s for s in self.stages}

    def trials(self) -> tuple[Stage, ...]:
        """The score stages: one a trial."""
        return tuple(s for s in self.stages if s.kind == "score")
