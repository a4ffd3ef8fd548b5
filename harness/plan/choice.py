"""Which fit is meant, and which rows of tables a suite asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

from reelbench.benchmarks import Benchmark, is_pattern, matches, unknown_part
from reelbench.errors import UnknownNameError
from reelbench.method import Method
from reelbench.plan.outcome import Skipped
from reelbench.registry import Registry
from reelbench.resolution import FULL, Resolved, resolve, variants_of
from reelbench.suite import MethodEntry, Suite


@dataclass(frozen=True)
class Choice:
    """One way to train a method, on one dataset; the seed stands beside it."""

    method: Method
    recipe: str
    variant: str
    preset: str
    dataset: str
    overrides: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def resolved(self) -> Resolved:
        """Its configuration."""
        return resolve(self.method, self.recipe, self.variant, self.preset, self.overrides)

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The modalities that it reads."""
        return tuple(self.method.features(self.resolved.config, self.recipe))

    @cached_property
    def section(self) -> str:
        """Of a table: the features that the full variant reads."""
        full = resolve(self.method, self.recipe, FULL, self.preset, {})
        return "+".join(sorted(self.method.features(full.config, self.recipe)))

    def naming(self, seed: int) -> dict[str, Any]:
        """What a record says of it."""
        method = self.method
        return {
            "method": method.name, "title": method.title or method.name, "role": method.role, "variant": self.variant, "recipe": self.recipe,
            "preset": self.preset, "dataset": self.dataset, "features": list(self.features),
            "section": self.section, "seed": seed, "deterministic": method.deterministic, "floor": method.floor,
        }  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One row of one table: what is trained, and on which benchmark it is evaluated."""

    choice: Choice
    benchmark: Benchmark


def rows_of(
    registry: Registry,
    suite: Suite,
    entry: MethodEntry,
    benchmarks: Sequence[Benchmark],
    skipped: list[Skipped],
) -> Iterator[Row]:
    """The rows of one entry of a suite; what no recipe serves is added to ``skipped``.

    Raises
    ------
    UnknownNameError
        For a method, recipe, variant or benchmark that nothing registered has.
    """
    for pattern in entry.benchmarks:
        if error := unknown_part(registry, pattern):
            raise error
    for method in _methods_of(registry, entry):
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
                    reason = _unserved(registry, method, recipes)
                    skipped.append(Skipped(method.name, variant, str(benchmark), reason))
                for recipe in serving:
                    choice = Choice(method, recipe, variant, preset, benchmark.dataset, entry.config)
                    yield Row(choice, benchmark)


def check_preset(registry: Registry, suite: Suite) -> None:
    """Raise if no method has the suite's preset; those without it, baselines most often, run in their first."""
    known = {
        preset
        for entry in suite.methods
        for method in _methods_of(registry, entry)
        for preset in method.presets
    }
    if known and suite.preset not in known and not all(entry.preset for entry in suite.methods):
        raise UnknownNameError("preset", suite.preset, known)


def _unserved(registry: Registry, method: Method, recipes: Sequence[str]) -> str:
    """That no recipe serves a benchmark, what they serve, and which of these names nothing has."""
    served = sorted({p for r in recipes for p in method.recipes[r].serves})
    slips = [str(e) for p in served if (e := unknown_part(registry, p)) and e.is_slip]
    return f"no recipe serves it (serves {'; '.join([', '.join(served) or 'nothing', *slips])})"


def _methods_of(registry: Registry, entry: MethodEntry) -> list[Method]:
    if is_pattern(entry.name):
        return [registry.methods[name] for name in sorted(_chosen("method", [entry.name], registry.methods))]
    return [registry.method(entry.name)]


def _chosen(kind: str, patterns: Sequence[str], known: Mapping[str, Any]) -> list[str]:
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in known):
            raise UnknownNameError(kind, pattern, known)
    return [name for name in known if any(fnmatchcase(name, p) for p in patterns)]
