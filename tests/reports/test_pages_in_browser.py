"""The pages in headless Chromium: sorting by keyboard, narrow screens, dark mode, nothing refused by the page's own policy."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not shutil.which("chromium") or not shutil.which("chromedriver"),
        reason="no chromium with its driver here",
    ),
]
FLAGS = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"
BOARD = "benchmarks/retrieval-microworld-small-sentence.html"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in (*FLAGS.split(), f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    yield driver
    driver.quit()


def open_page(browser: Any, path: Path, width: int = 1280, scheme: str = "light") -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    browser.get(path.as_uri())


def column(browser: Any, index: int) -> list[float]:
    """Values of a column in the first section, from top to bottom."""
    script = "return [...document.querySelector('table.board').tBodies[0].rows].slice(1).map(r => Number(r.cells[arguments[0]].dataset.value))"
    return [float(v) for v in browser.execute_script(script, index)]


def test_a_table_is_sorted_by_keyboard(browser: Any, site: Path):
    from selenium.webdriver.common.keys import Keys

    open_page(browser, site / BOARD)
    assert column(browser, 3) == sorted(column(browser, 3), reverse=True)
    button = browser.find_elements("css selector", "table.board thead button")[2]
    browser.execute_script("arguments[0].focus()", button)
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    assert column(browser, 3) == sorted(column(browser, 3))
    assert button.find_element("xpath", "..").get_attribute("aria-sort") == "ascending"
    browser.switch_to.active_element.send_keys(Keys.SPACE)
    assert column(browser, 3) == sorted(column(browser, 3), reverse=True)
    assert len(browser.find_elements("css selector", "th[aria-sort]")) == 1


def test_the_first_tab_stop_skips_to_the_content(browser: Any, site: Path):
    from selenium.webdriver.common.keys import Keys

    open_page(browser, site / "index.html")
    browser.find_element("tag name", "body").send_keys(Keys.TAB)
    assert browser.switch_to.active_element.text == "Skip to the content"


@pytest.mark.parametrize("page", ["index.html", BOARD, "methods/jsfusion.html"])
@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_is_wider_than_its_screen(browser: Any, site: Path, page: str, width: int):
    open_page(browser, site / page, width)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_dark_mode_is_dark(browser: Any, site: Path):
    open_page(browser, site / "index.html", scheme="dark")
    colour = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert max(int(c) for c in colour.removeprefix("rgb(").removesuffix(")").split(",")) < 60


def test_film_strips_are_shown_and_the_page_complains_of_nothing(browser: Any, site: Path):
    open_page(browser, site / BOARD)
    browser.execute_script("document.querySelectorAll('img').forEach(i => i.loading = 'eager')")
    assert (
        browser.execute_script(
            "return document.images[0].decode().then(() => document.images[0].naturalWidth)"
        )
        == 1
    )
    assert browser.get_log("browser") == []
