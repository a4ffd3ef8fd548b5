"""Methods that each break the contract in one way; ``BREAKAGES`` says which check finds it and what it must say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from toy_methods import JOINT, Matching

from reelbench import Recipe

if TYPE_CHECKING:
    from reelbench import Method

FROZEN = replace(JOINT, frozen=("next_word.",))


class Sound(Matching):
    """Keeps the contract."""

    name = "sound"
    recipes = {"match": Recipe(serves=("multiple_choice",), phases=(FROZEN,))}


class UnknownRelation(Sound):
    """Reads a relation that is not there."""

    recipes = {"match": Recipe(serves=("multiple_choice",), phases=(replace(FROZEN, relation="gaze"),))}


class MisspeltRelation(Sound):
    """Slips in a relation."""

    recipes = {"match": Recipe(serves=("multiple_choice",), phases=(replace(FROZEN, relation="captoins"),))}


class MisspeltSplit(Sound):
    """Slips in a split."""

    recipes = {"match": Recipe(serves=("multiple_choice",), phases=(replace(FROZEN, split="trian"),))}


class MisspeltFeature(Sound):
    """Slips in a modality."""

    modalities = ("framse",)


class MisspeltTask(Sound):
    """Slips in what it serves."""

    recipes = {"match": Recipe(serves=("multiple_chioce",), phases=(FROZEN,))}


class MisspeltProtocol(Sound):
    """Slips in a protocol of what it serves."""

    recipes = {"match": Recipe(serves=("multiple_choice:chioce",), phases=(FROZEN,))}


class MisspeltDataset(Sound):
    """Slips in a dataset of what it serves."""

    recipes = {"match": Recipe(serves=("multiple_choice@tooybox",), phases=(FROZEN,))}


class MisspeltValidation(Sound):
    """Slips in what it validates on."""

    recipes = {
        "match": Recipe(serves=("multiple_choice",), phases=(replace(FROZEN, validate_on="multiple_chioce"),))
    }


class ServesNothingHere(Sound):
    """Serves a task that the dataset has not."""

    modalities = ("audio",)


class RandomAsset(Sound):
    """Draws an asset without the source's generator."""

    def assets(self, source: Any, config: Any, recipe: str) -> Any:
        import numpy as np

        return {**super().assets(source, config, recipe), "noise": np.random.default_rng().normal(size=3)}


class AssetOfObjects(Sound):
    """Keeps an asset that cannot be stored."""

    def assets(self, source: Any, config: Any, recipe: str) -> Any:
        return {**super().assets(source, config, recipe), "words": {"a", "b"}}


class AssetFromValidation(Sound):
    """Looks at validation data."""

    def assets(self, source: Any, config: Any, recipe: str) -> Any:
        source.relation("captions", "validation")
        return super().assets(source, config, recipe)


class BuildsRandomly(Sound):
    """Initialises outside torch's seeded generator."""

    def build(self, data: Any, config: Any) -> Any:
        import numpy as np

        module = super().build(data, config)
        module.video.bias.data.fill_(np.random.default_rng().normal())
        return module


class BuildsNoModule(Sound):
    """Forgets to instantiate."""

    def build(self, data: Any, config: Any) -> Any:
        return dict


class ImpurePrepare(Sound):
    """Draws noise from its own generator."""

    def prepare(self, example: Any, ctx: Any) -> Any:
        import numpy as np

        frames = example["video"]["frames"]
        return (
            super()
            .prepare(example, ctx)
            .with_fields(
                video={"frames": frames + np.random.default_rng().normal(size=frames.shape).astype("float32")}
            )
        )


class ChangesInPlace(Sound):
    """Standardises the harness's own arrays."""

    def prepare(self, example: Any, ctx: Any) -> Any:
        example["video"]["frames"][:] *= 0.5
        return super().prepare(example, ctx)


class MixedShapes(Sound):
    """Fields that cannot be batched."""

    def prepare(self, example: Any, ctx: Any) -> Any:
        import numpy as np

        return super().prepare(example, ctx).with_fields(extra=np.zeros((2, 1 + len(example.id))))


class NotALoss(Sound):
    """Returns a loss an example."""

    def training_step(self, module: Any, batch: Any, ctx: Any) -> Any:
        return module.watch(batch["video"]["frames"]).sum(-1)


class InfiniteLoss(Sound):
    """Takes a logarithm of nothing."""

    def training_step(self, module: Any, batch: Any, ctx: Any) -> Any:
        return (module.watch(batch["video"]["frames"]) * 0).log().sum()


class DetachedLoss(Sound):
    """Detaches its loss."""

    def training_step(self, module: Any, batch: Any, ctx: Any) -> Any:
        return super().training_step(module, batch, ctx).detach()


class UntrainedParameters(Sound):
    """Leaves parameters that nothing trains."""

    recipes = {"match": Recipe(serves=("multiple_choice",), phases=(JOINT,))}


class IdleTerm(Sound):
    """Masks a term of its loss away."""

    def training_step(self, module: Any, batch: Any, ctx: Any) -> Any:
        loss = super().training_step(module, batch, ctx)
        return {"loss": loss, "words": (module.read(batch["sentence"]) * 0).sum()}


class IdleLayer(UntrainedParameters):
    """Multiplies what a layer says with nothing, so that its gradient is there and zero."""

    def training_step(self, module: Any, batch: Any, ctx: Any) -> Any:
        loss = super().training_step(module, batch, ctx)
        return loss + 0 * module.next_word(module.read(batch["sentence"])).sum()


class TrainsTheFrozen(Sound):
    """Wakes what its phase froze."""

    def training_step(self, module: Any, batch: Any, ctx: Any) -> Any:
        module.next_word.requires_grad_(True)
        loss = super().training_step(module, batch, ctx)
        return loss + module.next_word(module.read(batch["sentence"])).square().mean()


class MovesTheFrozen(Sound):
    """Averages into what its phase froze."""

    def training_step(self, module: Any, batch: Any, ctx: Any) -> Any:
        module.next_word.bias.data.add_(1.0)
        return super().training_step(module, batch, ctx)


class FreezesNothing(Sound):
    """Misspells a prefix."""

    recipes = {"match": Recipe(serves=("multiple_choice",), phases=(replace(JOINT, frozen=("nextword.",)),))}


class RaisesInStep(Sound):
    """Has a bug."""

    def training_step(self, module: Any, batch: Any, ctx: Any) -> Any:
        return batch["sentense"]


class WrongColumn(Sound):
    """Misnames its column."""

    def predict_step(self, module: Any, batch: Any, ctx: Any) -> Any:
        return {"score": super().predict_step(module, batch, ctx)["scores"]}


class WrongShape(Sound):
    """Leaves a choice out."""

    def predict_step(self, module: Any, batch: Any, ctx: Any) -> Any:
        return {"scores": super().predict_step(module, batch, ctx)["scores"][:, :2]}


class MissingRows(Sound):
    """Answers for all but one."""

    def predict_step(self, module: Any, batch: Any, ctx: Any) -> Any:
        return {"scores": super().predict_step(module, batch, ctx)["scores"][1:]}


class PredictsNaN(Sound):
    """Divides by zero."""

    def predict_step(self, module: Any, batch: Any, ctx: Any) -> Any:
        return {"scores": super().predict_step(module, batch, ctx)["scores"] * float("nan")}


class ReadsAnswers(Sound):
    """Peeks."""

    def predict_step(self, module: Any, batch: Any, ctx: Any) -> Any:
        return {"scores": batch.targets["answer"]}


class ForgetsTheMask(Sound):
    """Averages the padding in."""

    def predict_step(self, module: Any, batch: Any, ctx: Any) -> Any:
        candidates = module.read(batch["choices"])
        return {
            "scores": (
                candidates @ module.video(batch["video"]["frames"].data.mean(1)).unsqueeze(-1)
            ).squeeze(-1)
        }


class ForgetsTheMaskInSmallNumbers(ForgetsTheMask):
    """Averages the padding in, and answers in numbers of a ten-thousandth, as the cells of a map are."""

    def predict_step(self, module: Any, batch: Any, ctx: Any) -> Any:
        return {"scores": super().predict_step(module, batch, ctx)["scores"] * 1e-4}


class LooksAround(Sound):
    """Standardises over the batch."""

    def predict_step(self, module: Any, batch: Any, ctx: Any) -> Any:
        scores = super().predict_step(module, batch, ctx)["scores"]
        return {"scores": scores - scores.mean(0)}


class LearnsTestAnswers(Sound):
    """Opens what it was not given."""

    def assets(self, source: Any, config: Any, recipe: str) -> Any:
        test = source._opened.evaluation("multiple_choice", "choice", "test")
        return {
            **super().assets(source, config, recipe),
            "answers": [t["answer"] for t in test.targets.values()],
        }


class RemembersOutsideItsWeights(Sound):
    """Keeps what it saw in training in the module, where no weights file has it."""

    def training_step(self, module: Any, batch: Any, ctx: Any) -> Any:
        module.usual = module.watch(batch["video"]["frames"]).detach().mean()
        return super().training_step(module, batch, ctx)

    def predict_step(self, module: Any, batch: Any, ctx: Any) -> Any:
        return {"scores": super().predict_step(module, batch, ctx)["scores"] + getattr(module, "usual", 0.0)}


class CountsOnTwoFrames(Sound):
    """Divides by the number of gaps between frames."""

    def predict_step(self, module: Any, batch: Any, ctx: Any) -> Any:
        gaps = (batch["video"]["frames"].mask.sum(1) - 1).unsqueeze(1)
        return {"scores": super().predict_step(module, batch, ctx)["scores"] * (1 + 1 / gaps)}


class KnowsEveryWord(Sound):
    """Looks words up in a table of those that it has met."""

    def prepare(self, example: Any, ctx: Any) -> Any:
        known = set(ctx.data.assets["vocabulary"].words)
        assert all(w in known for choice in example.fields.get("choices", ()) for w in choice)
        return super().prepare(example, ctx)


class NeedsWords(Sound):
    """Takes the first word of every choice."""

    def prepare(self, example: Any, ctx: Any) -> Any:
        assert all(choice[0] for choice in example.fields.get("choices", ()))
        return super().prepare(example, ctx)


class KeepsState(Sound):
    """Remembers."""

    def training_step(self, module: Any, batch: Any, ctx: Any) -> Any:
        self.last = batch
        return super().training_step(module, batch, ctx)


class CountsSteps(Sound):
    """Scales its loss by a counter outside the weights."""

    def training_step(self, module: Any, batch: Any, ctx: Any) -> Any:
        module.seen = getattr(module, "seen", 0) + 1
        return super().training_step(module, batch, ctx) * module.seen


class LooksAtNothing(Sound):
    """Multiplies its frames away, and learns a bias."""

    def training_step(self, module: Any, batch: Any, ctx: Any) -> Any:
        batch["video"]["frames"].data.mul_(0)
        return super().training_step(module, batch, ctx)


class HeavyImport(Sound):
    """Imports torch when registered."""

    __module__ = "toybox_model"


BREAKAGES: dict[type[Method], tuple[str, str]] = {
    UnknownRelation: ("plan", "dataset toybox/main has no relation 'gaze' in split 'train', which phase 'joint' reads"),
    MisspeltRelation: ("plan", "dataset toybox/main has no relation 'captoins' in split 'train', which phase 'joint' reads; did you mean 'captions'?"),
    MisspeltSplit: ("plan", "dataset toybox/main has no relation 'captions' in split 'trian', which phase 'joint' reads; did you mean 'train'?"),
    MisspeltFeature: ("plan", "dataset toybox/main has no features framse; did you mean 'frames'?"),
    MisspeltTask: ("serves", "recipe 'match' serves 'multiple_chioce': unknown task 'multiple_chioce'; did you mean 'multiple_choice'?"),
    MisspeltProtocol: ("serves", "recipe 'match' serves 'multiple_choice:chioce': unknown protocol of multiple_choice 'chioce'; did you mean 'choice'?"),
    MisspeltDataset: ("serves", "recipe 'match' serves 'multiple_choice@tooybox': unknown dataset 'tooybox'; did you mean 'toybox'?"),
    MisspeltValidation: ("serves", "phase 'joint' validates on 'multiple_chioce': unknown task 'multiple_chioce'; did you mean 'multiple_choice'?"),
    ServesNothingHere: ("plan", "dataset toybox/main has no features audio"),
    RandomAsset: ("assets", "asset 'noise' differs between two calls; draw with source.rng only"),
    AssetOfObjects: ("assets", "assets.words is a set that cannot be stored"),
    AssetFromValidation: ("assets", "assets may not read the validation split"),
    BuildsRandomly: ("build", "parameter 'video.bias' differs between two builds of one seed"),
    BuildsNoModule: ("build", "build returned a type; return a torch.nn.Module"),
    ImpurePrepare: ("examples", "field 'video' differs between two passes"),
    ChangesInPlace: ("examples", "field 'video' differs between two passes"),
    MixedShapes: ("examples", "field 'extra' cannot be batched: trailing shapes differ"),
    NotALoss: ("training_step", "must return a scalar tensor, or a mapping with 'loss'; got a Tensor of shape (8,)"),
    InfiniteLoss: ("training_step", "loss 'loss' is"),
    DetachedLoss: ("training_step", "the loss has no gradient"),
    UntrainedParameters: ("gradients", "no phase trains 2 parameters (next_word.bias, next_word.weight)"),
    IdleTerm: ("training_step", "loss 'words' gives no parameter a gradient in 4 steps"),
    IdleLayer: ("gradients", "no phase trains 2 parameters (next_word.bias, next_word.weight)"),
    TrainsTheFrozen: ("training_step", "frozen parameter 'next_word.weight' is trained by the step"),
    MovesTheFrozen: ("training_step", "frozen parameter 'next_word.bias' is trained by the step"),
    FreezesNothing: ("training_step", "frozen prefix 'nextword.' matches no parameter; parameters start with: next_word, video, words"),
    RaisesInStep: ("training_step", "batch has no field 'sentense'; it has"),
    WrongColumn: ("predict", "predict_step must return the columns ['scores'], got ['score']"),
    WrongShape: ("predict", "has shape (8, 2), expected (8, 3)"),
    MissingRows: ("predict", "column 'scores' has 7 rows for a batch of 8 examples"),
    PredictsNaN: ("predict", "column 'scores' is not finite"),
    ReadsAnswers: ("predict", "TypeError: 'NoneType' object is not subscriptable (at broken_methods.py:"),
    ForgetsTheMask: ("alone", "between batches of 1 and of 8; mask the padding"),
    ForgetsTheMaskInSmallNumbers: ("alone", "between batches of 1 and of 8; mask the padding"),
    LooksAround: ("alone", "column 'scores' differs by"),
    CountsOnTwoFrames: ("odd inputs", "one frame: column 'scores' is not finite"),
    KnowsEveryWord: ("odd inputs", "unknown words: AssertionError"),
    NeedsWords: ("odd inputs", "no words: IndexError: tuple index out of range"),
    LearnsTestAnswers: ("labels", "ends with other weights or assets when the test answers are scrambled"),
    RemembersOutsideItsWeights: ("reload", "between the trained module and the one read back; keep what predictions need in parameters"),
    KeepsState: ("stateless", "the method keeps last on itself"),
}  # fmt: skip
THOROUGH: dict[type[Method], tuple[str, str]] = {
    CountsSteps: ("resume", "a resumed fit ends with different weights"),
    LooksAtNothing: ("overfit", "phase 'joint' does not learn 8 examples by heart: its loss goes from"),
    HeavyImport: ("imports", "importing toybox_model loads torch and numpy; import model.py inside build"),
}
