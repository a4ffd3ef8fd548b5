"""What an examination found: one line a check, saying what, where, and how to mend it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from reelbench.errors import ReelbenchError, SkippedPair
from reelbench.placing import place_of

Status = Literal["passed", "failed", "skipped"]


class ConformanceError(AssertionError):
    """A method breaks the contract; the message has one line for every failed check."""


class Broken(Exception):
    """Raised by a check that failed: one line saying what is wrong and how to mend it."""


@dataclass(frozen=True)
class Finding:
    """One check's outcome.

    Attributes
    ----------
    check
        What was looked at: ``training_step``.
    place
        Where: ``match/joint``, a recipe and a phase or benchmark.
    line
        The fact that was seen, or what is wrong and how to mend it.
    """

    check: str
    place: str
    status: Status
    line: str

    def __str__(self) -> str:
        mark = {"passed": "ok  ", "failed": "FAIL", "skipped": "skip"}[self.status]
        return f"{mark}  {self.check:<14} {self.place:<37} {self.line}".rstrip()


@dataclass
class Report:
    """All findings about one method on one dataset."""

    method: str
    dataset: str
    findings: list[Finding] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether some recipe could be checked and nothing failed."""
        return any(f.status == "passed" and f.place for f in self.findings) and not self.failures

    @property
    def failures(self) -> list[Finding]:
        """Findings that failed."""
        return [f for f in self.findings if f.status == "failed"]

    def raise_failures(self) -> None:
        """Raise :class:`ConformanceError` unless everything passed."""
        if not self.passed:
            lines = "\n".join(str(f) for f in self.failures or self.findings)
            raise ConformanceError(f"{self.method} on {self.dataset} breaks the contract:\n{lines}")

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "method": self.method,
            "dataset": self.dataset,
            "passed": self.passed,
            "checks": [asdict(f) for f in self.findings],
        }


class Recorder:
    """Runs checks and writes down what they found.

    Parameters
    ----------
    author
        The method's class: an exception is placed at the last line of its files that it passed through.
    """

    def __init__(self, report: Report, author: type) -> None:
        self.report, self._author = report, author

    def run(self, check: str, place: str, work: Callable[[], str]) -> bool:
        """Whether the check passed; ``work`` returns the fact to show, or raises."""
        try:
            finding = Finding(check, place, "passed", work())
        except SkippedPair as reason:
            finding = Finding(check, place, "failed" if reason.is_slip else "skipped", str(reason))
        except Broken as error:
            finding = Finding(check, place, "failed", str(error))
        except Exception as error:
            finding = Finding(check, place, "failed", described(error, self._author))
        self.report.findings.append(finding)
        return finding.status == "passed"


def described(error: Exception, author: type) -> str:
    """An exception in one line, with the last line of the author's files that it passed through."""
    text = " ".join(str(error).split())
    name = "" if isinstance(error, ReelbenchError) else f"{type(error).__name__}: "
    return f"{name}{text}{place_of(error, [author])}"
