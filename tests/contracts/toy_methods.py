"""A plugin of toy methods, each of which needs one thing of the contract that the built-in methods do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import reelbench
from reelbench import Phase, Recipe, Upstream, hookimpl

if TYPE_CHECKING:
    import torch

    from reelbench import Batch, Context, DataInfo, Example, Relation, TrainingSource

JOINT = Phase(name="joint", relation="captions", epochs=6, batch_size=12, learning_rate=0.02, validate=None)


class Matching(reelbench.Method):
    """What the toys share: words and frames in one space, trained by contrast. Not registered itself."""

    modalities = ("frames",)

    def assets(self, source: TrainingSource, config: Any, recipe: str) -> Mapping[str, Any]:
        return {
            "vocabulary": reelbench.Vocabulary.from_sentences(
                e["sentence"] for e in source.relation("captions")
            )
        }

    def build(self, data: DataInfo, config: Any) -> torch.nn.Module:
        from toybox_model import Matcher

        return Matcher(data.dim("frames"), len(data.assets["vocabulary"]))

    def prepare(self, example: Example, ctx: Context) -> Example:
        words = ctx.data.assets["vocabulary"]
        encoded: dict[str, Any] = {
            n: words.encode(example[n]) for n in ("sentence", "query", "negative") if n in example.fields
        }
        encoded |= {
            n: [words.encode(s) for s in example[n]]
            for n in ("choices", "labels", "sentences")
            if n in example.fields
        }
        return example.with_fields(**encoded)

    def training_step(self, module: Any, batch: Batch, ctx: Context) -> Any:
        import torch

        scores = module.watch(batch["video"]["frames"]) @ module.read(batch["sentence"]).T  # (B, B)
        same = torch.tensor([[a == b for b in batch["content"]] for a in batch["content"]])
        return -(scores.log_softmax(dim=1) * (same / same.sum(1, keepdim=True))).sum(1).mean()

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        candidates = module.read(
            batch["labels" if ctx.task == "action_recognition" else "choices"]
        )  # (B, C, W)
        return {
            "scores": (candidates @ module.watch(batch["video"]["frames"]).unsqueeze(-1)).squeeze(-1)
        }  # (B, C)

    def encode_query(self, module: Any, batch: Batch, ctx: Context) -> Any:
        return module.read(batch["query"])

    def encode_gallery(self, module: Any, batch: Batch, ctx: Context) -> Any:
        return module.watch(batch["video"]["frames"])

    def score(self, module: Any, query: Any, gallery: Any, ctx: Context) -> Any:
        return query @ gallery.T


class Starter(Matching):
    """Learns words from stories without pictures, then matches clips to them with the words frozen."""

    name = "starter"
    recipes = {
        "words": Recipe(
            phases=(
                Phase(
                    name="read",
                    relation="text",
                    split="text",
                    epochs=3,
                    batch_size=8,
                    learning_rate=0.05,
                    frozen=("video.",),
                ),
            )
        ),
        "match": Recipe(
            serves=("multiple_choice", "retrieval"), phases=(replace(JOINT, frozen=("next_word.",)),)
        ),
    }

    def upstream(self, config: Any, recipe: str) -> Sequence[Upstream]:
        if recipe == "words":
            return ()
        return (
            Upstream(
                name="language",
                recipe="words",
                parameters={"words.": "words."},
                frozen=("words.",),
                assets=("vocabulary",),
            ),
        )

    def assets(self, source: TrainingSource, config: Any, recipe: str) -> Mapping[str, Any]:
        if recipe == "match":
            return {}
        stories = source.relation("text", "text")
        return {"vocabulary": reelbench.Vocabulary.from_sentences(s for e in stories for s in e["sentences"])}

    def training_step(self, module: Any, batch: Batch, ctx: Context) -> Any:
        if ctx.recipe == "match":
            return super().training_step(module, batch, ctx)
        from torch.nn.functional import cross_entropy

        text = batch["sentences"]  # (B, S, T)
        logits, valid = module.next_word(module.words(text.data[..., :-1])), text.mask[..., 1:]
        return cross_entropy(logits[valid], text.data[..., 1:][valid])


class Committee(Matching):
    """Three fits, of which a trial averages the predictions."""

    name = "committee"
    recipes = {
        "match": Recipe(
            serves=("multiple_choice",), phases=(replace(JOINT, frozen=("next_word.",)),), ensemble=3
        )
    }


class Averager(Matching):
    """Averages the predictions of its last five checkpoints."""

    name = "averager"
    recipes = {
        "match": Recipe(
            serves=("multiple_choice", "retrieval"),
            phases=(replace(JOINT, select="average", keep=5, frozen=("next_word.",)),),
        )
    }


class Traveller(Matching):
    """Trains on another dataset first, then on its own."""

    name = "traveller"
    recipes = {
        "match": Recipe(
            serves=("multiple_choice",),
            phases=(
                replace(JOINT, name="abroad", dataset="toybox/more", frozen=("next_word.",)),
                replace(JOINT, name="home", epochs=1, frozen=("next_word.", "words.")),
            ),
        )
    }


class Chooser(Matching):
    """Draws a wrong sentence for each clip, never one of the same content."""

    name = "chooser"
    recipes = {"match": Recipe(serves=("multiple_choice",), phases=(replace(JOINT, frozen=("next_word.",)),))}

    def sample(self, example: Example, source: Relation, ctx: Context) -> Example:
        assert ctx.rng is not None
        other = source[int(ctx.rng.integers(len(source)))]
        while other["content"] == example["content"]:
            other = source[int(ctx.rng.integers(len(source)))]
        return example.with_fields(negative=other["sentence"], negative_content=other["content"])

    def training_step(self, module: Any, batch: Batch, ctx: Context) -> Any:
        clip = module.watch(batch["video"]["frames"])
        right, wrong = (
            (clip * module.read(batch["sentence"])).sum(-1),
            (clip * module.read(batch["negative"])).sum(-1),
        )
        return (1.0 - right + wrong).clamp(min=0).mean()


class Namer(Matching):
    """Recognises classes that it never saw, by the words of their names."""

    name = "namer"
    recipes = {
        "name": Recipe(
            serves=("action_recognition",),
            phases=(replace(JOINT, relation="actions", frozen=("next_word.",)),),
        )
    }


class Pupil(Matching):
    """Learns from its teacher's scores of clips that nobody labelled."""

    name = "pupil"
    recipes = {
        "teacher": Recipe(
            serves=("action_recognition:unseen",), phases=(replace(JOINT, frozen=("next_word.",)),)
        ),
        "distil": Recipe(
            serves=("action_recognition:seen",),
            phases=(
                Phase(
                    name="imitate",
                    relation="teaching",
                    epochs=40,
                    batch_size=12,
                    learning_rate=0.05,
                    validate=None,
                ),
            ),
        ),
    }

    def upstream(self, config: Any, recipe: str) -> Sequence[Upstream]:
        if recipe == "teacher":
            return ()
        return (
            Upstream(
                name="teaching",
                recipe="teacher",
                parameters={},
                predicts=("action_recognition", "clips", "unlabelled"),
            ),
        )

    def build(self, data: DataInfo, config: Any) -> torch.nn.Module:
        import torch

        return (
            super().build(data, config)
            if "vocabulary" in data.assets
            else torch.nn.Linear(data.dim("frames"), len(data.spaces["actions"]))
        )

    def assets(self, source: TrainingSource, config: Any, recipe: str) -> Mapping[str, Any]:
        return super().assets(source, config, recipe) if recipe == "teacher" else {}

    def prepare(self, example: Example, ctx: Context) -> Example:
        return super().prepare(example, ctx) if ctx.recipe == "teacher" else example

    def training_step(self, module: Any, batch: Batch, ctx: Context) -> Any:
        if ctx.recipe == "teacher":
            return super().training_step(module, batch, ctx)
        assert batch.targets is not None
        taught = batch.targets["scores"].data.softmax(dim=1)  # (B, L)
        return -(taught * self._label_scores(module, batch).log_softmax(dim=1)).sum(dim=1).mean()

    def predict_step(self, module: Any, batch: Batch, ctx: Context) -> Mapping[str, Any]:
        if ctx.recipe == "distil":
            return {"scores": self._label_scores(module, batch)}
        names = module.read(self._names(ctx))  # (L, W): a relation of clips has no labels field
        return {"scores": module.watch(batch["video"]["frames"]) @ names.T}  # (B, L)

    def _names(self, ctx: Context) -> Any:
        words = ctx.data.assets["vocabulary"]
        from reelbench import Example

        examples = [
            Example(name, {"name": words.encode(name.split())}) for name in ctx.data.spaces["actions"]
        ]
        return reelbench.collate(examples)["name"]

    def _label_scores(self, module: Any, batch: Batch) -> Any:
        from toybox_model import masked_mean

        frames = batch["video"]["frames"]
        return module(masked_mean(frames.data, frames.mask))


@hookimpl
def reelbench_methods() -> list[type[reelbench.Method]]:
    return [Starter, Committee, Averager, Traveller, Chooser, Namer, Pupil]
