"""Checks that train a few steps more than once: the same seed gives the same weights, killed or not."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from reelbench.conformance.altered import Killed, cut_off
from reelbench.conformance.report import Broken

if TYPE_CHECKING:
    from reelbench.conformance.subject import Subject
    from reelbench.method import Method

STEPS = 4


def check_determinism(subject: Subject) -> str:
    """Two fits of one seed end with the same weights."""
    digests = [
        subject.train(subject.fit_stage, subject.folder / f"repeat-{k}", steps=STEPS)["digest"]
        for k in (1, 2)
    ]
    if digests[0] != digests[1]:
        raise Broken(
            "two fits of one seed end with different weights; draw from ctx.rng, ctx.generator or torch's global generator, and keep no state on the method"
        )
    return f"two fits of {STEPS} steps end with the same weights"


def check_resume(subject: Subject) -> str:
    """A fit that was cut off and goes on ends with the weights of one that never was."""
    if not subject.fit_stage.spec["phases"]:
        return "nothing to resume: no phases"
    stage, folder = subject.fit_stage, subject.folder / "resumed"
    whole = subject.train(stage, subject.folder / "whole", steps=STEPS, checkpoint_seconds=0.0)
    try:
        subject.train(
            stage, folder, steps=STEPS, method=cut_off(subject.method, after=2), checkpoint_seconds=0.0
        )
    except Killed:
        resumed = subject.train(stage, folder, steps=STEPS, checkpoint_seconds=0.0)
    else:
        return "not cut off: fit_phase takes the phases over"
    if resumed["digest"] != whole["digest"]:
        raise Broken(
            "a resumed fit ends with different weights; keep no state on the method or in the module that is no parameter or buffer"
        )
    return f"resumed {resumed['resumed']} time and ended with the same weights"


def check_imports(method: Method) -> str:
    """Registering the method loads neither torch nor numpy, so that listing stays fast."""
    module = type(method).__module__
    code = f"import sys; import {module}; print(*[m for m in ('torch', 'numpy') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=_environment(), check=False
    )
    if done.returncode:
        return f"not looked at: {module} cannot be imported by itself"
    if done.stdout.strip():
        raise Broken(
            f"importing {module} loads {' and '.join(done.stdout.split())}; import model.py inside build, and Batch, Padded and collate where they are used or under TYPE_CHECKING"
        )
    return "registration loads neither torch nor numpy"


def _environment() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
