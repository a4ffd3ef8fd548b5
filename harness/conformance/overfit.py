"""A check that trains longer: eight examples are learned by heart, or something between input and loss is cut.

Trained with Adam at one rate whatever the phase says, since it is the model that is asked here and not its schedule;
measured without dropout, on the eight examples, with the same draws before and after. Every phase must come down to a
share of the loss that its module had untrained.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reelbench.conformance.altered import holding
from reelbench.conformance.excerpt import Excerpt, uncut
from reelbench.conformance.parts import loader_of
from reelbench.conformance.report import Broken
from reelbench.conformance.subject import Subject, shortened
from reelbench.errors import SkippedPair
from reelbench.training.validation import LossValidator

if TYPE_CHECKING:
    from reelbench.method import DataInfo, Phase
    from reelbench.training.fit import Fit

EXAMPLES, STEPS, RATE = 8, 150, 3e-3
LEFT = 0.5
"""Of the first loss. Not less: draws (of negatives, of a latent) leave a floor. What is learned ends far below it."""
LEFT_OF_SAMPLES = 0.9
"""Where an answer is a sample (fixations): its own entropy stays, of gaze about two thirds of the first loss."""
PLAIN = {
    "optimizer": "adam",
    "learning_rate": RATE,
    "schedule": "constant",
    "warmup_steps": 0,
    "weight_decay": 0.0,
    "accumulate": 1,
}


def check_overfit(subject: Subject) -> str:
    """The last phase's loss on eight examples falls to a share of what it was."""
    phases = subject.fit_stage.spec["phases"]
    if not phases:
        raise SkippedPair("there is nothing to train: no phases")
    if type(subject.method).fit_phase is not None:
        raise SkippedPair("fit_phase takes the phases over: what it minimises is not known")
    few = _on_few(subject)
    fit = few.fit()
    data, phase = fit.fresh_data(), fit.phases[-1]
    before = _loss(fit, phase, data, fit.build(data))
    held: list[Any] = []
    spec = [{**p, **PLAIN} for p in shortened(few.fit_stage.spec, STEPS)["phases"]]
    few.train(
        few.fit_stage, few.folder / "overfit", steps=STEPS, phases=spec, method=holding(few.method, held)
    )
    after = _loss(fit, phase, data, held[-1])
    sampled = any(f.target and f.sampled for f in fit.relation(phase).schema.values())
    if after > before * (LEFT_OF_SAMPLES if sampled else LEFT):
        raise Broken(
            f"phase {phase.name!r} does not learn {EXAMPLES} examples by heart: its loss goes from {before:.3g} to {after:.3g} in {STEPS} steps; look for what keeps the inputs or the answers from the loss"
        )
    return f"loss of {EXAMPLES} examples from {before:.3g} to {after:.3g} in {STEPS} steps a phase"


def _on_few(subject: Subject) -> Subject:
    """The same on eight rows of every relation."""

    def few(name: str) -> Excerpt:
        return Excerpt(uncut(subject.open_dataset(name)), rows=EXAMPLES)

    return subject.over(few, "few")


def _loss(fit: Fit, phase: Phase, data: DataInfo, module: Any) -> float:
    """Of the eight examples, in evaluation mode."""
    return LossValidator(fit.method, loader_of(fit, phase, data), "32-true")(module).value
