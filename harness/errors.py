"""The mistakes a user can make, one class a kind, each of which prints as one line and has an exit status.

Not for bugs: an exception that is not a :class:`ReelbenchError` is reported with its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

SLIP = 0.75
"""How like a known name an unknown one is that nobody means: a slip, and not a name of something not installed here."""


class ReelbenchError(Exception):
    """A handled error: one line saying what is wrong, where, and how to mend it."""

    exit_code = 1


class UsageError(ReelbenchError):
    """The command line, a suite file or a configuration is wrong."""

    exit_code = 2


def nearest(name: str, known: Iterable[str], *, likeness: float = 0.5) -> str | None:
    """The known name that ``name`` may be a slip of, or ``None`` where none is as like it as that."""
    return next(iter(difflib.get_close_matches(name, sorted(known), n=1, cutoff=likeness)), None)


class UnknownNameError(UsageError):
    """A method, task, dataset, benchmark, recipe, variant or preset that nobody registered."""

    def __init__(self, kind: str, name: str, known: Iterable[str], hint: str = "") -> None:
        known = sorted(known)
        near = nearest(name, known)
        guess = f"; did you mean {near!r}?" if near else f"; known: {', '.join(known) or 'none'}"
        super().__init__(f"unknown {kind} {name!r}{guess}{' ' + hint if hint else ''}")
        self.kind, self.name, self.nearest = kind, name, near
        self.is_slip = nearest(name, known, likeness=SLIP) is not None


class PluginError(ReelbenchError):
    """A plugin failed to import, or registered something that breaks its contract."""

    exit_code = 3

    def __init__(self, plugin: str, distribution: str, message: str) -> None:
        super().__init__(f"plugin {plugin!r} (from {distribution}): {message}")
        self.plugin, self.distribution = plugin, distribution


class DatasetError(ReelbenchError):
    """A dataset's files are missing, damaged or not what its reader expects."""

    exit_code = 4


class FeatureError(DatasetError):
    """A feature file is truncated, altered, of the wrong shape, or a modality is missing."""


class PredictionError(ReelbenchError):
    """A method's predictions break the task's schema: ids, shapes, or numbers that are not finite."""

    exit_code = 5


class TrainingError(ReelbenchError):
    """A fit could not go on: a loss that is not finite, or a time or memory limit."""

    exit_code = 6


class ExecutorError(ReelbenchError):
    """The processes that run stages cannot be started."""

    exit_code = 8


class TrackingError(ReelbenchError):
    """The MLflow store cannot be reached or read."""

    exit_code = 7


class SkippedPair(ReelbenchError):
    """A method cannot run on a benchmark; the reason is shown in the plan and the pair is left out.

    Attributes
    ----------
    is_slip
        Whether what the dataset lacks is most likely a misspelt name of something that it has.
    """

    exit_code = 2

    def __init__(self, reason: str, *, asked: Iterable[str] = (), known: Iterable[str] = ()) -> None:
        known = [*known]
        near = [n for n in (nearest(name, known, likeness=SLIP) for name in asked) if n]
        super().__init__(f"{reason}; did you mean {' and '.join(map(repr, near))}?" if near else reason)
        self.is_slip = bool(near)
