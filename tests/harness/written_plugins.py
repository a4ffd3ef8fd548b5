"""Writes small distributions to a folder: modules and a ``dist-info``, as an installer would leave them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, distributions
from pathlib import Path
from textwrap import dedent

GOOD_METHOD = '''
import reelbench

class {cls}(reelbench.Method):
    """A method that does nothing."""
    name = "{name}"
    recipes = {{"only": reelbench.Recipe(serves=("tagging",))}}

@reelbench.hookimpl
def reelbench_methods():
    return [{cls}]
'''


def good_method(name: str) -> str:
    return GOOD_METHOD.format(cls=name.title().replace("-", ""), name=name)


def write_distribution(root: Path, name: str, entries: Mapping[str, str], modules: Mapping[str, str]) -> None:
    """Write ``modules`` (file → source) and the metadata that lists ``entries`` in the group ``reelbench``."""
    for file, source in modules.items():
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(source), encoding="utf-8")
    info = root / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
    lines = ["[reelbench]", *(f"{entry} = {target}" for entry, target in entries.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def entry_points_in(root: Path) -> list[EntryPoint]:
    return [e for d in distributions(path=[str(root)]) for e in d.entry_points if e.group == "reelbench"]
