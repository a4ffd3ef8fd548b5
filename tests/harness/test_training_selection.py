"""Which weights a phase hands on."""

import torch
from safetensors.torch import load_file
from toys import VALIDATION, Painter, fit, phase_of

from reelbench.training.validation import Value


def weights(folder, index=0):
    return load_file(folder / f"weights-{index}.safetensors")


def test_the_last_five_epochs_are_kept_oldest_first(tmp_path):
    done = fit(Painter(), tmp_path, phases=phase_of(Painter(), epochs=7, select="average", keep=5))
    last = fit(Painter(), tmp_path / "last", phases=phase_of(Painter(), epochs=7, select="last"))
    assert done["weights"] == 5
    assert last["weights"] == 1
    assert torch.equal(weights(tmp_path, 4)["look.weight"], weights(tmp_path / "last")["look.weight"])
    assert not torch.equal(weights(tmp_path, 0)["look.weight"], weights(tmp_path, 4)["look.weight"])


def test_the_best_weights_are_those_of_the_best_validation(tmp_path):
    phases = phase_of(Painter(), epochs=6, learning_rate=0.02)
    done = fit(Painter(), tmp_path / "six", phases=phases, validation=VALIDATION)
    values = [p["values"]["val/accuracy"] for p in done["curve"] if "val/accuracy" in p["values"]]
    best = values.index(max(values)) + 1
    fit(
        Painter(),
        tmp_path / "best",
        phases=phase_of(Painter(), epochs=best, learning_rate=0.02, select="last"),
        validation=VALIDATION,
    )
    assert torch.equal(
        weights(tmp_path / "six")["head.1.weight"], weights(tmp_path / "best")["head.1.weight"]
    )


def test_the_next_phase_goes_on_from_what_was_selected(tmp_path):
    first = phase_of(Painter(), name="first", epochs=4, learning_rate=0.02)
    still = phase_of(Painter(), name="still", epochs=1, learning_rate=0.0, select="last")
    fit(Painter(), tmp_path / "one", phases=first)
    fit(Painter(), tmp_path / "two", phases=[*first, *still])
    assert torch.equal(weights(tmp_path / "one")["look.weight"], weights(tmp_path / "two")["look.weight"])


def test_a_nan_never_counts_as_the_best():
    nan = Value("accuracy", float("nan"), True)
    assert not nan.beats(None)
    assert Value("accuracy", 0.5, True).beats(0.4)
    assert Value("loss", 0.5, False).beats(0.6)
    assert not Value("loss", 0.5, False).beats(0.5)
