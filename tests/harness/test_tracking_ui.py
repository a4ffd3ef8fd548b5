"""The MLflow UI, started by ``reelbench ui``, opens as a leaderboard; it is held to the picture in a real browser."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from records import METRICS
from test_tracking_recorder import record

from reelbench.errors import TrackingError, UnknownNameError
from reelbench.tracking.store import Store
from reelbench.tracking.ui import boards, chosen, server
from reelbench.tracking.view import view_state, view_tag

BENCHMARK = "retrieval@microworld/small"
LEVELS = {"vse": 0.36, "jsfusion": 0.42, "mean-pool": 0.21}
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--window-size=1600,950",
)  # fmt: skip


@pytest.fixture(scope="module")
def filled(migrated_database: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store with three methods of two seeds, and an older edition of one that scored better."""
    folder = tmp_path_factory.mktemp("filled")
    shutil.copy(migrated_database, folder / "mlflow.db")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    record(uri, folder / "ws", {"method": "vse", "edition": "older", "metrics": _metrics(0.9)})
    record(
        uri,
        folder / "ws",
        *(
            {"method": m, "seed": s, "metrics": _metrics(v + s / 100)}
            for m, v in LEVELS.items()
            for s in (0, 1)
        ),
    )
    return uri


def _metrics(recall: float) -> dict[str, float]:
    return {"recall_at_1": recall, "recall_at_5": min(1.0, 1.5 * recall), "median_rank": round(5 / recall)}


def test_the_view_sorts_by_the_primary_metric_in_its_direction() -> None:
    falling = [dict(METRICS[2], primary=True), dict(METRICS[0], primary=False)]
    assert (view_state(METRICS)["orderByKey"], view_state(METRICS)["orderByAsc"]) == (
        "metrics.`test/recall_at_1`",
        False,
    )
    assert (view_state(falling)["orderByKey"], view_state(falling)["orderByAsc"]) == (
        "metrics.`test/median_rank`",
        True,
    )
    assert view_tag(METRICS) == view_tag(METRICS)


def test_a_recorded_benchmark_has_a_board_and_a_note(filled: str) -> None:
    (board,) = boards(filled)
    assert board.benchmark == BENCHMARK
    assert board.path.endswith("?workflowType=machine_learning&viewStateShareKey=leaderboard")
    store = Store(filled)
    note = store.client.get_experiment(store.experiment(f"reelbench/{BENCHMARK}")).tags["mlflow.note.content"]
    assert note.splitlines()[0] == f"{BENCHMARK}: R@1, higher is better"


def test_without_a_saved_view_the_plain_address_is_opened(store_uri: str) -> None:
    experiment = Store(store_uri).experiment(f"reelbench/{BENCHMARK}")
    assert [b.path for b in boards(store_uri)] == [
        f"/#/experiments/{experiment}?workflowType=machine_learning"
    ]


def test_a_store_that_nobody_made_is_said_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(TrackingError, match=r"nothing is recorded in sqlite:///.*/mlflow\.db yet"):
        boards(f"sqlite:///{tmp_path}/mlflow.db")
    assert not (tmp_path / "mlflow.db").exists()


def test_an_unknown_benchmark_is_named_with_the_nearest(filled: str) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'retrieval@microworld/small'"):
        chosen(boards(filled), "retrieval@microworld/smal")


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Any]:
    """Headless Chromium with a new profile."""
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not binary or not driver:
        pytest.skip("no chromium with its chromedriver")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in (*FLAGS, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    yield chrome
    chrome.quit()


@pytest.mark.browser
@pytest.mark.slow
def test_the_leaderboard_opens_sorted_with_seeds_folded_under_each_row(filled: str, browser: Any) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    with server(filled) as address:
        browser.get(address + boards(filled)[0].path)
        shown = lambda chrome: chrome.find_element("tag name", "body").text  # noqa: E731
        WebDriverWait(browser, 90).until(
            lambda chrome: "matching runs" in shown(chrome) and shown(chrome).count("Group: ") == 3
        )
        text = shown(browser)
        if folder := os.environ.get("REELBENCH_SCREENSHOTS"):
            browser.save_screenshot(str(Path(folder) / "mlflow-leaderboard.png"))
        assert re.findall(r"Group: ([a-z-]+)/", text) == ["jsfusion", "vse", "mean-pool"]
        assert re.findall(r"^(\S+) s(\d)$", text, re.MULTILINE)[:2] == [
            ("jsfusion/full/match/tiny/frames+audio", s) for s in "10"
        ]
        assert "6 matching runs" in text.replace("\n", " ")
        assert "Sort: test/recall_at_1" in text
        columns = {e.text: e.location["x"] for e in browser.find_elements("css selector", ".ag-header-cell")}
        assert columns["rb.seed"] < columns["test/recall_at_1"] < columns["test/recall_at_5"]
    processes = [p for p in Path("/proc").glob("[0-9]*/environ") if _mentions(p, filled)]
    assert processes == []


def _mentions(environ: Path, uri: str) -> bool:
    """Whether a process was started for this store."""
    try:
        return f"MLFLOW_BACKEND_STORE_URI={uri}".encode() in environ.read_bytes()
    except OSError:
        return False
