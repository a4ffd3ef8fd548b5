"""Copy: what is given, given back. A clip that stands still, a sentence in its own words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from reelbench.data import Example
from reelbench.method import Context, Method, Recipe
from reelbench.tasks.reconstruction import FRAMES

if TYPE_CHECKING:
    from reelbench.batching import Batch


class Copy(Method):
    """The first frame repeated, or the given sentence as it is."""

    name = "copy"
    title = "Copy"
    role = "baseline"
    deterministic = True
    recipes: ClassVar = {"copy": Recipe(serves=("reconstruction",))}

    def prepare(self, example: Example, ctx: Context) -> Example:
        """The whole prediction."""
        if ctx.protocol == "caption":
            return Example(example.id, {"caption": " ".join(example["sentence"])}, example.targets)
        frames = example["first_frame"][None].repeat(FRAMES - 1, 0)
        return Example(example.id, {"frames": frames}, example.targets)

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        """``(B, F, H, W, 3)``, or a sentence each."""
        return {name: getattr(value, "data", value) for name, value in batch.fields.items()}
