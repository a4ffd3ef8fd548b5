"""Names of benchmarks: parsed, matched, and expanded to what datasets support."""

from __future__ import annotations

import pytest

from reelbench.benchmarks import Benchmark, canonical_dataset, expand, known_benchmarks, matches
from reelbench.errors import UnknownNameError, UsageError
from reelbench.registry import Registry

PARAGRAPH = Benchmark("retrieval", "microworld/small/no-gaze/draw2", "paragraph")


def test_a_canonical_name_reads_back() -> None:
    assert Benchmark.parse(str(PARAGRAPH)) == PARAGRAPH


@pytest.mark.parametrize(
    "name", ["retrieval", "retrieval@msrvtt", "@msrvtt:1k-a", "retrieval@:1k-a", "retrieval@msrvtt:", ""]
)
def test_a_name_with_a_missing_part_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="not of the form task@dataset:protocol"):
        Benchmark.parse(name)


@pytest.mark.parametrize(
    "pattern",
    [
        "retrieval",
        "retrieval:paragraph",
        "*@microworld",
        "retrieval@microworld/small",
        "*:par*",
        "retrieval@microworld/small/no-gaze/draw2:paragraph",
    ],
)
def test_a_pattern_covers_what_it_names(pattern: str) -> None:
    assert matches(pattern, PARAGRAPH)


@pytest.mark.parametrize(
    "pattern",
    ["captioning", "retrieval:sentence", "*@didemo", "retrieval@micro", "retrieval@microworld/large", "retr"],
)
def test_a_pattern_does_not_cover_what_it_does_not_name(pattern: str) -> None:
    assert not matches(pattern, PARAGRAPH)


def test_a_dataset_without_a_size_means_its_default_one(registry: Registry) -> None:
    assert canonical_dataset(registry, "toy") == "toy/a"
    assert canonical_dataset(registry, "toy/b") == "toy/b"


def test_an_unknown_size_or_dataset_is_refused(registry: Registry) -> None:
    with pytest.raises(UnknownNameError, match="unknown size of toy 'c'; known: a, b"):
        canonical_dataset(registry, "toy/c")
    with pytest.raises(UnknownNameError, match="unknown dataset 'tpy'; did you mean 'toy'"):
        canonical_dataset(registry, "tpy/a")


def test_no_protocol_means_the_default_one_and_a_star_means_all(registry: Registry) -> None:
    assert [str(b) for b in expand(registry, "guessing@toy")] == ["guessing@toy/a:plain"]
    assert [str(b) for b in expand(registry, "guessing@toy/b:*")] == [
        "guessing@toy/b:plain",
        "guessing@toy/b:strict",
    ]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        (
            "guessing",
            "benchmark 'guessing' names no dataset; write task@dataset, guessing@microworld/small say",
        ),
        ("gessing", "names no dataset; write task@dataset, guessing@microworld/small say"),
        ("gessing@toy", "unknown task 'gessing'; did you mean 'guessing'?"),
        ("guessing@toy:strickt", "unknown protocol of guessing@toy/a 'strickt'; did you mean 'strict'?"),
        ("gessin*@toy", "nothing supports 'gessin*@toy': did you mean 'guessing'?"),
        ("x*@toy", "nothing supports 'x*@toy': dataset 'toy/a' has guessing"),
    ],
)
def test_a_pattern_that_nothing_supports_says_what_there_is(
    registry: Registry, pattern: str, message: str
) -> None:
    with pytest.raises(UsageError) as error:
        expand(registry, pattern)
    assert message in str(error.value)


def test_a_task_that_nobody_registered_is_left_out_of_a_dataset_s_benchmarks(registry: Registry) -> None:
    del registry.tasks["guessing"]
    assert known_benchmarks(registry, "toy/a") == []
