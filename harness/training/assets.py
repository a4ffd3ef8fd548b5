"""What a fit keeps beside its weights: assets and the shape of the data it was built for, as JSON and safetensors.

A fit folder is complete in itself: a prediction rebuilds the module from it, whatever dataset it predicts on. Nothing
is pickled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from reelbench.data import FeatureSpec
from reelbench.errors import TrainingError
from reelbench.method import DataInfo
from reelbench.stages import write_json
from reelbench.vocabulary import Vocabulary

JSON_FILE, ARRAYS_FILE = "assets.json", "assets.safetensors"
_ARRAY, _VOCABULARY, _TUPLE = "$array", "$vocabulary", "$tuple"


def save_data(data: DataInfo, folder: Path) -> None:
    """Write ``assets.json`` and ``assets.safetensors``.

    Raises
    ------
    TrainingError
        If an asset is neither JSON-like, nor a numeric array, nor a vocabulary, naming it.
    """
    arrays: dict[str, NDArray[Any]] = {}
    value = {
        "dataset": data.dataset,
        "features": [
            asdict(spec) for spec in data.features.values()
        ],  # a list: their order is that of columns
        "spaces": {name: list(words) for name, words in data.spaces.items()},
        "assets": encode(dict(data.assets), "assets", arrays),
        "upstream": encode({k: dict(v) for k, v in data.upstream.items()}, "upstream", arrays),
    }
    save_file(arrays, folder / ARRAYS_FILE)
    write_json(folder / JSON_FILE, value, sort_keys=False)


def load_data(folder: Path) -> DataInfo:
    """Read what :func:`save_data` wrote.

    Raises
    ------
    TrainingError
        If the files are damaged.
    """
    try:
        value = json.loads((folder / JSON_FILE).read_text(encoding="utf-8"))
        arrays = load_file(folder / ARRAYS_FILE)
    except Exception as error:
        raise TrainingError(
            f"{folder}: assets cannot be read ({error}); delete the folder to train again"
        ) from error
    specs = {v["name"]: FeatureSpec(**{**v, "shape": tuple(v["shape"])}) for v in value["features"]}
    spaces = {k: tuple(v) for k, v in value["spaces"].items()}
    return DataInfo(
        value["dataset"], specs, spaces, decode(value["assets"], arrays), decode(value["upstream"], arrays)
    )


def encode(value: Any, path: str, arrays: dict[str, NDArray[Any]]) -> Any:
    """A JSON value; arrays are put into ``arrays`` under their path and leave a reference."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        arrays[path] = np.ascontiguousarray(value)
        return {_ARRAY: path}
    if isinstance(value, Vocabulary):
        return {_VOCABULARY: list(value.words)}
    if isinstance(value, list | tuple):
        items = [encode(item, f"{path}.{i}", arrays) for i, item in enumerate(value)]
        return {_TUPLE: items} if isinstance(value, tuple) else items
    if isinstance(value, Mapping) and all(isinstance(k, str) and not k.startswith("$") for k in value):
        return {k: encode(v, f"{path}.{k}", arrays) for k, v in value.items()}
    raise TrainingError(
        f"{path} is a {type(value).__name__} that cannot be stored; assets are JSON-like values with text keys, numeric numpy arrays and Vocabulary"
    )


def decode(value: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    """The inverse of :func:`encode`."""
    if isinstance(value, list):
        return [decode(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    if _ARRAY in value:
        return arrays[value[_ARRAY]]
    if _VOCABULARY in value:
        return Vocabulary(tuple(value[_VOCABULARY]))
    if _TUPLE in value:
        return tuple(decode(item, arrays) for item in value[_TUPLE])
    return {k: decode(v, arrays) for k, v in value.items()}
