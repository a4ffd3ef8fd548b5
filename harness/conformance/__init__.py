"""The plugin test kit: does a method keep the contract, before anyone trains it for hours?

In an author's tests::

    from reelbench.conformance import check_method

    def test_it_keeps_the_contract():
        check_method(MyMethod, dataset="microworld/smoke")

On the command line, ``reelbench try METHOD`` (seconds) and ``reelbench check METHOD`` (everything).

Both: declarations; assets, module and examples the same twice; what each loss term moves, and that no frozen
parameter is; predictions the same alone as in a batch, of odd inputs too (one frame, the longest, no or unknown words),
with the test answers scrambled, and by the module that was trained as by the one that was read back; nothing kept on
the method. ``check`` alone: eight examples learned by heart, one seed twice, resuming, CPU against GPU where there is
one, every variant, a light import.
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
