"""A method's ``paper.toml``: read, or refused in one line."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reelbench.errors import UsageError
from reelbench.papers import read_paper


@pytest.fixture
def method_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], type]:
    """The class of a module beside which such a ``paper.toml`` lies."""

    def made(paper: bytes) -> type:
        (tmp_path / "method.py").write_text("class Toy:\n    pass\n", encoding="utf-8")
        (tmp_path / "paper.toml").write_bytes(paper)
        spec = importlib.util.spec_from_file_location("a_method_with_a_paper", tmp_path / "method.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
        found: type = module.Toy
        return found

    return made


def test_a_paper_is_read(method_with: Callable[[bytes], type]) -> None:
    assert read_paper(method_with(b"[[reported]]\nvalue = 0.5")) == {"reported": [{"value": 0.5}]}


def test_a_method_without_one_has_none() -> None:
    assert read_paper(int) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"[[reported]]\nvalue = 1\n[[reported]]\nvalue = nan", r"reported\[1\]\.value is nan"),
        (b"[[claims]]\nminimum_effect = -inf", r"claims\[0\]\.minimum_effect is -inf"),
        (b"[paper", "not valid TOML"),
        (b'title = "\xff"', "not valid TOML"),
    ],
)
def test_one_that_cannot_be_used_is_refused_in_one_line(
    method_with: Callable[[bytes], type], text: bytes, told: str
) -> None:
    with pytest.raises(UsageError, match=rf"paper\.toml: {told}") as caught:
        read_paper(method_with(text))
    assert "\n" not in str(caught.value)
