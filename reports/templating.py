"""Jinja as every page uses it, and files written so that a browser never reads half of one."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reelbench.reports.escaping import visible


def drawn(template: str, values: Mapping[str, Any]) -> str:
    """A template with these values in it."""
    return environment().get_template(template).render(values)


def drawn_page(href: str, template: str, values: Mapping[str, Any]) -> str:
    """The page that will lie at an address of the site."""
    return drawn(template, {**values, "root": "../" * href.count("/")})


def write_text(path: Path, text: str) -> None:
    """Write a file by rename; one that holds the text already stays as it is."""
    data = text.encode("utf-8")
    if _holds(path, data):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(data)
    os.replace(temporary, path)


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError:
        return False


@cache
def environment() -> Environment:
    """Jinja with autoescape, strict about unknown names; control characters of any text are made visible."""
    loader = PackageLoader("reelbench.reports", "templates")
    made = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = (loader.get_source(made, name)[0] for name in ("style.css", "sort.js"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    made.globals |= {"style": Markup(style), "script": Markup(script), "script_hash": digest}
    return made


def _shown(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
