"""Version 1 is frozen: its scripts, words and quantised features have fingerprints.

A change of the generator that is meant raises ``REVISION``, says in ``docs/microworld.md`` which claim it affects and
why, and puts the new digests here. One that is not meant is found here.
"""

from __future__ import annotations

import hashlib
import json

import pytest

from reelbench.tasks.datasets.microworld.annotation import annotate, annotate_text
from reelbench.tasks.datasets.microworld.film import film
from reelbench.tasks.datasets.microworld.sizes import REVISION, VERSION, parse_path

FROZEN = (1, 2)
SCRIPTS = {
    "smoke": "4d0aacc8a5c32cc3",
    "smoke/draw2": "17cb8acd427cd45a",
    "smoke/no-gaze": "7c42e602c18ed10d",
    "smoke/no-order": "dffbb7dbeb4e30d1",
}
FEATURES = {"smoke": "31ca637835f80007", "smoke/no-audio": "40a5b6dc0a299446"}
STORIES = range(0, 25, 3)


def test_the_version_is_the_one_that_was_frozen() -> None:
    assert (VERSION, REVISION) == FROZEN


@pytest.mark.parametrize("path", SCRIPTS)
def test_scripts_and_words_are_what_they_were(path: str) -> None:
    corpus = parse_path(path)
    records = [annotate(corpus, split, index) for split in ("train", "test") for index in STORIES]
    texts = [annotate_text(corpus, index) for index in STORIES]
    content = json.dumps([records, texts], sort_keys=True).encode()
    assert hashlib.sha256(content).hexdigest()[:16] == SCRIPTS[path]


@pytest.mark.parametrize("path", FEATURES)
def test_features_are_what_they_were(path: str) -> None:
    content = hashlib.sha256()
    for modality, of_story in sorted(film(parse_path(path), "test", 5).items()):
        for name, rows in sorted(of_story.items()):
            content.update(f"{modality}/{name}/{rows.dtype}/{rows.shape}".encode())
            content.update(rows.tobytes())
    assert content.hexdigest()[:16] == FEATURES[path]
