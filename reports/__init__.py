"""Tables, pages and verdicts from the record. ``reelbench.reports.results()`` is the tables as a pandas frame, ``trials()`` every trial."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reelbench.reports.notebook import results, trials

__all__ = ["results", "trials"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'reelbench.reports' has no attribute {name!r}")
    from reelbench.reports import notebook

    return getattr(notebook, name)
