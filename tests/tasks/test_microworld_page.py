"""The page of microworld: one file that refers to nothing outside, in which a person has one colour."""

from __future__ import annotations

import dataclasses
import html
import re
from collections import defaultdict
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from worlds import TINY

from reelbench.dataset import Finding
from reelbench.tasks.datasets.microworld.dataset import Microworld
from reelbench.tasks.datasets.microworld.page.bound import bound_view
from reelbench.tasks.datasets.microworld.page.build import build_page
from reelbench.tasks.datasets.microworld.page.chained import StoryView, story_view
from reelbench.tasks.datasets.microworld.page.choosing import (
    SPLIT,
    family_members,
    first_families,
    richest_story,
)
from reelbench.tasks.datasets.microworld.page.distributions import charts
from reelbench.tasks.datasets.microworld.page.sequel import sequel_view
from reelbench.tasks.datasets.microworld.records import StoryRecord
from reelbench.tasks.datasets.microworld.script import CLIPS
from reelbench.tasks.datasets.microworld.sizes import FAMILY

HOSTILE = '<img src="https://evil.example/x" onerror="alert(1)">'
FLAGS = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run"
ADDRESSES = {"href", "src", "action", "data", "poster", "srcset", "xlink:href"}


class Elements(HTMLParser):
    """The elements of a page, their addresses, and what is not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self.addresses += [value or "" for name, value in attrs if name in ADDRESSES]


def finding(name: str = "gaze tells which act is told", worth: str = "50.0 ± 4.0") -> Finding:
    columns = ("paper", "benchmark", "metric", "items", "chance", "without", "with", "control", "worth there")
    facts = {"chance": 0.2, "without": 0.4, "with": 0.9, "proves": name}
    return Finding(f"group of {name}", name, dict.fromkeys(columns, name) | {"worth": worth}, facts, name)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Microworld:
    return Microworld(TINY, tmp_path_factory.mktemp("tiny"), processes=1)


@pytest.fixture(scope="module")
def page(tiny: Microworld) -> str:
    return build_page(tiny, [finding(), finding("a shortcut", worth="")])


@pytest.fixture(scope="module")
def records(tiny: Microworld) -> dict[str, StoryRecord]:
    return {record.content["key"]: record for record in tiny.stories(SPLIT)}


@pytest.fixture(scope="module")
def story(tiny: Microworld, records: dict[str, StoryRecord]) -> StoryView:
    return story_view(tiny, richest_story(tiny.corpus, records))


def test_the_page_is_one_file_that_refers_to_nothing_outside(page: str) -> None:
    found = Elements(page)
    outside = [a for a in found.addresses if not a.startswith(("#", "data:image/"))]
    assert outside == []
    assert not {"script", "link", "iframe", "object", "embed", "base"} & set(found.tags)
    assert re.findall(r"url\((?!#)", page) == []
    assert "@import" not in page
    assert "http:" not in page
    assert "https:" not in page


def test_every_link_within_the_page_leads_somewhere(page: str) -> None:
    found = Elements(page)
    ids = [value for name, value in found.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert {a[1:] for a in found.addresses if a.startswith("#")} <= set(ids)


def test_every_picture_has_a_text_in_its_place_and_what_scrolls_can_be_reached_by_keyboard(page: str) -> None:
    assert all("alt=" in image for image in re.findall(r"<img[^>]*>", page))
    assert all("aria-label=" in svg or "aria-hidden" in svg for svg in re.findall(r"<svg[^>]*>", page))
    assert all(
        'tabindex="0"' in part and "aria-label=" in part
        for part in re.findall(r'<div class="[^"]*\bscroll\b[^>]*>', page)
    )


def test_text_of_the_corpus_is_never_taken_for_markup(tmp_path: Path) -> None:
    dataset = Microworld(TINY, tmp_path, processes=1)
    for record in dataset.stories(SPLIT):
        for clip in record.content["clips"]:
            for words in clip["captions"]:
                words[0] = words[0].replace("man", HOSTILE.replace(" ", "\N{NO-BREAK SPACE}"))
    dataset.name = HOSTILE
    text = build_page(dataset, [finding(HOSTILE)])
    found = Elements(text)
    assert html.escape(HOSTILE, quote=False) in text.replace("&#34;", '"')
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    assert not [address for address in found.addresses if "evil" in address]


def test_a_person_has_one_colour_in_bars_acts_words_and_pictures(story: StoryView) -> None:
    styles = defaultdict(set)
    for person in story.people:
        styles[person.name].add(person.style)
    for row in story.rows:
        styles[row.name].update({row.style}, {bar.style for bar in row.bars if row.style})
    for clip in story.clips:
        for act in clip.acts:
            styles[act.name].add(act.style)
    for clip in story.sets:
        for track in clip.tracks:
            styles[track.name].add(track.style)
    for watching in story.gaze:
        styles[watching.watched].add(watching.style)
    people = {person.name: {person.style} for person in story.people}
    assert {name: found for name, found in styles.items() if name in people} == people
    assert len({person.style for person in story.people}) == len(story.people)


def test_a_sentence_carries_the_colours_of_whom_its_act_is_about(story: StoryView) -> None:
    for clip in story.clips:
        (told,) = [act for act in clip.acts if act.is_told]
        for caption in clip.captions:
            coloured = [run.style for run in caption if run.style]
            assert coloured[0] == told.style
            assert len(coloured) == (2 if told.words.startswith("gives") else 1)


def test_a_told_bar_is_one_of_each_clip_and_lies_within_it(story: StoryView) -> None:
    told = [bar for row in story.rows for bar in row.bars if bar.is_told]
    assert len(told) == CLIPS
    for clip in story.clip_bars:
        end = clip.left + clip.width + 0.01
        assert sum(clip.left <= bar.left and bar.left + bar.width <= end for bar in told) == 1


def test_each_of_five_bound_sentences_is_right_for_its_own_clip_only(
    tiny: Microworld, records: dict[str, StoryRecord]
) -> None:
    family = family_members(tiny.corpus, first_families(tiny.corpus)["bound"], records)
    members = bound_view(tiny, family).members
    assert [member.right_for for member in members] == [
        tuple(i == k for i in range(FAMILY)) for k in range(FAMILY)
    ]


def test_sequels_replace_one_scene_or_change_the_order(
    tiny: Microworld, records: dict[str, StoryRecord]
) -> None:
    family = family_members(tiny.corpus, first_families(tiny.corpus)["sequel"], records)
    first, *others = sequel_view(tiny, family).stories
    assert "".join(cell.letter for cell in first.cells) == "ABCDE"
    assert [sum(cell.differs for cell in story.cells) for story in others[:2]] == [1, 1]
    assert [sorted(cell.letter for cell in story.cells) for story in others[2:]] == [list("ABCDE")] * 2


def test_charts_count_every_clip(tiny: Microworld, records: dict[str, StoryRecord]) -> None:
    drawn = charts(tiny, TINY, [*records.values()])
    counts = {chart.title: sum(tally.count for tally in chart.tallies) for chart in drawn}
    clips = CLIPS * TINY.stories.train
    assert counts["Where"] == counts["Seconds of a clip"] == clips
    assert counts["Words of a sentence"] == 4 * clips


@pytest.mark.parametrize("control", ["no-binding", "no-objects"])
def test_a_control_world_has_a_page_that_says_so(tmp_path: Path, control: str) -> None:
    corpus = dataclasses.replace(TINY, control=control)
    text = Microworld(corpus, tmp_path, processes=1).page()
    assert "This is a control world" in text
    assert corpus.name in text


def test_a_corpus_of_one_family_has_a_page(tmp_path: Path) -> None:
    stories = dataclasses.replace(TINY.stories, train=FAMILY)
    text = build_page(Microworld(dataclasses.replace(TINY, stories=stories), tmp_path, processes=1), ())
    assert 'id="bound"' in text
    assert 'id="story"' not in text


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    import shutil

    webdriver = pytest.importorskip("selenium.webdriver")
    if not shutil.which("chromium") or not shutil.which("chromedriver"):
        pytest.skip("no chromium with its driver here")
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    profile = f"--user-data-dir={tmp_path_factory.mktemp('profile')}"
    for flag in (*FLAGS.split(), profile):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    yield driver
    driver.quit()


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 820, 1280])
def test_the_page_is_no_wider_than_its_screen_and_complains_of_nothing(
    browser, page: str, tmp_path: Path, width: int
) -> None:
    file = tmp_path / "page.html"
    file.write_text(page, encoding="utf-8")
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(file.as_uri())
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    broken = "return [...document.images].filter(i => !i.complete || !i.naturalWidth).length"
    assert browser.execute_script(broken) == 0
    assert browser.get_log("browser") == []
