"""``reelbench data verify``: what a dataset finds out about itself."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest

PLUGIN = """
    from reelbench.dataset import DatasetSource, Finding
    from reelbench.hookspecs import hookimpl

    class Pond(DatasetSource):
        name = "pond"
        sizes = ("dry", "wet")

        def open(self, path, *, data_dir, cache_dir):
            raise AssertionError("verifying opens nothing")

        def verify(self, path):
            failure = "" if path == "wet" else "there is no water"
            yield Finding("Fish", "fish swim", {"fish": "3"}, {"fish": 3})
            yield Finding("Water", "water is wet", {"fish": ""}, {"litres": 0}, failure)

    @hookimpl
    def reelbench_datasets():
        return (Pond(),)
"""


@pytest.fixture
def pond(tmp_path: Path) -> tuple[str, str]:
    (tmp_path / "pondplug.py").write_text(dedent(PLUGIN), encoding="utf-8")
    return "--plugin", "pondplug"


def test_what_holds_is_printed_and_exits_0(reelbench, pond):
    done = reelbench("data", "verify", "pond", "--size", "wet", *pond)
    assert done.returncode == 0, done.stderr
    assert "fish swim  3     holds" in done.stdout
    assert "pond/wet: 2 of 2 rows hold" in done.stdout


def test_what_does_not_hold_says_why_and_exits_1(reelbench, pond):
    done = reelbench("data", "verify", "pond/dry", *pond)
    assert done.returncode == 1
    assert "FAILS: there is no water" in done.stdout
    assert "1 of 2 rows hold" in done.stdout


def test_findings_are_one_json_object(reelbench, pond):
    done = reelbench("data", "verify", "pond/dry", "--json", *pond)
    assert done.returncode == 1
    fish, water = json.loads(done.stdout)["findings"]
    assert fish == {"group": "Fish", "name": "fish swim", "fish": 3, "holds": True, "failure": ""}
    assert water["failure"] == "there is no water"


def test_a_dataset_that_finds_out_nothing_says_so(reelbench):
    done = reelbench("data", "verify", "didemo")
    assert done.returncode == 4
    assert "dataset 'didemo' has nothing to verify" in done.stderr


def test_a_size_that_is_said_twice_is_refused(reelbench):
    done = reelbench("data", "verify", "microworld/small", "--size", "smoke")
    assert done.returncode == 2
    assert "has a size already" in done.stderr
