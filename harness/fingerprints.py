"""Fingerprints: what a stage's result depends on, hashed, and nothing else.

Source digests follow a module's imports inside its own project, so that an edit of a layer refits the methods that
use it and no others, and take in every other file of the packages that these modules lie in: nothing says who reads it.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import metadata
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any, Literal

Reuse = Literal["exact", "compatible"]
"""Which recorded stages stand for a planned one: those of equal fingerprints, or those that differ in `RELAXED` as well."""
RELAXED = frozenset({"versions", "device", "precision"})
"""What ``--reuse=compatible`` leaves out of a fingerprint, here and in everything that a stage needs."""
# Raised by hand when the harness's own meaning of a stage changes (guarded by tests/harness/test_semantics.py).
SEMANTICS = {"fit": 2, "predict": 1, "score": 2}
version = cache(metadata.version)  # reading one takes milliseconds, and a plan asks hundreds of times
_NO_INPUT = frozenset({"__pycache__", "paper.toml"})
_FOLLOWED_OTHERWISE = frozenset(
    {".py", ".pyc", ".pyo"}
)  # Python by its imports, so that no other method's file counts
_DOTTED = re.compile(r"[a-zA-Z_]\w*(\.[a-zA-Z_]\w*)+\Z")


def digest(value: Any) -> str:
    """SHA-256 of a JSON-like value, independent of key order."""
    return hashlib.sha256(
        json.dumps(value, sort_keys=True, separators=(",", ":"), default=str).encode()
    ).hexdigest()


def source_digest(cls: type) -> str:
    """Digest of the class's module, of every module of the same project that it imports, and of the files beside them."""
    files = {**sources_of(cls), **data_files_of(cls)}
    return digest(sorted((name, _file_digest(path)) for name, path in files.items()))


def sources_of(cls: type) -> dict[str, Path]:
    """Module name → file, for the class's module and what it imports inside its project or from built-in plugins and tasks."""
    projects = _followed(cls.__module__)
    found: dict[str, Path] = {}
    waiting = [cls.__module__]
    while waiting:
        name = waiting.pop()
        path = _path_of(name)
        if name in found or path is None:
            continue
        found[name] = path
        waiting += [m for m in imports_of(name, path) if any(is_within(m, p) for p in projects)]
    return found


def data_files_of(cls: type) -> dict[str, Path]:
    """``package/file`` → path, for what is no Python in the packages of the class's sources (a word list, weights, a table).

    Left out are caches, hidden files, and ``paper.toml``: the numbers that a paper reports are shown beside results and
    are no input of training, so a mended one must not refit (scores depend on it by themselves).
    """
    found: dict[str, Path] = {}
    for package in {own_package(module) for module in sources_of(cls)}:
        for top in _folders_of(package) or ():
            for folder, inner, names in os.walk(top):
                inner[:] = [n for n in inner if n not in _NO_INPUT and not n.startswith(".")]
                for path in (Path(folder, n) for n in names):
                    if not (
                        path.suffix in _FOLLOWED_OTHERWISE
                        or path.name in _NO_INPUT
                        or path.name.startswith(".")
                    ):
                        found[f"{package}/{path.relative_to(top).as_posix()}"] = path
    return found


def is_within(module: str, package: str) -> bool:
    """Whether a module is a package or lies in it."""
    return module == package or module.startswith(f"{package}.")


def own_package(module: str) -> str:
    """The package of a plugin's own: a folder (or file) of a room of reelbench, or the top-level package."""
    parts = module.split(".")
    return ".".join(parts[:3]) if parts[0] == "reelbench" else parts[0]


def _project(module: str) -> str:
    """The package whose files count as an author's own: a room of reelbench, or the top-level package."""
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "reelbench" and len(parts) > 1 else parts[0]


def _followed(module: str) -> tuple[str, ...]:
    """Packages whose files are followed: the author's own, and for an outside author the built-in plugins and tasks as well."""
    project = _project(module)
    return (
        (project,) if project.startswith("reelbench.") else (project, "reelbench.plugins", "reelbench.tasks")
    )


def _path_of(module: str) -> Path | None:
    loaded = getattr(sys.modules.get(module), "__file__", None)
    if loaded:
        return Path(loaded)
    spec = _spec_of(module)
    return Path(spec.origin) if spec and spec.origin and spec.origin.endswith(".py") else None


def _spec_of(module: str) -> ModuleSpec | None:
    """Where a module lies. Unlike ``importlib.util.find_spec`` this imports no parent, so planning loads no model."""
    parent, _, _ = module.rpartition(".")
    path = _folders_of(parent) if parent else None
    if parent and path is None:
        return None
    specs = (finder.find_spec(module, path) for finder in sys.meta_path if hasattr(finder, "find_spec"))
    return next((s for s in specs if s is not None), None)


def _folders_of(package: str) -> list[str] | None:
    """The folders of a package's modules; ``None`` for what is no package."""
    if package in sys.modules:
        return getattr(sys.modules[package], "__path__", None)
    spec = _spec_of(package)
    return spec.submodule_search_locations if spec else None


def _file_digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def imports_of(module: str, path: Path) -> set[str]:
    """Modules that a file imports anywhere in it, inside functions too; names may be attributes, not modules.

    A string that is a module's full name counts as an import of it, because that is how work is put off.
    """
    is_package = path.name == "__init__.py"
    return set(_imports(module, is_package, path.read_bytes()))


@cache
def _imports(module: str, is_package: bool, source: bytes) -> tuple[str, ...]:
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(module, is_package, node)
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _DOTTED.match(node.value):
            names.append(node.value)
    return tuple(names)


def _absolute(module: str, is_package: bool, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    parts = parts[: len(parts) - node.level + (1 if is_package else 0)]
    return ".".join([*parts, node.module] if node.module else parts)


@cache
def _distributions() -> Mapping[str, list[str]]:
    return metadata.packages_distributions()


def imported_versions(cls: type) -> dict[str, str]:
    """Versions of the distributions that a class's sources import, its own and torch's included."""
    tops = {
        name.split(".")[0] for module, path in sources_of(cls).items() for name in imports_of(module, path)
    }
    tops |= {"torch", _project(cls.__module__).split(".")[0]}
    return versions_of(
        d
        for top in tops - set(sys.stdlib_module_names) - {"reelbench", "__future__"}
        for d in _distributions().get(top, ())
    )


def versions_of(distributions: Iterable[str]) -> dict[str, str]:
    """Distribution → version, for those that are installed."""
    found = {}
    for name in sorted(set(distributions)):
        try:
            found[name] = version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
