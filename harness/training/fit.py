"""A fit from its specification to its folder: assets, module, upstream parameters, phases, weights, cost."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from reelbench.determinism import deterministic_algorithms, own_randomness
from reelbench.errors import TrainingError
from reelbench.examples import FeatureReader, has_clips
from reelbench.method import Context, DataInfo, Phase, Upstream
from reelbench.seeding import derive_seed
from reelbench.stages import fit_digest
from reelbench.training.assets import load_data, save_data
from reelbench.training.checkpoint import Checkpoint, FitState, load_checkpoint, save_checkpoint
from reelbench.training.cost import Stopwatch, count_parameters, peak_memory_bytes, reset_peak_memory
from reelbench.training.interrupts import DeferredInterrupts
from reelbench.training.limits import Limits
from reelbench.training.loader import Loader
from reelbench.training.loop import PhaseLoop, Session, check_weights
from reelbench.training.selection import hand_on
from reelbench.training.source import TrainingSource
from reelbench.training.validators import build_validator
from reelbench.training.weights import Weights, save_weights, snapshot, start_from

if TYPE_CHECKING:
    from reelbench.data import Relation
    from reelbench.dataset import Dataset
    from reelbench.method import Method
    from reelbench.stages import Emit
    from reelbench.task import Task


class Fit:
    """One run of :func:`reelbench.training.run_fit`."""

    def __init__(
        self,
        spec: Mapping[str, Any],
        method: Method,
        open_dataset: Callable[[str], Dataset],
        task_of: Callable[[str], Task],
        upstream: Mapping[str, Path],
        folder: Path,
        emit: Emit,
    ) -> None:
        self.spec, self.method, self.open_dataset, self.task_of = spec, method, open_dataset, task_of
        self.folders, self.folder, self.emit = upstream, folder, emit
        self.config = method.Config(**spec["config"])
        self.phases = [_dataclass(Phase, p) for p in spec["phases"]]
        self.ups = [_dataclass(Upstream, u) for u in spec["upstream"]]
        self.dataset = open_dataset(spec["dataset"])
        self.reader = FeatureReader(self.dataset, spec["features"])
        self.device, self.seed = str(spec["device"]), int(spec["seed"])
        self.watch = Stopwatch(self.device)

    def run(self) -> dict[str, Any]:
        """Train, and return the fit's own fields of the record."""
        started = time.perf_counter()
        reset_peak_memory(self.device)
        self.folder.mkdir(parents=True, exist_ok=True)
        with deterministic_algorithms(self.spec.get("deterministic_algorithms", True)):
            checkpoint = load_checkpoint(self.spec["fingerprint"], self.folder)
            state = self._continue(checkpoint)
            data = self._data(resumed=checkpoint is not None)
            module = self.build(data)
            members = self._train(module, data, state, checkpoint) if module is not None else []
        save_weights(members, self.folder)
        return self._record(module, state, time.perf_counter() - started)

    def _continue(self, checkpoint: Checkpoint | None) -> FitState:
        if checkpoint is None:
            return FitState()
        checkpoint.state.resumed += 1
        self.watch.seconds = {k: v for k, v in checkpoint.state.seconds.items() if k != "elapsed"}
        return checkpoint.state

    # --- what the method builds on ------------------------------------------------------------------------------

    def _data(self, *, resumed: bool) -> DataInfo:
        """Dimensions, label spaces and assets, as every later reader of this fit will see them."""
        if not resumed:
            save_data(self.fresh_data(), self.folder)
        return load_data(self.folder)

    def fresh_data(self) -> DataInfo:
        """Computed from training data and upstream fits, before anything is stored."""
        upstream = {
            u.name: load_data(self.folders[u.name]).assets if u.predicts is None else {} for u in self.ups
        }
        source = self._source(upstream)
        assets = dict(self.method.assets(source, self.config, self.spec["recipe"]))
        for up in self.ups:
            assets |= {name: _inherited(upstream[up.name], name, up.name) for name in up.assets}
        return DataInfo(self.dataset.name, self.reader.specs, dict(self.dataset.spaces), assets, upstream)

    def _source(self, upstream: Mapping[str, Mapping[str, Any]]) -> TrainingSource:
        import numpy as np

        rng = np.random.default_rng(derive_seed(self.seed, "assets"))
        return TrainingSource(
            self.dataset.name,
            self.reader.specs,
            dict(self.dataset.spaces),
            upstream,
            rng,
            self.dataset,
            self.reader,
        )

    def build(self, data: DataInfo) -> torch.nn.Module | None:
        """The method's module, initialised from the seed and from upstream fits."""
        with own_randomness(derive_seed(self.seed, "init"), "cpu"):
            module = self.method.build(data, self.config)
        if module is None and self.phases:
            raise TrainingError(f"method {self.method.name!r} has phases but build returned None")
        for up in self.ups:
            if module is not None and up.predicts is None:
                start_from(module, self.folders[up.name], up.parameters, up.name)
        return module

    # --- phases -------------------------------------------------------------------------------------------------

    def _train(
        self, module: torch.nn.Module, data: DataInfo, state: FitState, checkpoint: Checkpoint | None
    ) -> list[Weights]:
        if checkpoint is not None:
            module.load_state_dict(checkpoint.module)
        members = [snapshot(module)]
        with DeferredInterrupts() as interrupts:
            session = self._session(module, state, interrupts)
            while state.phase < len(self.phases):
                phase = self.phases[state.phase]
                self._loop(session, phase, data).run(checkpoint)
                checkpoint = None
                check_weights(module, f"phase {phase.name!r}")
                members = hand_on(state, phase, module)
                state.next_phase()
                if state.phase < len(self.phases):
                    self._save_between(session)
        return members

    def _save_between(self, session: Session) -> None:
        """A checkpoint before a phase's first step."""
        state = session.state
        with self.watch("checkpoint"):
            state.seconds = {**self.watch.seconds, "elapsed": session.limits.elapsed_s}
            save_checkpoint(
                Checkpoint(state, session.module.state_dict(), None, None), session.fingerprint, self.folder
            )

    def _session(self, module: torch.nn.Module, state: FitState, interrupts: DeferredInterrupts) -> Session:
        from lightning_fabric import Fabric

        return Session(
            method=self.method,
            module=module,
            fabric=Fabric(accelerator=self.device, devices=1, precision=self.spec["precision"]),
            state=state,
            watch=self.watch,
            limits=Limits(self.spec.get("limits") or {}, state.seconds.get("elapsed", 0.0)),
            interrupts=interrupts,
            emit=self.emit,
            folder=self.folder,
            fingerprint=self.spec["fingerprint"],
            trainable=frozenset(n for n, p in module.named_parameters() if p.requires_grad),
            always_frozen=tuple(prefix for up in self.ups for prefix in up.frozen),
            checkpoint_s=self.spec.get("checkpoint_seconds", 30.0),
        )

    def _loop(self, session: Session, phase: Phase, data: DataInfo) -> PhaseLoop:
        ctx = Context(
            self.config, data, self.spec["recipe"], self.seed, training=True, phase=phase, device=self.device
        )
        loader = Loader(self.relation(phase), self.reader_of(phase), self.method, ctx)
        return PhaseLoop(session, phase, loader, build_validator(self, phase, ctx))

    # --- training data ------------------------------------------------------------------------------------------

    def reader_of(self, phase: Phase) -> FeatureReader:
        """Features of the phase's training set, which must look like the fit's own."""
        if phase.dataset is None:
            return self.reader
        other = self.open_dataset(phase.dataset)
        shared = [m for m in self.spec["features"] if m in other.features]
        if len(shared) < len(self.spec["features"]) and any(
            map(has_clips, self.relation_of(phase, phase.split)[:1])
        ):
            missing = next(m for m in self.spec["features"] if m not in shared)
            raise TrainingError(
                f"phase {phase.name!r}: dataset {other.name!r} has no modality {missing!r}, which the fit reads"
            )
        for name in shared:
            if other.features[name].shape != self.reader.specs[name].shape:
                raise TrainingError(
                    f"phase {phase.name!r}: {name!r} has shape {other.features[name].shape} in {other.name}, {self.reader.specs[name].shape} in {self.dataset.name}"
                )
        return FeatureReader(other, shared)

    def relation(self, phase: Phase) -> Relation:
        """What a phase trains on: its relation, or one with an upstream's predictions."""
        for up in self.ups:
            if up.name == phase.relation and up.predicts is not None:
                return predicted_relation(up, self.dataset, self.folders[up.name])
        return self.relation_of(phase, phase.split)

    def relation_of(self, phase: Phase, split: str) -> Relation:
        """A split of a phase's relation.

        Raises
        ------
        TrainingError
            For the test split.
        """
        if split == "test":
            raise TrainingError(f"phase {phase.name!r} may not read the test split")
        dataset = self.open_dataset(phase.dataset) if phase.dataset else self.dataset
        return dataset.relation(phase.relation, split)

    # --- the record ---------------------------------------------------------------------------------------------

    def _record(self, module: torch.nn.Module | None, state: FitState, wall_s: float) -> dict[str, Any]:
        earlier = state.seconds.get("elapsed", 0.0) if state.resumed else 0.0
        train, validate = self.watch.of("train"), self.watch.of("validate")
        return {
            **count_parameters(module),
            "train_seconds": train,
            "validation_seconds": validate,
            "overhead_seconds": max(0.0, wall_s + earlier - train - validate),
            "examples_per_second": state.examples / train if train else 0.0,
            "steps": state.steps,
            "peak_memory_bytes": peak_memory_bytes(self.device),
            "resumed": state.resumed,
            "curve": state.curve,
            "weights": len(list(self.folder.glob("weights-*.safetensors"))),
            "digest": fit_digest(self.folder),
        }


def predicted_relation(up: Upstream, dataset: Dataset, folder: Path) -> Relation:
    """The relation that an upstream predicted for, with its predicted columns as targets."""
    from dataclasses import replace

    from reelbench.predictions import Predictions, check_ids

    assert up.predicts is not None
    _, name, split = up.predicts
    relation, predictions = dataset.relation(name, split), Predictions.load(folder)
    check_ids(predictions, tuple(e.id for e in relation))
    row_of = {i: k for k, i in enumerate(predictions.ids)}
    examples = [e.with_targets(**predictions.row(row_of[e.id])) for e in relation]
    return replace(relation, name=up.name, examples=examples)


def _inherited(assets: Mapping[str, Any], name: str, upstream: str) -> Any:
    if name not in assets:
        raise TrainingError(
            f"upstream {upstream!r} has no asset {name!r}; it has: {', '.join(sorted(assets)) or 'none'}"
        )
    return assets[name]


def _dataclass(cls: type[Any], value: Mapping[str, Any]) -> Any:
    """A dataclass from JSON: unknown keys are the stage's own, lists are tuples."""
    known = {f.name for f in fields(cls)}
    return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in value.items() if k in known})
