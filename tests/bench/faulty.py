"""A plugin of methods that each break one rule while they run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from paced import Plodder, phase

from reelbench import Method, Predictions, Recipe, hookimpl

SHORT = Recipe(serves=("action_recognition",), phases=(phase("only", 2),))


class Brief(Plodder):
    """What they share: two steps."""

    recipes = {"walk": SHORT}


class Collapses(Brief):
    """Cannot be built."""

    name = "collapses"

    def build(self, data: Any, config: Any) -> Any:
        raise ValueError("no such layer:\n  'attention'")


class Diverges(Brief):
    """Its loss is not a number."""

    name = "diverges"

    def training_step(self, module: Any, batch: Any, ctx: Any) -> Any:
        return super().training_step(module, batch, ctx) * float("nan")


class Silent(Brief):
    """Its training step returns nothing."""

    name = "silent"

    def training_step(self, module: Any, batch: Any, ctx: Any) -> Any:
        return None


class Undecided(Brief):
    """Predicts NaN."""

    name = "undecided"

    def predict_step(self, module: Any, batch: Any, ctx: Any) -> Mapping[str, Any]:
        return {"scores": super().predict_step(module, batch, ctx)["scores"] * float("nan")}


class Narrow(Brief):
    """Scores three classes of four."""

    name = "narrow"

    def predict_step(self, module: Any, batch: Any, ctx: Any) -> Mapping[str, Any]:
        return {"scores": super().predict_step(module, batch, ctx)["scores"][:, :3]}


class Hasty(Brief):
    """Leaves out the last example of a batch."""

    name = "hasty"

    def predict_step(self, module: Any, batch: Any, ctx: Any) -> Mapping[str, Any]:
        return {"scores": super().predict_step(module, batch, ctx)["scores"][:-1]}


class Forgetful(Brief):
    """Loses an example where it combines two members."""

    name = "forgetful"
    recipes = {"walk": replace(SHORT, ensemble=2)}

    def combine(self, members: Sequence[Predictions], ctx: Any) -> Predictions:
        first = members[0]
        return Predictions(first.ids[1:], {k: v[1:] for k, v in first.columns.items()})


class Inventive(Brief):
    """Adds an example where it combines two members."""

    name = "inventive"
    recipes = {"walk": replace(SHORT, ensemble=2)}

    def combine(self, members: Sequence[Predictions], ctx: Any) -> Predictions:
        import numpy as np

        first = members[0]
        return Predictions(
            (*first.ids, "made-up"), {k: np.concatenate([v, v[:1]]) for k, v in first.columns.items()}
        )


@hookimpl
def reelbench_methods() -> Sequence[type[Method]]:
    return (Collapses, Diverges, Silent, Undecided, Narrow, Hasty, Forgetful, Inventive)
