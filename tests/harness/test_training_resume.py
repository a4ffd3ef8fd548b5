"""A killed fit goes on and ends with the same weights, bit for bit."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from toys import VALIDATION, Painter, fit, phase_of

from reelbench.training.checkpoint import checkpoint_path, load_checkpoint

HERE = Path(__file__).parent
PHASES = [
    {**phase_of(Painter(), name="first", epochs=2, optimizer="sgd")[0]},
    {
        **phase_of(
            Painter(), epochs=6, clip_norm=1.0, accumulate=2, schedule="cosine", select="average", keep=3
        )[0]
    },
]
SLOW = """
import sys, time
sys.path.insert(0, {here!r})
from test_training_resume import PHASES, Slow, fit, VALIDATION
from pathlib import Path
from reelbench.training import loop
loop.LOOK_EVERY_S = 0
fit(Slow(), Path({folder!r}), phases=PHASES, validation=VALIDATION, checkpoint_seconds=0.0)
"""


class Slow(Painter):
    """Takes long enough a step to be killed in one."""

    def training_step(self, module, batch, ctx):
        if ctx.training:
            time.sleep(0.02)
        noise = torch.rand((), generator=ctx.generator)
        losses = super().training_step(module, batch, ctx)
        return {**losses, "loss": losses["loss"] * (1 + 0.1 * noise)}


def kill_in_second_phase(folder):
    child = subprocess.Popen([sys.executable, "-c", SLOW.format(here=str(HERE), folder=str(folder))])
    try:
        while child.poll() is None:
            checkpoint = load_checkpoint("0" * 64, folder)
            if (
                checkpoint
                and checkpoint.state.phase == 1
                and checkpoint.state.batch
                and checkpoint.state.epoch > 2
            ):
                time.sleep(0.03)  # some steps into what is then lost
                child.kill()
                break
            time.sleep(0.02)
    finally:
        child.kill()
    assert child.wait() == -signal.SIGKILL
    return checkpoint.state


def test_a_fit_killed_in_the_middle_of_an_epoch_resumes_bit_for_bit(tmp_path):
    whole = fit(Slow(), tmp_path / "whole", phases=PHASES, validation=VALIDATION)
    state = kill_in_second_phase(tmp_path / "killed")
    assert 0 < state.step < 18
    resumed = fit(Slow(), tmp_path / "killed", phases=PHASES, validation=VALIDATION)
    assert resumed["resumed"] == 1
    assert resumed["digest"] == whole["digest"]
    assert resumed["weights"] == whole["weights"] == 3
    strip = lambda done: [{k: v for k, v in p.items() if k != "time_ms"} for p in done["curve"]]  # noqa: E731
    assert strip(resumed) == strip(whole)
    assert resumed["steps"] == whole["steps"]


@pytest.fixture
def interruptible():
    """Ctrl-C raises, even where the tests run in the background of a shell that ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_saves_between_two_steps_and_then_propagates(tmp_path):
    class Interrupted(Slow):
        name = "painter"

        def training_step(self, module, batch, ctx):
            if ctx.training and ctx.step == 5 and ctx.phase.name == "main":
                os.kill(os.getpid(), signal.SIGINT)
            return super().training_step(module, batch, ctx)

    with pytest.raises(KeyboardInterrupt):
        fit(Interrupted(), tmp_path / "stopped", phases=PHASES, validation=VALIDATION)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    whole = fit(Slow(), tmp_path / "whole", phases=PHASES, validation=VALIDATION)
    assert (
        fit(Slow(), tmp_path / "stopped", phases=PHASES, validation=VALIDATION)["digest"] == whole["digest"]
    )


def test_a_damaged_checkpoint_starts_the_fit_again(tmp_path):
    checkpoint_path(tmp_path).parent.mkdir()
    checkpoint_path(tmp_path).write_bytes(b"torn")
    assert fit(Painter(), tmp_path)["resumed"] == 0


def test_a_checkpoint_of_another_fit_is_left_alone(tmp_path):
    fit(Painter(), tmp_path, phases=PHASES)
    assert load_checkpoint("0" * 64, tmp_path) is not None
    assert load_checkpoint("1" * 64, tmp_path) is None
