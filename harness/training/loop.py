"""One phase of training: epochs of steps, validation between them, a checkpoint now and then.

The step itself is the method's; device, precision and gradients are Fabric's. Whatever can be computed outside the
step is, so that a step costs little more than in a bare loop.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from reelbench.determinism import own_randomness
from reelbench.errors import TrainingError
from reelbench.examples import chunks
from reelbench.progress import Progress
from reelbench.seeding import derive_seed
from reelbench.training.checkpoint import (
    Checkpoint,
    FitState,
    randomness,
    restore_randomness,
    save_checkpoint,
)
from reelbench.training.limits import Limits, check_finite
from reelbench.training.optim import build_optimizer, freeze, schedule_factor, set_rates
from reelbench.training.selection import is_stale, note_epoch, note_validation
from reelbench.training.validation import Validator, named_losses

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from reelbench.batching import Batch
    from reelbench.method import Context, Method, Phase
    from reelbench.stages import Emit
    from reelbench.training.cost import Stopwatch
    from reelbench.training.interrupts import DeferredInterrupts
    from reelbench.training.loader import Loader

LOOK_EVERY_S = 0.25
SHORTEST_WINDOW, LONGEST_WINDOW = 5, 50


@dataclass
class Session:
    """What all phases of a fit share."""

    method: Method
    module: torch.nn.Module
    fabric: Fabric
    state: FitState
    watch: Stopwatch
    limits: Limits
    interrupts: DeferredInterrupts
    emit: Emit
    folder: Path
    fingerprint: str
    trainable: frozenset[str]
    always_frozen: tuple[str, ...] = ()
    checkpoint_s: float = 30.0


@dataclass(frozen=True)
class Loaders:
    """What ``fit_phase`` gets.

    Attributes
    ----------
    train
        Epoch → its shuffled batches, prepared and on the device.
    validate
        Values the module as it is; ``None`` where the phase does not validate.
    fabric
        For ``backward`` and ``clip_gradients``; the module is on its device already.
    """

    train: Callable[[int], Iterator[Batch]]
    validate: Validator | None
    fabric: Any


class PhaseLoop:
    """Runs one phase from wherever the state stands."""

    def __init__(self, session: Session, phase: Phase, loader: Loader, validator: Validator | None) -> None:
        self.session, self.phase, self.loader, self.validator = session, phase, loader, validator
        self.state, self.device = session.state, str(loader.ctx.device)
        if not len(loader.relation):
            raise TrainingError(
                f"phase {phase.name!r}: relation {phase.relation!r} has no examples in split {phase.split!r}"
            )
        batches = math.ceil(len(loader.relation) / phase.batch_size)
        self.steps_per_epoch = math.ceil(batches / phase.accumulate)
        length = phase.steps or phase.epochs * self.steps_per_epoch
        self.total_steps = min(length, phase.max_steps or length)
        self.window = max(SHORTEST_WINDOW, min(LONGEST_WINDOW, self.total_steps // 100))
        self._pending: list[Mapping[str, torch.Tensor]] = []
        self._newest: torch.Tensor | None = None

    def run(self, resumed: Checkpoint | None) -> None:
        """Train to the phase's end, or raise."""
        self.session.emit("phase", {"phase": self.phase.name, "steps": self.total_steps})
        seed = derive_seed(self.loader.ctx.seed, "step", self.phase.name)
        with own_randomness(seed, self.device) as generator:
            self.generator = generator
            self._set_up()
            if resumed and resumed.optimizer is not None and resumed.randomness is not None:
                self.optimizer.load_state_dict(resumed.optimizer)
                restore_randomness(resumed.randomness, generator)
            if not self._taken_over():
                self._epochs()

    def _set_up(self) -> None:
        session, phase = self.session, self.phase
        prefixes = (*phase.frozen, *session.always_frozen)
        self._asleep = freeze(session.module, prefixes, session.trainable)
        self.wrapped, self.optimizer = session.fabric.setup(
            session.module, build_optimizer(session.module, phase)
        )
        self.ctx = replace(self.loader.ctx, generator=self.generator, total_steps=self.total_steps)
        self.progress = Progress(session.emit, self.total_steps, "steps", self.state.step)
        self._next_look, self._next_save = 0.0, time.monotonic() + session.checkpoint_s

    def _taken_over(self) -> bool:
        """Whether the method ran the phase itself; ``NotImplemented`` leaves a phase to the harness."""
        method = self.session.method
        if method.fit_phase is None:
            return False
        loaders = Loaders(self.loader.epoch, self.validator, self.session.fabric)
        self.session.module.train()
        with self.session.watch("train"):
            return method.fit_phase(self.session.module, loaders, self.ctx) is not NotImplemented

    # --- epochs -------------------------------------------------------------------------------------------------

    def _epochs(self) -> None:
        while not self.state.stopped:
            with self.session.watch("train"):
                self._epoch()
            self._end_epoch()
            self._look()

    def _epoch(self) -> None:
        self._wake()
        epoch_ctx = replace(self.ctx, epoch=self.state.epoch)
        left = self.loader.order(self.state.epoch)[self.state.batch :]
        for group in chunks(left, self.phase.accumulate):
            if self.state.step >= self.total_steps:
                return
            self._step(group, replace(epoch_ctx, step=self.state.step))
            if time.monotonic() >= self._next_look:
                self._look()

    def _wake(self) -> None:
        self.session.module.train()
        for part in self._asleep:
            part.eval()

    def _end_epoch(self) -> None:
        state = self.state
        self._flush()
        note_epoch(state, self.phase, self.session.module)
        ended = state.step >= self.total_steps
        if self.validator and (ended or (state.epoch + 1) % self.phase.validate_every == 0):
            self._validate(self.validator)
        state.stopped = ended or is_stale(state, self.phase)
        state.epoch, state.batch = state.epoch + 1, 0

    def _validate(self, validator: Validator) -> None:
        with self.session.watch("validate"):
            value = validator(self.session.module)
        note_validation(self.state, self.phase, self.session.module, value)
        self._point({f"val/{value.name}": value.value})
        self.session.emit(
            "progress",
            {
                "done": self.state.step,
                "total": self.total_steps,
                "unit": "steps",
                "rate": None,
                value.name: value.value,
            },
        )

    # --- steps --------------------------------------------------------------------------------------------------

    def _step(self, group: Sequence[list[int]], ctx: Context) -> None:
        """One update from a group of accumulated batches."""
        factor = schedule_factor(self.phase, ctx.step, self.total_steps, self.steps_per_epoch)
        set_rates(self.optimizer, self.phase, factor)
        for indices in group:
            self._backward(self.loader.batch(indices, ctx), ctx, len(group))
        if self.phase.clip_norm is not None:
            self.session.fabric.clip_gradients(
                self.wrapped, self.optimizer, max_norm=self.phase.clip_norm, error_if_nonfinite=False
            )
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        state = self.state
        state.batch, state.step, state.steps = state.batch + len(group), state.step + 1, state.steps + 1
        state.examples += sum(map(len, group))
        if state.step % self.window == 0:
            self._flush()

    def _backward(self, batch: Batch, ctx: Context, group: int) -> None:
        method, fabric = self.session.method, self.session.fabric
        with (
            fabric.autocast()
        ):  # a method may call anything of its module, so not through Fabric's wrapper of forward
            losses = named_losses(method.training_step(self.session.module, batch, ctx), method.name)
        fabric.backward(losses["loss"] / group if group > 1 else losses["loss"])
        self._pending.append({name: loss.detach() for name, loss in losses.items()})
        self._newest = self._pending[-1]["loss"]

    # --- between steps ------------------------------------------------------------------------------------------

    @property
    def _where(self) -> str:
        return f"phase {self.phase.name!r}"

    def _look(self) -> None:
        """Progress, limits, Ctrl-C, and a checkpoint where one is due."""
        now = time.monotonic()
        self._next_look = now + LOOK_EVERY_S
        if self.progress.due and self._newest is not None:
            self.progress.at(self.state.step, loss=float(self._newest), phase=self.phase.name)
        self.session.limits.check(f"{self._where}, step {self.state.step} of {self.total_steps}")
        if self.session.interrupts.pending or now >= self._next_save:
            self.save()
            self._next_save = time.monotonic() + self.session.checkpoint_s
        self.session.interrupts.raise_pending()

    def _drain(self) -> None:
        """Move pending losses into the window as numbers; one that is not finite ends the fit."""
        if not self._pending:
            return
        pending, self._pending = self._pending, []
        totals = torch.stack([p["loss"].float() for p in pending]).tolist()
        first = self.state.step - math.ceil(len(pending) / self.phase.accumulate) + 1
        check_finite(totals, f"{self._where} ({self.total_steps} steps)", max(first, 1))
        for losses in pending:
            for name, loss in losses.items():
                self.state.window.setdefault(name, []).append(float(loss))

    def _flush(self) -> None:
        """A point of the curve: the mean of the losses since the last one."""
        self._drain()
        window, self.state.window = self.state.window, {}
        if window:
            self._point({f"train/{name}": sum(v) / len(v) for name, v in window.items()})

    def _point(self, values: Mapping[str, float]) -> None:
        state = self.state
        point = {
            "phase": self.phase.name,
            "step": state.steps,
            "epoch": state.epoch,
            "time_ms": round(time.time() * 1000),
        }
        state.curve.append({**point, "values": dict(values)})

    def save(self) -> None:
        """A checkpoint in the middle of the phase, unless the weights are no longer finite."""
        self._drain()
        session = self.session
        with session.watch("checkpoint"):
            check_weights(session.module, f"{self._where}, step {self.state.step}")
            self.state.seconds = {**session.watch.seconds, "elapsed": session.limits.elapsed_s}
            states = randomness(self.generator, self.device)
            save_checkpoint(
                Checkpoint(self.state, session.module.state_dict(), self.optimizer.state_dict(), states),
                session.fingerprint,
                session.folder,
            )


def check_weights(module: torch.nn.Module, where: str) -> None:
    """Raise :class:`TrainingError` if a parameter is not finite."""
    for name, parameter in module.named_parameters():
        if not bool(torch.isfinite(parameter).all()):
            raise TrainingError(
                f"{where}: parameter {name!r} is no longer finite; try a lower learning_rate or a smaller clip_norm"
            )
