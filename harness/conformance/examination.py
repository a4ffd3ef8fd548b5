"""Runs the checks in the order in which an author meets them, and stops a recipe where going on makes no sense."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelbench.benchmarks import canonical_dataset, unknown_part
from reelbench.conformance.excerpt import Excerpt
from reelbench.conformance.report import Broken, Recorder, Report
from reelbench.conformance.subject import Subject
from reelbench.declarations import check_declarations
from reelbench.errors import SkippedPair, UnknownNameError
from reelbench.executors import Surroundings
from reelbench.executors.work import open_dataset
from reelbench.registry import Registry, build_registry
from reelbench.resolution import FULL, resolve, variants_of

if TYPE_CHECKING:
    from reelbench.dataset import Dataset
    from reelbench.method import Method

DATASET = "microworld/smoke"


def try_method(
    cls: type[Method],
    *,
    dataset: str = DATASET,
    recipe: str | None = None,
    variant: str = FULL,
    plugins: Sequence[str] = (),
) -> Report:
    """Every check that eight examples and a few steps allow, for an author's tests.

    Declarations, assets, examples, loss terms, predictions (alone and in a batch, of odd inputs, with scrambled test
    answers, by the module that was trained and by the one that was read back), and nothing kept on the method.

    Parameters
    ----------
    dataset
        With its size. Read as ``reelbench run`` reads it (``REELBENCH_DATA``, ``REELBENCH_CACHE``).
    recipe
        One of the method's; all of them where ``None``.
    plugins
        Modules to load for tasks and datasets that are not installed.

    Raises
    ------
    ConformanceError
        With a line for each failed check.
    """
    return _examined(cls, dataset, recipe, variant, plugins, thorough=False)


def check_method(
    cls: type[Method],
    *,
    dataset: str = DATASET,
    recipe: str | None = None,
    variant: str = FULL,
    plugins: Sequence[str] = (),
) -> Report:
    """The whole suite, for an author's tests: as :func:`try_method`, and what trains longer or more than once.

    Eight examples learned by heart, determinism, resuming, CPU against GPU where there is one, every variant.

    Raises
    ------
    ConformanceError
        With a line for each failed check.
    """
    return _examined(cls, dataset, recipe, variant, plugins, thorough=True)


def _examined(
    cls: type[Method],
    dataset: str,
    recipe: str | None,
    variant: str,
    plugins: Sequence[str],
    *,
    thorough: bool,
) -> Report:
    check_declarations(cls)
    registry = build_registry(plugins)
    registry.methods[cls.name] = cls()
    report = examine(
        registry,
        registry.method(cls.name),
        dataset=dataset,
        recipe=recipe,
        variant=variant,
        thorough=thorough,
    )
    report.raise_failures()
    return report


def examine(
    registry: Registry, method: Method, *, dataset: str, recipe: str | None = None, variant: str = FULL, thorough: bool = False,
    surroundings: Surroundings | None = None, heard: Callable[[Any], None] | None = None,
) -> Report:  # fmt: skip
    """Run the checks and report; ``heard`` gets each finding as it is made."""
    if recipe is not None and recipe not in method.recipes:
        raise UnknownNameError(f"recipe of {method.name}", recipe, method.recipes)
    if variant not in variants_of(method):
        raise UnknownNameError(f"variant of {method.name}", variant, variants_of(method))
    report = _Heard(method.name, canonical_dataset(registry, dataset), heard)
    recorder = Recorder(report, type(method))
    recorder.run("configuration", "", lambda: check_configurations(method))
    for name in [recipe] if recipe else method.recipes:
        recorder.run("serves", "", partial(check_serves, registry, method, name))
    with tempfile.TemporaryDirectory(prefix="reelbench-try-") as folder:
        opener = _opener(registry, surroundings or surroundings_from_environment(Path(folder)))
        variants = list(variants_of(method)) if thorough and variant == FULL else [variant]
        for name in [recipe] if recipe else list(method.recipes):
            for number, chosen in enumerate(variants):
                subject = Subject(
                    registry,
                    method,
                    name,
                    chosen,
                    next(iter(method.presets)),
                    report.dataset,
                    opener,
                    Path(folder) / f"{name}-{number}",
                )
                _examine_recipe(recorder, subject, thorough=thorough and number == 0)
    if thorough:
        from reelbench.conformance.repeats import check_imports

        recorder.run("imports", "", lambda: check_imports(method))
    return report


class _Heard(Report):
    """A report that passes each finding on as it is made."""

    def __init__(self, method: str, dataset: str, heard: Callable[[Any], None] | None) -> None:
        super().__init__(method, dataset, _Telling(heard) if heard else [])


class _Telling(list[Any]):
    def __init__(self, heard: Callable[[Any], None]) -> None:
        super().__init__()
        self._heard = heard

    def append(self, item: Any) -> None:
        super().append(item)
        self._heard(item)


def check_configurations(method: Method) -> str:
    """Every preset, recipe and variant resolves."""
    made = [
        resolve(method, r, v, p, {})
        for r in method.recipes
        for v in variants_of(method)
        for p in method.presets
    ]
    return f"{len(made)} configurations resolve"


def check_serves(registry: Registry, method: Method, recipe: str) -> str:
    """What a recipe serves, and validates on, is there under that name; a name like none is another plugin's, not loaded here."""
    declared = method.recipes[recipe]
    asked = {f"recipe {recipe!r} serves {p!r}": p for p in declared.serves}
    asked |= {
        f"recipe {recipe!r}, phase {p.name!r} validates on {p.validate_on!r}": p.validate_on
        for p in declared.phases
        if p.validate_on
    }
    for place, pattern in asked.items():
        if error := unknown_part(registry, pattern):
            if error.is_slip:
                raise Broken(f"{place}: {error}")
            raise SkippedPair(f"{place}: {error} (of a plugin that is not loaded?)")
    return f"{recipe} serves {', '.join(declared.serves) or 'nothing; others start from it'}"


def surroundings_from_environment(workspace: Path) -> Surroundings:
    """Where data lies for a test that names no folders."""
    cache = (
        os.environ.get("REELBENCH_CACHE")
        or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "reelbench"
    )
    data = os.environ.get("REELBENCH_DATA")
    return Surroundings(workspace, Path(cache), Path(data) if data else None)


def _opener(registry: Registry, surroundings: Surroundings) -> Callable[[str], Dataset]:
    opened: dict[str, Dataset] = {}

    def open_excerpt(name: str) -> Dataset:
        if name not in opened:
            opened[name] = Excerpt(open_dataset(registry, name, surroundings))
        return opened[name]

    return open_excerpt


def _examine_recipe(recorder: Recorder, subject: Subject, *, thorough: bool) -> None:
    before = dict(vars(subject.method))
    planned = recorder.run(
        "plan", subject.place, lambda: f"{len(subject.stages)} stages on {subject.dataset}"
    )
    if not planned or not _examine_parts(recorder, subject):
        return
    predicted = _examine_predictions(recorder, subject)
    if thorough:
        from reelbench.conformance.devices import check_devices
        from reelbench.conformance.overfit import check_overfit
        from reelbench.conformance.repeats import check_determinism, check_resume

        recorder.run("overfit", subject.place, lambda: check_overfit(subject))
        recorder.run("devices", subject.place, lambda: check_devices(subject, predicted))
        recorder.run("determinism", subject.place, lambda: check_determinism(subject))
        recorder.run("resume", subject.place, lambda: check_resume(subject))
    recorder.run("stateless", subject.place, lambda: check_stateless(subject.method, before))


def check_stateless(method: Method, before: dict[str, Any]) -> str:
    """Nothing was kept on the method."""
    if changed := sorted(k for k, v in vars(method).items() if k not in before or v is not before[k]):
        raise Broken(
            f"the method keeps {', '.join(changed)} on itself; a worker serves many fits, so put it into assets or the module"
        )
    return "nothing kept on the method"


def _examine_parts(recorder: Recorder, subject: Subject) -> bool:
    """Whether the recipe can be fitted: assets, module, examples, a step of each phase, and the short fit itself."""
    from reelbench.conformance import parts

    made: dict[str, Any] = {}

    def assets() -> str:
        made["fit"] = subject.fit()
        made["data"], line = parts.check_assets(made["fit"])
        return line

    if not recorder.run("assets", subject.place, assets):
        return False
    fit, data = made["fit"], made["data"]
    if not recorder.run("build", subject.place, lambda: parts.check_build(fit, data)) or not _examine_phases(
        recorder, subject, fit, data
    ):
        return False
    return recorder.run(
        "fit",
        subject.place,
        lambda: f"two steps a phase, kept in {len(list(subject.run(subject.fit_stage).iterdir()))} files",
    )


def _examine_phases(recorder: Recorder, subject: Subject, fit: Any, data: Any) -> bool:
    from reelbench.conformance import gradients, parts

    missed: list[set[str]] = []
    passed = True

    def step(phase: Any) -> str:
        names, line = gradients.check_step(fit, phase, data)
        missed.append(names)
        return line

    for phase in fit.phases:
        place = f"{subject.place}/{phase.name}"
        passed &= recorder.run("examples", place, partial(parts.check_examples, fit, phase, data))
        if type(fit.method).fit_phase is None:
            passed &= recorder.run("training_step", place, partial(step, phase))
    if passed and missed:
        recorder.run("gradients", subject.place, lambda: gradients.check_reached(missed))
    return passed


def _examine_predictions(recorder: Recorder, subject: Subject) -> dict[Any, Any]:
    """Predictions of each benchmark and split that could be predicted."""
    from reelbench.conformance import served, unreached

    made: dict[Any, Any] = {}

    def predict(benchmark: Any, split: str) -> str:
        made[benchmark, split], line = served.check_predictions(subject, benchmark, split)
        return line

    for benchmark, split in subject.served():
        place = f"{subject.place}/{benchmark.task}:{benchmark.protocol}"
        if recorder.run("predict", place, partial(predict, benchmark, split)):
            together = made[benchmark, split]
            recorder.run("alone", place, partial(served.check_alone, subject, benchmark, split, together))
            recorder.run("odd inputs", place, partial(served.check_odd_inputs, subject, benchmark, split))
    if made:
        recorder.run("reload", subject.place, lambda: unreached.check_reload(subject, made))
    recorder.run("labels", subject.place, lambda: unreached.check_labels(subject))
    return made
