"""The plugin test kit: does a method keep the contract, before anyone trains it for hours?

In an author's tests::

    from reelbench.conformance import check_method

    def test_it_keeps_the_contract():
        check_method(MyMethod, dataset="microworld/smoke")

On the command line, ``reelbench try METHOD`` (seconds) and ``reelbench check METHOD`` (everything).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = ["ConformanceError", "Excerpt", "Finding", "Report", "check_method", "examine", "try_method"]

_HOMES = {
    "ConformanceError": "report", "Finding": "report", "Report": "report", "Excerpt": "excerpt",
    "check_method": "examination", "try_method": "examination", "examine": "examination",
}  # fmt: skip

if TYPE_CHECKING:
    from reelbench.conformance.examination import check_method, examine, try_method
    from reelbench.conformance.excerpt import Excerpt
    from reelbench.conformance.report import ConformanceError, Finding, Report


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'reelbench.conformance' has no attribute {name!r}")
    return getattr(import_module(f"reelbench.conformance.{_HOMES[name]}"), name)
