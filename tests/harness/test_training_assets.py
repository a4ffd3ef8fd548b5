"""Assets come back as they were, and nothing that would have to be pickled goes in."""

import numpy as np
import pytest

from reelbench.data import FeatureSpec
from reelbench.errors import TrainingError
from reelbench.method import DataInfo
from reelbench.training.assets import load_data, save_data
from reelbench.vocabulary import Vocabulary


def data(assets, **upstream):
    return DataInfo(
        "toy", {"look": FeatureSpec("look", (7, 7, 3), 2.0)}, {"tags": ("a", "b")}, assets, upstream
    )


def test_assets_come_back_as_they_were(tmp_path):
    assets = {
        "words": Vocabulary.from_sentences([("a", "b"), ("a",)]), "order": (3, 1), "nested": {"k": [1, None, "x", (2.5,)]},
        "mean": np.arange(6, dtype=np.float16).reshape(2, 3), "flags": [np.asarray([True, False])], "none": np.zeros((0, 2)),
    }  # fmt: skip
    save_data(data(assets, base={"pca": np.eye(2)}), tmp_path)
    back = load_data(tmp_path)
    assert back.features["look"].shape == (7, 7, 3)
    assert back.spaces == {"tags": ("a", "b")}
    assert back.assets["words"] == assets["words"]
    assert back.assets["order"] == (3, 1)
    assert back.assets["nested"] == assets["nested"]
    assert back.assets["mean"].dtype == np.float16
    assert back.assets["flags"][0].tolist() == [True, False]
    assert back.assets["none"].shape == (0, 2)
    assert (back.upstream["base"]["pca"] == np.eye(2)).all()


def test_features_and_mappings_keep_their_order_for_columns_follow_it(tmp_path):
    specs = {name: FeatureSpec(name, (2,), 4.0) for name in ("motion", "appearance", "audio")}
    save_data(DataInfo("toy", specs, {}, {"by_modality": {"z": 1, "a": 2}}, {}), tmp_path)
    back = load_data(tmp_path)
    assert list(back.features) == ["motion", "appearance", "audio"]
    assert list(back.assets["by_modality"]) == ["z", "a"]


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({1, 2}, "assets.x"),
        ([{1: 2}], r"assets.x.0"),
        (np.asarray(["a"]), "assets.x"),
        (object(), "assets.x"),
    ],
)
def test_what_cannot_be_stored_is_named(tmp_path, value, path):
    with pytest.raises(TrainingError, match=f"^{path} is a .* that cannot be stored"):
        save_data(data({"x": value}), tmp_path)


def test_damaged_assets_say_what_to_do(tmp_path):
    save_data(data({}), tmp_path)
    (tmp_path / "assets.json").write_text("{")
    with pytest.raises(TrainingError, match="delete the folder to train again"):
        load_data(tmp_path)
