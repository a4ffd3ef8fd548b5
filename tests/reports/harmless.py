"""What a page is held to that shows text of the data: it is text, and nothing else."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from synthetic import HOSTILE

UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
OWN_SCRIPTS = 1
"""Of the template: what sorts tables."""


class Tags(HTMLParser):
    """The elements and addresses of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.addresses: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)
        self.addresses += [v or "" for k, v in attrs if k in ("href", "src")]
        assert not [k for k, _ in attrs if k.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.text += data


def read(page: str) -> Tags:
    """A page's elements, after a check that none of them came out of the data."""
    assert not UNSEEN.search(page)
    tags = Tags()
    tags.feed(page)
    assert tags.found.count("script") == OWN_SCRIPTS
    film = "data:image/jpeg;base64,"
    wrong = ("javascript:", "http", "//", "data:")
    assert not [a for a in tags.addresses if a.startswith(wrong) and not a.startswith(film)]
    return tags


def shown(text: str) -> str:
    """The hostile text as a reader sees it."""
    for sign, name in (("\x1b", "U+001B"), ("\u202e", "U+202E"), ("\u202c", "U+202C")):
        text = text.replace(sign, f"⟨{name}⟩")
    return text


SHOWN = shown(HOSTILE)
