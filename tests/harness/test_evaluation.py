"""Predictions: blind, complete, the same whatever the batches, averaged over members."""

import numpy as np
import pytest
import torch
from toys import SIZES, TASKS, Painter, ToyDataset, fit, phase_of, predict, predict_spec, quiet

from reelbench.data import Example
from reelbench.errors import PredictionError, TrainingError
from reelbench.evaluation import average, run_predict
from reelbench.evaluation.blinding import blind
from reelbench.predictions import Predictions


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    fit(Painter(), folder, phases=phase_of(Painter(), epochs=10, learning_rate=0.02))
    return folder


class Watching(Painter):
    """Remembers what it was shown."""

    def __init__(self):
        self.seen = []

    def predict_step(self, module, batch, ctx):
        self.seen.append((batch, ctx))
        return super().predict_step(module, batch, ctx)


def test_a_method_sees_opaque_ids_in_another_order_and_no_targets(trained, tmp_path):
    method = Watching()
    predicted = predict(method, [trained], tmp_path)
    shown = [i for batch, _ in method.seen for i in batch.ids]
    assert predicted.ids == tuple(f"labels-test-{i}" for i in range(SIZES["test"]))
    assert set(shown) == {f"query-{k:06d}" for k in range(SIZES["test"])}
    assert all(batch.targets is None and set(batch.fields) == {"video"} for batch, _ in method.seen)
    assert not any(ctx.training for _, ctx in method.seen)


def test_a_rank_of_opaque_ids_says_nothing_of_the_original_order():
    from reelbench.evaluation.blinding import blind

    examples = ToyDataset().evaluation("labels", "plain", "test").examples
    places = [blind(examples, seed, "query").places for seed in range(2)]
    assert places[0] != places[1]
    assert places[0] != tuple(range(len(examples)))


@pytest.mark.parametrize("task", ["labels", "search", "words"])
def test_predictions_do_not_depend_on_the_batch_size(trained, tmp_path, task):
    results = [
        predict(Painter(), [trained], tmp_path / str(size), task=task, batch_size=size) for size in (1, 7, 64)
    ]
    for other in results[1:]:
        assert other.ids == results[0].ids
        assert other.gallery_ids == results[0].gallery_ids
        for name, column in other.columns.items():
            same = (
                np.allclose(column, results[0].columns[name], atol=1e-6)
                if isinstance(column, np.ndarray)
                else column == results[0].columns[name]
            )
            assert same


def test_a_trained_fit_predicts_well(trained, tmp_path):
    dataset = ToyDataset()
    for task, good in (("labels", 0.8), ("words", 0.8)):
        evaluation = dataset.evaluation(task, "plain", "test")
        _, metrics = TASKS[task].score(predict(Painter(), [trained], tmp_path / task, task=task), evaluation)
        assert metrics["accuracy"] > good


def test_tiles_give_the_matrix_of_one_piece(trained, tmp_path):
    whole = predict(Painter(), [trained], tmp_path / "a", task="search")
    tiled = predict(Painter(), [trained], tmp_path / "b", task="search", tile_bytes=1000)
    assert np.allclose(whole.columns["scores"], tiled.columns["scores"], atol=1e-6)
    assert whole.gallery_ids == tuple(f"clip-{i}" for i in range(20))


def test_a_matrix_over_the_cap_is_refused(trained, tmp_path):
    with pytest.raises(
        PredictionError,
        match=r"a matrix of 20 queries and 20 candidates takes 0 MiB, over the cap of 0 MiB; .*raise limits.matrix_bytes",
    ):
        predict(Painter(), [trained], tmp_path, task="search", matrix_bytes=100)
    with pytest.raises(PredictionError, match="a matrix of 20 queries"):  # as a suite sets it
        predict(Painter(), [trained], tmp_path, task="search", limits={"matrix_bytes": 100, "seconds": None})


def test_a_field_that_the_task_does_not_declare_is_not_shown():
    rows = [
        Example("a", {"sentence": ("hi",), "sentence_pos": ("INTJ",), "sentence_head": (-1,), "content": 3})
    ]
    (seen,) = blind(rows, 0, "query", {"sentence": None}).examples
    assert set(seen.fields) == {"sentence", "sentence_pos", "sentence_head"}


def test_an_ensemble_averages_its_fits(trained, tmp_path):
    folders = [trained]
    for seed in (1, 2):
        fit(Painter(), tmp_path / f"fit{seed}", seed=seed)
        folders.append(tmp_path / f"fit{seed}")
    single = [predict(Painter(), [f], tmp_path / f"p{k}").columns["scores"] for k, f in enumerate(folders)]
    whole = predict(Painter(), folders, tmp_path / "p").columns["scores"]
    assert np.allclose(whole, np.mean(single, axis=0), atol=1e-6)


def test_kept_checkpoints_are_averaged(tmp_path):
    fit(Painter(), tmp_path / "fit", phases=phase_of(Painter(), epochs=5, select="average", keep=5))
    whole = predict(Painter(), [tmp_path / "fit"], tmp_path / "p").columns["scores"]
    fit(Painter(), tmp_path / "last", phases=phase_of(Painter(), epochs=5, select="last"))
    assert not np.allclose(
        whole, predict(Painter(), [tmp_path / "last"], tmp_path / "q").columns["scores"], atol=1e-4
    )


def test_text_cannot_be_averaged_and_the_method_is_told_what_to_define(trained, tmp_path):
    with pytest.raises(
        PredictionError,
        match=r"column 'word' is not numeric and cannot be averaged over 2 members; the method must define combine",
    ):
        predict(Painter(), [trained, trained], tmp_path, task="words")


def test_a_method_may_combine_by_itself(trained, tmp_path):
    class Voting(Painter):
        def combine(self, members, ctx):
            return members[0]

    assert len(predict(Voting(), [trained, trained], tmp_path, task="words").ids) == 20


def test_members_are_aligned_by_id():
    one = Predictions(("a", "b"), {"scores": np.asarray([[1.0], [2.0]])})
    two = Predictions(("b", "a"), {"scores": np.asarray([[4.0], [3.0]])})
    assert average([one, two]).columns["scores"].tolist() == [[2.0], [3.0]]
    with pytest.raises(PredictionError, match="differ in ids"):
        average([one, Predictions(("a", "c"), two.columns)])


@pytest.mark.parametrize(("returned", "message"), [
    (lambda n: {"scores": torch.zeros(n + 1, 4)}, r"column 'scores' has \d+ rows for a batch of \d+ examples"),
    (lambda n: {"score": torch.zeros(n, 4)}, r"must return the columns \['scores'\], got \['score'\]"),
    (lambda n: torch.zeros(n, 4), r"must return the columns \['scores'\], got Tensor"),
    (lambda n: {"scores": torch.zeros(n, 3)}, r"column 'scores' has shape \(20, 3\), expected \(20, 4\)"),
    (lambda n: {"scores": torch.full((n, 4), float("nan"))}, "column 'scores' is not finite"),
    (lambda n: {"scores": [torch.zeros(1 + k % 2) for k in range(n)]}, "column 'scores' has rows of shapes"),
])  # fmt: skip
def test_predictions_that_break_the_schema_are_refused(trained, tmp_path, returned, message):
    class Wrong(Painter):
        def predict_step(self, module, batch, ctx):
            return returned(len(batch))

    with pytest.raises(PredictionError, match=message):
        predict(Wrong(), [trained], tmp_path)


def test_a_tile_of_the_wrong_shape_is_refused(trained, tmp_path):
    class Wrong(Painter):
        def score(self, module, query, gallery, ctx):
            return query["text"].sum(dim=1)

    with pytest.raises(
        PredictionError, match=r"score returned shape \(20,\) for 20 queries and 20 candidates"
    ):
        predict(Wrong(), [trained], tmp_path, task="search")


def test_a_relation_is_predicted_under_its_own_ids(trained, tmp_path):
    predicted = predict(Painter(), [trained], tmp_path, relation=["colours", "train"])
    assert predicted.ids == tuple(f"train-{i}" for i in range(48))


def test_a_ceiling_needs_no_method(tmp_path):
    predicted = predict(None, [], tmp_path, ceiling="oracle")
    assert predicted.columns["scores"].shape == (20, 4)


def test_damaged_weights_say_what_to_do(trained, tmp_path):
    fit(Painter(), tmp_path / "fit")
    (tmp_path / "fit" / "weights-0.safetensors").write_bytes(b"no")
    with pytest.raises(TrainingError, match=r"weights cannot be loaded .*; delete the folder to train again"):
        predict(Painter(), [tmp_path / "fit"], tmp_path / "p")


def test_prediction_leaves_torchs_generator_alone_and_repeats(trained, tmp_path):
    class Sampling(Painter):
        def predict_step(self, module, batch, ctx):
            noise = torch.rand(len(batch), 4) + torch.rand(len(batch), 4, generator=ctx.generator)
            return {"scores": noise + ctx.rng.random()}

    state = torch.get_rng_state()
    digests = [predict(Sampling(), [trained], tmp_path / str(i)).digest() for i in range(2)]
    assert digests[0] == digests[1]
    assert torch.equal(state, torch.get_rng_state())


def test_the_record_says_how_long_it_took(trained, tmp_path):
    done = run_predict(
        predict_spec(Painter()),
        method=Painter(),
        dataset=ToyDataset(),
        task=TASKS["labels"],
        fits=[trained],
        folder=tmp_path,
        emit=quiet,
    )
    assert done["examples"] == 20
    assert done["rescorable"] is True
    assert done["digest"] == Predictions.load(tmp_path).digest()
    assert set(done) == {
        "predict_seconds",
        "examples",
        "examples_per_second",
        "peak_memory_bytes",
        "rescorable",
        "digest",
    }
