"""``reelbench data show``: as text, as JSON, or as a page."""

from __future__ import annotations

import pytest

from reelbench.cli.data import _write_page
from reelbench.dataset import Dataset
from reelbench.errors import DatasetError


def test_two_ways_to_show_a_dataset_are_one_too_many(reelbench):
    done = reelbench("data", "show", "microworld/smoke", "--json", "--page", "page.html")
    assert done.returncode == 2
    assert "give one of them" in done.stderr


def test_a_dataset_without_a_page_says_so(tmp_path):
    class Bare:
        name = "bare"
        page = Dataset.page

    with pytest.raises(DatasetError, match="'bare' has no page"):
        _write_page(Bare(), tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


@pytest.mark.slow
def test_a_page_of_the_smallest_size_is_written(reelbench, tmp_path):
    done = reelbench("data", "show", "microworld/smoke", "--page", "new/page.html", "--cache", str(tmp_path))
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "new" / "page.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "new/page.html: " in done.stdout
