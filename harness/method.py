"""The contract of a method: what its author writes, and nothing more.

Importing this module loads neither numpy nor torch, so that listing methods stays fast; an author's registration
module should do the same and import its ``model.py`` inside :meth:`Method.build`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    import numpy as np
    import torch

    from reelbench.batching import Batch
    from reelbench.data import Example, FeatureSpec, Relation
    from reelbench.predictions import Predictions
    from reelbench.training.source import TrainingSource


class Config(BaseModel):
    """A method's choices: typed, frozen, unknown keys refused. Sub-class it inside the method."""

    model_config = ConfigDict(frozen=True, extra="forbid")


_Config = Config  # inside ``Method`` the name stands for the method's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One stretch of training.

    Attributes
    ----------
    name
        Unique in its recipe; overrides name it: ``{"joint.epochs": 3}``.
    relation
        The training relation it reads (``captions``), or the name of an :class:`Upstream` that predicts.
    split, dataset
        Where the relation is read; ``dataset`` of ``None`` is the fit's own.
    epochs, steps
        Length; ``steps`` wins where given.
    max_steps
        No phase is longer than this, however its length is given; a suite's ``max_steps`` sets it for all.
    optimizer
        ``adam``, ``adamw``, ``sgd``, ``rmsprop`` or ``adadelta``.
    schedule
        ``constant``, ``cosine`` (to zero), ``linear`` (to zero) or ``step`` (times ``decay`` every
        ``decay_every`` epochs), after ``warmup_steps`` of linear warm-up.
    rates
        Learning-rate factors by parameter-name prefix.
    frozen
        Parameter-name prefixes that are not trained in this phase.
    losses
        Names that ``training_step`` may look at (``ctx.phase.losses``).
    validate
        ``metric`` (the primary metric of ``validate_on``, or of the first task served), ``loss``, or ``None``.
    validate_every
        Epochs between validations.
    select
        Which weights go on: ``last``, ``best``, or ``average`` (predictions of the last ``keep`` checkpoints
        are averaged).
    patience
        Validations without improvement before an early stop; ``None`` never stops early.
    bucket
        Whether batches gather examples of similar length.
    """

    name: str
    relation: str
    split: str = "train"
    dataset: str | None = None
    epochs: int = 10
    steps: int | None = None
    max_steps: int | None = None
    batch_size: int = 32
    accumulate: int = 1
    optimizer: Literal["adam", "adamw", "sgd", "rmsprop", "adadelta"] = "adam"
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    momentum: float = 0.9
    schedule: Literal["constant", "cosine", "linear", "step"] = "constant"
    warmup_steps: int = 0
    decay: float = 0.5
    decay_every: int = 10
    rates: Mapping[str, float] = field(default_factory=dict)
    clip_norm: float | None = 5.0
    frozen: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    validate: Literal["metric", "loss"] | None = "metric"
    validate_on: str | None = None
    validate_every: int = 1
    select: Literal["last", "best", "average"] = "best"
    keep: int = 1
    patience: int | None = None
    bucket: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A named way to train a method.

    Attributes
    ----------
    serves
        What its fit is evaluated on: a task (``retrieval``), narrowed where needed by dataset and protocol
        (``reidentification:video``, ``localization@didemo``). Empty for a fit that only others start from.
    phases
        Trained in order; empty for methods that only compute assets (a prior, nearest neighbours).
    config
        Config values of this recipe, between the preset's and the variant's.
    ensemble
        How many fits, of seeds derived from the trial's, a trial averages.
    """

    serves: tuple[str, ...] = ()
    phases: tuple[Phase, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    summary: str = ""
    ensemble: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """A fit that another fit starts from, or whose predictions it learns from.

    Attributes
    ----------
    name
        How ``data.upstream`` and a phase's ``relation`` refer to it.
    recipe, method, variant, preset
        Which fit; ``None`` means the consumer's own. Equal fits are trained once.
    parameters
        Upstream parameter prefix → own prefix, copied before the first phase. Empty copies nothing.
    frozen
        Own parameter prefixes that stay frozen in every phase.
    assets
        Names of assets taken from it instead of computed again.
    shared
        Whether all seeds of the consumer start from one fit, of seed 0, instead of from one of their own seed.
    predicts
        ``(task, relation, split)``: predict the task's columns for that relation's examples; the phase whose
        ``relation`` is this upstream's name sees them with the columns as extra targets.
    """

    name: str
    recipe: str
    method: str | None = None
    variant: str | None = None
    preset: str | None = None
    parameters: Mapping[str, str] = field(default_factory=lambda: {"": ""})
    frozen: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()
    shared: bool = False
    predicts: tuple[str, str, str] | None = None


@dataclass(frozen=True)
class DataInfo:
    """What a method may know of the data when it builds its module.

    Attributes
    ----------
    features
        The fit's feature set: modality → shape, rate.
    spaces
        Label spaces and answer vocabularies, in index order.
    assets
        What :meth:`Method.assets` returned, by name.
    upstream
        Upstream name → its assets.
    """

    dataset: str
    features: Mapping[str, FeatureSpec]
    spaces: Mapping[str, tuple[str, ...]]
    assets: Mapping[str, Any] = field(default_factory=dict)
    upstream: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def dim(self, *modalities: str) -> int:
        """Total width of vector modalities (all of the feature set where none is named)."""
        return sum(self.features[m].dim for m in modalities or self.features)


@dataclass(frozen=True)
class Context:
    """Where in a fit or a prediction a call stands. Frozen: a method keeps no state of its own.

    Attributes
    ----------
    settings
        The method's ``Predict`` settings (beam size, NMS).
    rng
        A numpy generator for ``sample`` and ``prepare``, a function of seed, epoch and example only.
    generator
        A torch generator for steps, restored exactly on resume.
    """

    config: Any
    data: DataInfo
    recipe: str
    seed: int
    training: bool
    settings: Any = None
    phase: Phase | None = None
    task: str | None = None
    protocol: str | None = None
    benchmark: str | None = None
    epoch: int = 0
    step: int = 0
    total_steps: int = 0
    rng: np.random.Generator | None = None
    generator: torch.Generator | None = None
    device: Any = "cpu"

    @property
    def progress(self) -> float:
        """How much of the phase is done, in [0, 1]."""
        return self.step / self.total_steps if self.total_steps else 0.0


class Method:
    """Base class of methods. The first docstring line is the summary; "Departures" lists choices made.

    Attributes
    ----------
    name
        Lower case, dashes: ``jsfusion``.
    modalities
        Features it reads, the default of :meth:`features`.
    role
        ``method`` or ``baseline``; baselines are shown in their own part of a table.
    deterministic
        Whether every seed gives the same predictions, so that one is enough.
    floor
        Whether it answers without having looked, so that tables draw it as the line to be above and do not rank it.
    """

    name: ClassVar[str]
    title: ClassVar[str] = ""
    role: ClassVar[Literal["method", "baseline"]] = "method"
    modalities: ClassVar[tuple[str, ...]] = ()
    deterministic: ClassVar[bool] = False
    floor: ClassVar[bool] = False
    Config: ClassVar[type[_Config]] = Config
    Predict: ClassVar[type[_Config]] = Config
    recipes: ClassVar[Mapping[str, Recipe]] = {}
    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"tiny": {}}

    def features(self, config: Any, recipe: str) -> tuple[str, ...]:
        """Modalities that a fit reads; a dataset without one of them is skipped with that reason."""
        return self.modalities

    def upstream(self, config: Any, recipe: str) -> Sequence[Upstream]:
        """Fits to start from or to learn from."""
        return ()

    def assets(self, source: TrainingSource, config: Any, recipe: str) -> Mapping[str, Any]:
        """What is computed from training data once and stored with the fit.

        Values are JSON-like, numpy arrays, or :class:`reelbench.Vocabulary`.
        """
        return {}

    def build(self, data: DataInfo, config: Any) -> torch.nn.Module | None:
        """The module, on the CPU, initialised from torch's global generator (seeded by the harness).

        ``None`` for a method without parameters, whose assets are all it needs.
        """
        return None

    def sample(self, example: Example, source: Relation, ctx: Context) -> Example:
        """Re-pair an example or draw its negatives from ``source``; a pure function of its arguments."""
        return example

    def prepare(self, example: Example, ctx: Context) -> Example:
        """Encode, pad, resample, mirror: the last step before collating; features are arrays by now."""
        return example

    def training_step(
        self, module: Any, batch: Batch, ctx: Context
    ) -> torch.Tensor | Mapping[str, torch.Tensor]:
        """The loss of a batch, or named losses of which ``loss`` is minimised."""
        raise NotImplementedError(f"{type(self).__name__} has phases but no training_step")

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """The task's prediction columns for a batch (see the task's schema); pairwise tasks use the three below."""
        raise NotImplementedError(f"{type(self).__name__} serves {ctx.task} but has no predict_step")

    def encode_query(self, module: Any, batch: Batch, ctx: Context) -> Any:
        """Pairwise tasks: a tensor, or a dict of tensors, whose first axis is the batch; kept for all tiles."""
        raise NotImplementedError(f"{type(self).__name__} serves {ctx.task} but has no encode_query")

    def encode_gallery(self, module: Any, batch: Batch, ctx: Context) -> Any:
        """Pairwise tasks: likewise for the gallery."""
        raise NotImplementedError(f"{type(self).__name__} serves {ctx.task} but has no encode_gallery")

    def score(self, module: Any, query: Any, gallery: Any, ctx: Context) -> torch.Tensor:
        """Pairwise tasks: scores ``(queries, gallery)`` of one tile."""
        raise NotImplementedError(f"{type(self).__name__} serves {ctx.task} but has no score")

    def combine(self, members: Sequence[Predictions], ctx: Context) -> Predictions:
        """Predictions of an ensemble or of several checkpoints; by default the mean of every array column."""
        from reelbench.evaluation import average

        return average(members)

    fit_phase: ClassVar[Any] = None
    """``fit_phase(module, loaders, ctx)`` takes over a whole phase; see ``docs/methods.md``."""
