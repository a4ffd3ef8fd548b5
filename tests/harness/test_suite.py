"""Suite files: what they may say, and one line about what they may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from reelbench.benchmarks import expand
from reelbench.errors import UnknownNameError, UsageError
from reelbench.plan.choice import rows_of
from reelbench.registry import build_registry
from reelbench.suite import builtin_suites, load_suite, parse_suite

GOOD = 'benchmarks = ["retrieval@microworld"]\nmethods = ["jsfusion"]\n'


def parse(text: str) -> object:
    return parse_suite(text, origin="my.toml", default_name="my")


def test_a_bare_name_is_a_method_entry_and_a_number_of_seeds_counts_from_zero() -> None:
    suite = parse_suite(GOOD + "seeds = 2\n", origin="my.toml", default_name="my")
    assert (suite.name, suite.seeds) == ("my", (0, 1))
    assert suite.methods[0].name == "jsfusion"
    assert suite.methods[0].variants == ("full",)


def test_a_suite_reads_back_what_its_file_says(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        'benchmarks = ["a@b"]\nseeds = [3]\n[[methods]]\nname = "m"\nvariants = ["*"]\nconfig = { hidden = 3 }\n[limits]\nseconds = 5\n'
    )
    suite = load_suite(str(file))
    assert (suite.name, suite.seeds, suite.limits.seconds) == ("mine", (3,), 5)
    assert suite.methods[0].config == {"hidden": 3}


@pytest.mark.parametrize("name", sorted(builtin_suites()))
def test_built_in_suites_are_valid(name: str) -> None:
    assert load_suite(name).name == name


@pytest.mark.parametrize("name", sorted(builtin_suites()))
def test_every_entry_of_a_built_in_suite_has_rows(name: str) -> None:
    suite, registry = load_suite(name), build_registry()
    benchmarks = [b for pattern in suite.benchmarks for b in expand(registry, pattern)]
    empty = [e for e in suite.methods if not list(rows_of(registry, suite, e, benchmarks, []))]
    assert not empty


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + "sedes = 3\n", "unknown key of my.toml 'sedes'; did you mean 'seeds'?"),
        (
            'benchmarks = []\n[[methods]]\nname = "x"\nvariant = ["a"]\n',
            "unknown key of my.toml 'methods.0.variant'",
        ),
        (GOOD + "[limits]\nsecond = 3\n", "unknown key of my.toml 'limits.second'"),
        (GOOD + 'seeds = "three"\n', "my.toml: seeds: "),
        (GOOD + "workers = 0\n", "my.toml: workers: "),
        (GOOD + 'device = "tpu"\n', "my.toml: device: "),
        (GOOD + "seeds = -1\n", "my.toml: seeds: "),
        (GOOD + "seeds = []\n", "my.toml: seeds: "),
        (GOOD + "seeds = [0, 0]\n", "my.toml: seeds: "),
        ('methods = ["x"]\n', "my.toml: benchmarks: Field required"),
        ('benchmarks = "retrieval@microworld"\nmethods = ["x"]\n', "my.toml: benchmarks: "),
        ("benchmarks = [\n", "my.toml: not valid TOML: "),
    ],
)
def test_a_wrong_suite_is_one_line_that_names_file_and_key(text: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        parse(text)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_an_unknown_key_offers_keys_of_its_own_table() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'variants'"):
        parse('benchmarks = ["a@b"]\n[[methods]]\nname = "x"\nvariant = ["a"]\n')


def test_a_missing_file_and_an_unknown_suite_say_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        load_suite(str(tmp_path / "none.toml"))
    with pytest.raises(UnknownNameError, match=r"did you mean 'small'.*path of a .toml file"):
        load_suite("smal")


def test_a_folder_is_no_suite_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        load_suite(str(tmp_path))


def test_a_folder_or_file_called_like_a_built_in_suite_does_not_hide_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "small").mkdir()
    (tmp_path / "smoke").write_text("not a suite")
    monkeypatch.chdir(tmp_path)
    assert (load_suite("small").name, load_suite("smoke").name) == ("small", "smoke")


def test_a_suite_that_is_not_text_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "bytes.toml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match=r"bytes\.toml: not valid TOML: "):
        load_suite(str(file))


@pytest.mark.parametrize(
    "line", ['precision = "half"', "limits = {seconds = 0}", "limits = {memory_bytes = -1}"]
)
def test_a_precision_or_limit_that_cannot_be_is_refused_before_anything_runs(line: str) -> None:
    with pytest.raises(UsageError, match=r"precision|limits"):
        parse(GOOD + line)
