"""A site that is drawn again, with what earlier drawings kept, is the site that is drawn from nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from synthetic import BENCHMARK, PIXEL, Synthetic

from reelbench.errors import TrackingError
from reelbench.reports import book, frames, inputs, render
from reelbench.reports.render import draw_site
from reelbench.tracking.reading import RunReader
from reelbench.tracking.store import local_folder

OTHER = "captions@microworld/small:sentence"
CLAIM = {
    "name": "sound-helps", "kind": "greater", "left": {"variant": "full"}, "right": {"variant": "no-audio"},
    "benchmark": "retrieval", "metric": "recall_at_1", "minimum_effect": 0.02, "where": "Table 2",
}  # fmt: skip
LOSS = {
    "curve": [{"phase": "joint", "step": s, "values": {"val/loss": 1 - s / 9}} for s in range(3)],
    "fingerprints": {"fits": ["one"]},
    "validation": [],
}


class Desk:
    """A store, a site that is drawn again and again, and the workspace beside them."""

    def __init__(self, synthetic: Synthetic, folder: Path) -> None:
        self.synthetic, self.folder = synthetic, folder
        self.site, self.workspace = folder / "site", folder / "workspace"
        self.runs: dict[str, str] = {}

    def trial(self, name: str, *, benchmark: str = BENCHMARK, **told: object) -> None:
        """A trial under a name of its own."""
        self.runs[name] = self.synthetic.trial(benchmark=benchmark, **told)  # type: ignore[arg-type]

    def artifact(self, name: str, file: str) -> Path:
        folder = local_folder(self.synthetic.store.client.get_run(self.runs[name]).info.artifact_uri)
        assert folder is not None
        return folder / file

    def tag(self, name: str, key: str, value: str) -> None:
        self.synthetic.store.client.set_tag(self.runs[name], key, value)

    def draw(self, *benchmarks: str) -> None:
        """Draw again; the same benchmarks drawn with nothing kept, over the same folder, must be the same."""
        cold = self.folder / "cold"
        shutil.rmtree(cold, ignore_errors=True)
        if benchmarks and self.site.exists():
            shutil.copytree(self.site, cold)
        draw_site(self.synthetic.uri, cold, benchmarks)
        draw_site(self.synthetic.uri, self.site, benchmarks, workspace=self.workspace)
        assert files(self.site) == files(cold)


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def desk(synthetic: Synthetic, tmp_path: Path) -> Desk:
    """Two benchmarks, claims of a paper, a baseline without one."""
    made = Desk(synthetic, tmp_path)
    for seed in range(2):
        for variant in ("full", "no-audio"):
            told = {"variant": variant, "seed": seed, "record": {"paper": {"claims": [CLAIM]}}}
            made.trial(f"{variant} {seed}", **told)
            made.trial(f"other {variant} {seed}", benchmark=OTHER, **told)
        made.trial(f"chance {seed}", method="chance", role="baseline", seed=seed)
    synthetic.suite()
    return made


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The benchmarks whose chapters were made anew, and ``claims`` where they were judged."""
    found: list[str] = []
    make, judged = book.make_chapter, render._judged

    def making(board: book.Board, seen: object) -> object:
        found.append(board.benchmark)
        return make(board, seen)  # type: ignore[arg-type]

    def judging(of: book.Book) -> object:
        found.append("claims")
        return judged(of)

    monkeypatch.setattr(book, "make_chapter", making)
    monkeypatch.setattr(render, "_judged", judging)
    return found


@pytest.fixture
def code() -> Iterator[None]:
    """The digest of the code, which is else computed once a process, is that of what a test makes of it."""
    inputs.code_digest.cache_clear()
    yield
    inputs.code_digest.cache_clear()


def delete(desk: Desk) -> None:
    desk.synthetic.store.client.delete_run(desk.runs["full 1"])


def restore(desk: Desk) -> None:
    desk.synthetic.store.client.restore_run(desk.runs["full 1"])


def measure(desk: Desk) -> None:
    desk.synthetic.store.client.log_metric(desk.runs["full 0"], "test/recall_at_1", 0.123, step=1)


def fail(desk: Desk) -> None:
    desk.trial("failed", method="new", seed=4, status="FAILED", tags={"rb.error": "no memory"})
    desk.synthetic.failed_fit(variant="no-audio", seed=3)


def lose(desk: Desk) -> None:
    """A seed lost with an upstream fit, and a row of which nothing finished."""
    told = {"rb.error": "not run: fit jsfusion (shared), seed 7 failed: NaN", "rb.lost_with": "a fit"}
    desk.trial("lost", seed=7, status="FAILED", tags=told)
    desk.synthetic.failed_prediction("never", seed=0, error="WorkerDied")


def forget(desk: Desk) -> None:
    client = desk.synthetic.store.client
    client.delete_experiment(desk.synthetic.store.experiment(f"reelbench/{OTHER}"))


CHANGES: dict[str, Callable[[Desk], object]] = {
    "nothing": lambda desk: None,
    "a seed more": lambda desk: desk.trial("late", seed=2),
    "a method more": lambda desk: desk.trial("new", method="new", seed=0),
    "an older edition of it": lambda desk: desk.trial("old", method="new", seed=0, started_ms=1),
    "a deleted run": delete,
    "a restored run": restore,
    "a superseded run": lambda desk: desk.tag("no-audio 1", "rb.superseded", "true"),
    "a title": lambda desk: desk.tag("other full 0", "rb.title", "A & B"),
    "a metric": measure,
    "a failure": fail,
    "a trial lost with an upstream fit": lose,
    "a lost trial that was run again": lambda desk: desk.trial("found", seed=7),
    "a lost record": lambda desk: desk.artifact("other full 1", "record.json").unlink(),
    "a damaged record": lambda desk: desk.artifact("chance 0", "record.json").write_text("{"),
    "lost replicates": lambda desk: desk.artifact("full 0", "sheet/replicates.safetensors").unlink(),
    "lost examples": lambda desk: desk.artifact("full 0", "examples.json").unlink(),
    "another strip": lambda desk: desk.artifact("new", "strips/best-0.jpg").write_bytes(PIXEL + b" "),
    "a curve that an earlier benchmark shows first": lambda desk: desk.trial(
        "loss", seed=5, benchmark="a@microworld/small:p", record=LOSS
    ),
    "the same on a later one": lambda desk: desk.trial("loss too", seed=5, record=LOSS),
    "and gone from the earlier one": lambda desk: desk.tag("loss", "rb.superseded", "true"),
    "a page that somebody edited": lambda desk: (desk.site / "methods/new.html").write_text("mine"),
    "a page that is gone": lambda desk: (desk.site / "index.html").unlink(),
    "a strip that is gone": lambda desk: shutil.rmtree(desk.site / "assets"),
    "a benchmark less": forget,
}


def test_after_any_change_the_site_is_as_drawn_from_nothing(desk: Desk):
    for change in CHANGES.values():
        change(desk)
        desk.draw()
    assert sorted(p.stem for p in (desk.site / "methods").iterdir()) == ["chance", "jsfusion", "never", "new"]


def test_in_any_order_and_of_some_benchmarks_too(desk: Desk):
    lost = "a trial lost with an upstream fit"
    for k, name in enumerate(
        ("a method more", "a deleted run", "a metric", "a failure", lost, "a seed more")
    ):
        CHANGES[name](desk)
        desk.draw(*((BENCHMARK,), (OTHER,), ("captions@*",), ())[k % 4])
    desk.draw()


def test_only_what_a_new_trial_enters_is_made_again(desk: Desk, made: list[str]):
    draw = lambda: draw_site(desk.synthetic.uri, desk.site, workspace=desk.workspace)  # noqa: E731
    draw()
    assert made == [OTHER, BENCHMARK, "claims"]
    made.clear()
    draw()
    assert made == []
    desk.trial("late", seed=2)
    draw()
    assert made == [BENCHMARK, "claims"]


@pytest.mark.usefixtures("code")
def test_another_version_of_anything_that_draws_makes_all_again(
    desk: Desk, made: list[str], monkeypatch: pytest.MonkeyPatch
):
    desk.draw()
    made.clear()
    inputs.code_digest.cache_clear()
    monkeypatch.setattr(inputs, "versions_of", lambda names: {"reelbench": "9"})
    desk.draw()
    assert made.count(BENCHMARK) == 2  # once from nothing


@pytest.mark.usefixtures("code")
def test_a_template_and_a_module_are_part_of_the_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shutil.copytree(inputs.reports.__path__[0], tmp_path / "reports")
    monkeypatch.setattr(inputs.reports, "__path__", [str(tmp_path / "reports")])
    found = set()
    for name in ("", "templates/card.html", "templates/style.css", "statistics/pairs.py"):
        if name:
            with (tmp_path / "reports" / name).open("a") as file:
                file.write("\n")
        inputs.code_digest.cache_clear()
        found.add(inputs.code_digest())
    assert len(found) == 4


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def alter(path: Path) -> None:
    path.write_text(path.read_text().replace("Find the clip", "Lose the clip"))


def replace_by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    "damage",
    [cut, alter, replace_by_a_folder, lambda p: p.write_bytes(b"\xff\n\xff"), lambda p: p.write_text("[]")],
)
def test_damage_to_what_is_kept_is_mended(desk: Desk, made: list[str], damage: Callable[[Path], object]):
    desk.draw()
    made.clear()
    for path in list(desk.workspace.rglob("*.json")):
        damage(path)
    desk.draw()
    assert made.count(OTHER) == made.count(BENCHMARK) == 2


def test_a_workspace_that_cannot_be_written_keeps_nothing(desk: Desk):
    desk.workspace.write_text("not a folder")
    desk.draw()
    desk.draw()


def test_benchmarks_that_are_gone_are_not_kept(desk: Desk):
    desk.draw()
    forget(desk)
    desk.draw()
    assert sorted(p.name for p in desk.workspace.rglob("*.json")) == [
        "claims.json",
        "retrieval-microworld-small-sentence.json",
    ]


def test_two_stores_in_one_workspace_do_not_disturb_each_other(desk: Desk, tmp_path: Path, made: list[str]):
    shutil.copy(tmp_path / "mlflow.db", tmp_path / "other.db")
    for uri in (desk.synthetic.uri, f"sqlite:///{tmp_path / 'other.db'}") * 2:
        draw_site(uri, tmp_path / "site", workspace=desk.workspace)
    assert made.count(BENCHMARK) == 2


def test_what_could_not_be_fetched_is_asked_for_again(
    desk: Desk, made: list[str], monkeypatch: pytest.MonkeyPatch
):
    here = {run: desk.artifact(name, "") for name, run in desk.runs.items()}
    lost = [desk.runs["full 0"]]

    def fetch(reader: RunReader, run: str, name: str) -> Path:
        if run in lost:
            raise TrackingError("the server does not answer")
        return here[run] / name

    monkeypatch.setattr(frames, "local_path", lambda uri: None)
    monkeypatch.setattr(RunReader, "download", fetch)
    desk.draw()
    lost.clear()
    made.clear()
    desk.draw()
    assert made == [OTHER, BENCHMARK, "claims", BENCHMARK, "claims"]  # from nothing, then what was lost
    made.clear()
    draw_site(desk.synthetic.uri, desk.site, workspace=desk.workspace)
    assert made == []


def test_what_is_kept_is_plain_json(desk: Desk):
    desk.draw()
    for path in desk.workspace.rglob("*.json"):
        assert isinstance(json.loads(path.read_text().split("\n", 1)[1]), dict)
