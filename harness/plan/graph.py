"""The growing graph of stages, equal ones once, each known by what it depends on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reelbench.fingerprints import RELAXED, Reuse, digest
from reelbench.stages import Stage, StageKind

Seed = int | list[int | str]
"""A seed, with the digest of predictions that were made elsewhere beside it."""
Needs = Mapping[str, Sequence[Stage]]


@dataclass(frozen=True)
class Identity:
    """What a stage is known by: with its seed, and without."""

    fingerprint: str
    family: str


class StageGraph:
    """Collects stages; ``reuse`` says by which of their two identities they are known."""

    def __init__(self, reuse: Reuse) -> None:
        self.stages: dict[str, Stage] = {}
        self.reuse = reuse
        self._identities: dict[str, dict[Reuse, Identity]] = {}

    def add(
        self, kind: StageKind, depends: Mapping[str, Any], spec: Mapping[str, Any], needs: Needs, seed: Seed
    ) -> Stage:
        """The stage that depends on all this, which may be there already."""
        upstream = {"exact": self._of(needs, "exact"), "compatible": self._of(needs, "compatible")}
        counted = {k: v for k, v in depends.items() if k not in RELAXED} | {"reuse": "compatible"}
        known: dict[Reuse, Identity] = {
            "exact": _identify(kind, depends, upstream["exact"], seed),
            "compatible": _identify(kind, counted, upstream["compatible"], seed),
        }
        own = known[self.reuse]
        if own.fingerprint not in self.stages:
            self._identities[own.fingerprint] = known
            ids = {role: tuple(s.fingerprint for s in stages) for role, stages in needs.items()}
            stage = Stage(kind, own.fingerprint, own.family, dict(spec), ids)
            parts = {k: digest(v)[:12] for k, v in depends.items()} | {
                role: digest([i.family for i in found])[:12] for role, found in upstream["exact"].items()
            }
            names = {
                "label": stage.label, "family": own.family, "fingerprint": own.fingerprint, "depends": parts, "exact": known["exact"].fingerprint,
                "compatible": {k: v for s in needs.get("predictions", ()) for k, v in s.spec["compatible"].items()} | {kind: known["compatible"].fingerprint},
                "versions": _versions_in(needs) | dict(depends.get("versions", {})),
            }  # fmt: skip
            self.stages[own.fingerprint] = Stage(kind, own.fingerprint, own.family, {**spec, **names}, ids)
        return self.stages[own.fingerprint]

    def _of(self, needs: Needs, reuse: Reuse) -> dict[str, list[Identity]]:
        return {
            role: [self._identities[s.fingerprint][reuse] for s in found] for role, found in needs.items()
        }


def _identify(
    kind: str, depends: Mapping[str, Any], needs: Mapping[str, Sequence[Identity]], seed: Seed
) -> Identity:
    families = {role: [i.family for i in found] for role, found in needs.items()}
    family = digest({"kind": kind, "depends": depends, "needs": families})
    fingerprints = {role: [i.fingerprint for i in found] for role, found in needs.items()}
    return Identity(digest({"family": family, "seed": seed, "needs": fingerprints}), family)


def _versions_in(needs: Needs) -> dict[str, str]:
    """Versions that count for the stages that one needs."""
    return {name: v for stages in needs.values() for s in stages for name, v in s.spec["versions"].items()}
