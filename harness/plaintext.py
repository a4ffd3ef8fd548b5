"""Text from data, made harmless for a terminal: what cannot be seen, or turns what can be seen around, is spelt out."""

from __future__ import annotations

import re

_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)


def visible(text: object) -> str:
    """Plain text whose control and direction characters can be seen: ``⟨U+202E⟩``; tabs and line ends stay."""
    return _INVISIBLE.sub(
        lambda m: "\n" if m[0] == "\r" else f"⟨U+{ord(m[0]):04X}⟩", str(text).replace("\r\n", "\n")
    )


def one_line(text: object) -> str:
    """The same on one line."""
    return " ".join(visible(text).split())
