"""Where in an author's own files an exception arose: the one line of a traceback that its reader wants."""

from __future__ import annotations

import traceback
from collections.abc import Iterable

from reelbench.errors import ReelbenchError
from reelbench.fingerprints import is_within, own_package, sources_of


def place_of(error: BaseException, authors: Iterable[type]) -> str:
    """`` (at my_method/model.py:31 in forward)``, or nothing where no line of theirs was passed through.

    The innermost frame in the package of one of these classes counts; without one, for what is no handled error, the
    innermost in what their files import (a layer, a metric).
    """
    own: dict[str, str] = {}
    imported: dict[str, str] = {}
    for author in authors:
        package = own_package(author.__module__)
        for module, path in sources_of(author).items():
            chosen = own if is_within(module, package) else imported
            chosen[str(path)] = "/".join(path.parts[-2:]) if "." in module else path.name
    frames = traceback.extract_tb(error.__traceback__)
    for names in (own,) if isinstance(error, ReelbenchError) else (own, imported):
        found = [f for f in frames if f.filename in names]
        if found:
            return f" (at {names[found[-1].filename]}:{found[-1].lineno} in {found[-1].name})"
    return ""
