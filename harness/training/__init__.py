"""Training: the loop that the harness owns, so that an author writes a step and nothing round it.

This module stays light; torch and Fabric are imported when a fit starts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reelbench.dataset import Dataset
    from reelbench.method import Method
    from reelbench.stages import Emit
    from reelbench.task import Task


def run_fit(
    spec: Mapping[str, Any],
    *,
    method: Method,
    open_dataset: Callable[[str], Dataset],
    task_of: Callable[[str], Task],
    upstream: Mapping[str, Path],
    folder: Path,
    emit: Emit,
) -> dict[str, Any]:
    """Train one fit into ``folder``, going on from its ``checkpoint/`` if an earlier attempt was killed.

    Parameters
    ----------
    spec
        The fit stage's specification (``docs/record.md``). Beside the shared fields: ``checkpoint_seconds``, the
        longest stretch of work that a killed fit loses (30).
    upstream
        Upstream name → folder of its fit, or of its predict stage where it predicts.

    Returns
    -------
    dict
        The fit's own fields of the stage record.

    Raises
    ------
    TrainingError
        For a loss that is not finite, a limit that was reached, or a phase that cannot run as it is declared.
    """
    from reelbench.training.fit import Fit

    return Fit(spec, method, open_dataset, task_of, upstream, folder, emit).run()
