"""Forged tables: what steers a table and stands in no prediction, and the tables themselves, are held against what is known."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bundled import checked, complete, problems, replaced, rewritten, rewritten_manifest
from click.testing import CliRunner
from synthetic import Synthetic

from reelbench.reports.bundles.agreement import told_of
from reelbench.reports.bundles.command import verify
from reelbench.reports.bundles.opening import opened
from reelbench.reports.bundles.packing import MANIFEST, write_bundle
from reelbench.reports.bundles.redrawn import Tables, check_tables
from reelbench.reports.frames import load
from reelbench.reports.leaderboard import boards

NAME = "multiple_choice-microworld-smoke-choice"


def trials(folder: Path, method: str) -> list[Path]:
    """The folders of a method's trials."""
    found = [p for p in sorted(folder.glob("trials/*")) if record(p)["method"] == method]
    assert found
    return found


def record(trial: Path) -> dict[str, Any]:
    return dict(json.loads((trial / "record.json").read_text()))


def tables(folder: Path) -> dict[str, list[str]]:
    """What is said of a bundle's tables, its trials being sound."""
    status, found = checked(folder)
    assert found["damaged"] == []
    assert not [one for trial in found["trials"] for one in trial["problems"]]
    assert status == int(any(found["tables"].values()))
    return dict(found["tables"])


# --- fields of the record


@pytest.mark.parametrize(
    ("method", "field", "value", "why"),
    [
        ("nearest-neighbour", "deterministic", False, "deterministic is False in the record, the method 'nearest-neighbour' says True"),
        ("nearest-neighbour", "deterministic", "yes", "deterministic is 'yes' in the record, the method 'nearest-neighbour' says True"),
        ("nearest-neighbour", "floor", True, "floor is True in the record, the method 'nearest-neighbour' says False"),
        ("nearest-neighbour", "upstream", ["f" * 64], "the record names some upstream fits, the method 'nearest-neighbour' has none"),
        ("chance", "floor", False, "floor is False in the record, the method 'chance' says True"),
    ],
)  # fmt: skip
def test_what_a_method_says_of_itself_is_held_against_it(
    copy: Path, method: str, field: str, value: object, why: str
):
    for trial in trials(copy, method):
        rewritten(trial / "record.json", lambda r: r.update({field: value}))
    assert set(problems(copy)) == {why}


def test_a_row_whose_seeds_differ_is_not_deterministic(copy: Path):
    one, other = trials(copy, "chance")
    assert record(one)["predictions_digest"] != record(other)["predictions_digest"]
    rewritten(one / "record.json", lambda r: r.update(deterministic=True))
    wrong = "called deterministic, but predictions of its row's seeds differ"
    assert problems(copy) == [
        wrong,  # of the seed that says so
        "deterministic is True in the record, the method 'chance' says False",
        wrong,  # and of the other
    ]


def test_the_same_is_seen_where_the_method_is_not_installed(copy: Path):
    for trial in trials(copy, "chance"):
        rewritten(trial / "record.json", lambda r: r.update(deterministic=True))
    told = CliRunner().invoke(verify, [str(copy), "--json", "--block", "baselines"], standalone_mode=False)
    found = json.loads(told.output)["trials"]
    lines = [line for one in found for line in one["problems"] if "deterministic" in line]
    assert set(lines) == {"called deterministic, but predictions of its row's seeds differ"}


def test_whether_a_dataset_can_be_drawn_anew_is_the_datasets(copy: Path):
    rewritten(copy / "trials/0000/record.json", lambda r: r.update(generated=False))
    (line,) = problems(copy)
    assert line.endswith("generated is False in the record, the dataset says True")


def metric(i: int, **changes: object) -> Callable[[dict[str, Any]], object]:
    return lambda r: r["metric_specs"][i].update(changes)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (metric(0, direction="lower"), "direction of the metric 'accuracy' is 'lower' in the record, the task says 'higher'"),
        (metric(0, primary=False), "primary of the metric 'accuracy' is False in the record, the task says True"),
        (metric(0, high=0.5), "high of the metric 'accuracy' is 0.5 in the record, the task says 1.0"),
        (metric(0, percent=False), "percent of the metric 'accuracy' is False in the record, the task says True"),
        (lambda r: r["metric_specs"].clear(), "the record's metrics are [], the task's ['accuracy'"),
        (lambda r: r["metric_specs"].append({"name": "mine"}), "'mine'], the task's ['accuracy'"),
        (lambda r: r.update(metric_specs=7), "metric_specs of the record is no list of metrics"),
    ],
)  # fmt: skip
def test_metrics_are_those_of_the_task(copy: Path, change: Callable[[dict[str, Any]], object], why: str):
    rewritten(copy / "trials/0000/record.json", change)
    (line,) = problems(copy)
    assert why in line


@pytest.mark.parametrize(
    "field", ["method", "title", "variant", "recipe", "preset", "features", "section", "family"]
)
def test_a_tag_that_names_another_row_than_the_record_is_noticed(copy: Path, field: str):
    rewritten(copy / "trials/0000/trial.json", lambda t: t["tags"].update({f"rb.{field}": "better"}))
    (line,) = problems(copy)
    assert line.startswith(f"its tag rb.{field} is 'better', the record says ")


@pytest.mark.parametrize("role", ["external", "ceiling", "method"])
def test_a_role_that_takes_a_row_out_of_the_ranking_is_noticed(copy: Path, role: str):
    (trial,) = trials(copy, "nearest-neighbour")
    rewritten(trial / "record.json", lambda r: r.update(role=role))
    rewritten(trial / "trial.json", lambda t: t["tags"].update({"rb.role": role}))
    number = [line["folder"] for line in json.loads((copy / MANIFEST).read_text())["trials"]].index(
        f"trials/{trial.name}"
    )
    rewritten_manifest(copy, lambda m: m["trials"][number].update(role=role))
    if role == "method":
        wanted = "role is 'method' in the record, the method 'nearest-neighbour' says 'baseline'"
    else:
        wanted = f"its role is {role!r}, but 'nearest-neighbour' is a registered baseline"
    assert wanted in problems(copy)


# --- the tables


def test_a_sound_bundles_tables_are_what_its_records_give(packed: Path):
    assert tables(packed) == {"problems": [], "unchecked": []}
    told = CliRunner().invoke(verify, [str(packed)], standalone_mode=False)
    assert "; the tables are what the records give; 0 files damaged" in told.output


@pytest.mark.parametrize("suffix", [".md", ".tex", ".csv"])
def test_a_number_of_a_table_that_was_made_better_is_noticed(copy: Path, suffix: str):
    path = copy / "tables" / f"{NAME}{suffix}"
    lines = path.read_text().split("\n")
    number = next(
        i
        for i, line in enumerate(lines)
        if "nearest" in line.lower() and r"\caption" not in line and line[0] != "-"
    )
    at = lines[number].index(".", 40) - 1
    digit = lines[number][at]
    lines[number] = lines[number][:at] + str((int(digit) + 1) % 10) + lines[number][at + 1 :]
    replaced(path, "\n".join(lines).encode())
    assert tables(copy)["problems"] == [
        f"tables/{NAME}{suffix}: line {number + 1} is not what the records give"
    ]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda t: t["rows"][0]["metrics"]["accuracy"].update(mean=0.99), "rows[0].metrics.accuracy.mean is 0.99, the records give 0."),
        (lambda t: t["rows"][0].update(rank=[1, 2]), "rows[0].rank[1] is 2, the records give 1"),
        (lambda t: t["rows"].pop(), "rows has 1 items, the records give 2"),
        (lambda t: t["notes"].clear(), "notes has 0 items, the records give "),
        (lambda t: t["tests"].pop("clusters"), "tests.clusters is missing"),
        (lambda t: t.update(more=1), "more is not what the records give"),
    ],
)  # fmt: skip
def test_json_that_was_changed_is_told_by_its_place(
    copy: Path, change: Callable[[dict[str, Any]], object], why: str
):
    rewritten(copy / "tables" / f"{NAME}.json", change)
    (line,) = tables(copy)["problems"]
    assert line.startswith(f"tables/{NAME}.json: {why}")


def test_tables_that_are_missing_or_of_nothing_are_noticed(copy: Path):
    path = copy / "tables" / f"{NAME}.md"
    replaced(copy / "tables" / "more.md", path.read_bytes())
    path.unlink()
    rewritten_manifest(copy, lambda m: m["files"].pop(f"tables/{NAME}.md"))
    assert tables(copy)["problems"] == [
        "tables/more.md is a table of no benchmark here",
        f"tables/{NAME}.md is missing",
    ]


def test_what_another_machines_last_digits_may_be_is_no_difference(copy: Path):
    def shift(table: dict[str, Any]) -> None:
        low, high = table["rows"][0]["metrics"]["accuracy"]["interval"]
        table["rows"][0]["metrics"]["accuracy"]["interval"] = [low * (1 + 1e-12), high]

    rewritten(copy / "tables" / f"{NAME}.json", shift)
    assert tables(copy) == {"problems": [], "unchecked": []}


def test_tables_of_another_version_are_compared_in_their_numbers(copy: Path):
    rewritten(copy / "environment.json", lambda e: e.update(reelbench="0.0.1"))
    assert tables(copy) == {"problems": [], "unchecked": []}  # it draws as this one does
    path = copy / "tables" / f"{NAME}.md"
    replaced(path, path.read_bytes().replace(b"### ", b"## "))
    rewritten(copy / "tables" / f"{NAME}.json", lambda t: t.update(notes=[], more=1))
    (line,) = tables(copy)["unchecked"]
    assert line.startswith(
        f"unchecked: tables/{NAME}.md, drawn by reelbench 0.0.1, which writes tables in another way"
    )
    assert tables(copy)["problems"] == []
    rewritten(copy / "tables" / f"{NAME}.json", lambda t: t["rows"][1].update(seeds=[0, 1, 2, 3, 4]))
    (line,) = tables(copy)["problems"]
    assert line == f"tables/{NAME}.json: rows[1].seeds has 5 items, the records give 2"


@pytest.mark.parametrize("content", [b"{", b"[" * 100_000, b"[]", b"\xff", b'"' + b"9" * 1_000_000 + b'"'])
def test_a_broken_table_is_one_line(copy: Path, content: bytes):
    for suffix in (".json", ".md"):
        replaced(copy / "tables" / f"{NAME}{suffix}", content)
    assert len(found := tables(copy)["problems"]) == 2
    assert all("\n" not in line and len(line) < 300 for line in found)


def test_records_that_give_no_table_are_one_line(copy: Path):
    for trial in copy.glob("trials/*"):
        rewritten(trial / "record.json", lambda r: r.update(metric_specs=[{}]))
    status, found = checked(copy)
    assert status == 1
    assert found["tables"]["problems"] == ["no tables can be drawn from the records (KeyError: 'direction')"]


def test_a_failed_seed_that_was_taken_out_of_the_manifest_is_missed_in_the_tables(
    synthetic: Synthetic, tmp_path: Path
):
    for seed in (0, 1):
        synthetic.trial(seed=seed)
        synthetic.trial("bn-lstm", seed=seed)
    synthetic.failed_fit(seed=2)
    complete(synthetic)
    folder = write_bundle(load(synthetic.uri), boards(load(synthetic.uri)), tmp_path / "b")
    assert redrawn(folder) == Tables()
    rewritten_manifest(folder, lambda m: m["failures"].clear())
    csv, data, latex, markdown = redrawn(folder).problems
    assert "rows[0].troubles has 1 items, the records give 0, and " in data
    assert all("the records give" in line for line in (csv, latex, markdown))


def redrawn(folder: Path) -> Tables:
    with opened(folder) as bundle:
        return check_tables(bundle, [told_of(listed) for listed in bundle.trials])
