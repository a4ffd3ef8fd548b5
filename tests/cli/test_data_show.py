"""``reelbench data show``: as text, as JSON, or as a page."""

from __future__ import annotations

import pytest


def test_two_ways_to_show_a_dataset_are_one_too_many(reelbench):
    done = reelbench("data", "show", "microworld/smoke", "--json", "--page", "page.html")
    assert done.returncode == 2
    assert "give one of them" in done.stderr


@pytest.mark.slow
def test_a_page_of_the_smallest_size_is_written(reelbench, tmp_path):
    done = reelbench("data", "show", "microworld/smoke", "--page", "new/page.html", "--cache", str(tmp_path))
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "new" / "page.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "new/page.html: " in done.stdout
