"""Writes a new method's distribution: a small real method with tests, a suite and its own ``tox -e bench``."""

from __future__ import annotations

import importlib.util
import json
import keyword
import re
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution, version
from importlib.resources import files
from pathlib import Path
from urllib.parse import unquote, urlparse

from reelbench.errors import UsageError

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\Z")
_LAYOUT = {
    "pyproject.toml": "pyproject.toml", "README.md": "README.md", "LICENSE": "LICENSE", "tox.ini": "tox.ini", "suite.toml": "suite.toml",
    ".gitignore": "gitignore", "src/{package}/__init__.py": "init.py", "src/{package}/method.py": "method.py", "src/{package}/model.py": "model.py",
    "src/{package}/paper.toml": "paper.toml", "tests/test_contract.py": "test_contract.py", "tests/test_model.py": "test_model.py",
}  # fmt: skip


@dataclass(frozen=True)
class Names:
    """One name in every spelling that a distribution needs."""

    name: str

    @property
    def package(self) -> str:
        """``my_method``."""
        return self.name.replace("-", "_")

    @property
    def cls(self) -> str:
        """``MyMethod``."""
        return "".join(part.capitalize() for part in self.name.split("-"))

    @property
    def title(self) -> str:
        """``My method``."""
        return self.name.replace("-", " ").capitalize()


def check_name(name: str, taken: set[str]) -> Names:
    """The name's spellings.

    Parameters
    ----------
    taken
        Names of registered methods.

    Raises
    ------
    UsageError
        If it is no good as a method's or a package's name, saying why.
    """
    names = Names(name)
    if not _NAME.match(name):
        raise UsageError(
            f"method name {name!r} must be lower-case words of letters and digits joined by dashes, like my-method"
        )
    if keyword.iskeyword(names.package) or names.package in sys.stdlib_module_names:
        raise UsageError(f"method name {name!r} is a word of Python's own; choose another")
    if name in taken:
        raise UsageError(f"a method named {name!r} is registered already; choose another name")
    if importlib.util.find_spec(names.package) is not None:
        raise UsageError(
            f"a Python package named {names.package!r} is installed already; choose another name"
        )
    return names


def write_distribution(names: Names, folder: Path) -> list[Path]:
    """Write the distribution into ``folder`` and return its files.

    Raises
    ------
    UsageError
        If the folder is there and not empty, or cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} exists already; nothing was written")
    written = []
    try:
        for target, template in _LAYOUT.items():
            path = folder / target.format(package=names.package)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(render(template, names), encoding="utf-8")
            written.append(path)
    except OSError as error:
        raise UsageError(f"cannot write {folder}: {error.strerror or error}") from None
    return written


def render(template: str, names: Names) -> str:
    """One file's text."""
    import jinja2

    source = (files("reelbench.scaffold") / "templates" / f"{template}.tmpl").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, keep_trailing_newline=True, autoescape=False
    )
    source_tree = _source_tree()
    return environment.from_string(source).render(
        name=names.name, package=names.package, cls=names.cls, title=names.title, version=version("reelbench"), source_tree=source_tree,
        constraints=str(source_tree / "constraints.txt") if source_tree and (source_tree / "constraints.txt").exists() else None,
    )  # fmt: skip


def _source_tree() -> Path | None:
    """Where this reelbench was installed from, if from a folder: not every author has it from an index."""
    try:
        text = distribution("reelbench").read_text("direct_url.json")
    except PackageNotFoundError:
        return None
    url = urlparse(json.loads(text)["url"]) if text else None
    return (
        Path(unquote(url.path)) if url and url.scheme == "file" and Path(unquote(url.path)).is_dir() else None
    )
