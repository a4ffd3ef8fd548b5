"""Suites: TOML files that name what to run. Some are built in (`reelbench list` names them)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from reelbench.errors import UnknownNameError, UsageError


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MethodEntry(_Table):
    """One method of a suite: which of its recipes, variants and benchmarks to run, and with which values."""

    name: str
    recipes: tuple[str, ...] = ("*",)
    variants: tuple[str, ...] = ("full",)
    preset: str | None = None
    benchmarks: tuple[str, ...] = ("*",)
    config: Mapping[str, Any] = Field(default_factory=dict)


class Limits(_Table):
    """What one fit may use, and how large a trial's score matrix may be; ``None`` is no limit, for the matrix 256 MiB."""

    seconds: float | None = Field(default=None, gt=0)
    memory_bytes: int | None = Field(default=None, gt=0)
    matrix_bytes: int | None = Field(default=None, gt=0)


class Suite(_Table):
    """A suite, as read from its file.

    Attributes
    ----------
    benchmarks
        Patterns: ``retrieval@microworld/small``, ``*@didemo``, ``localization@microworld/small:*``.
    methods
        Entries, or bare names.
    seeds
        A list, or how many (0, 1, …).
    plugins
        Modules to load beside installed plugins.
    max_steps
        No phase of any fit is longer: what a suite takes that only asks whether everything runs.
    """

    name: str
    title: str = ""
    benchmarks: tuple[str, ...]
    methods: tuple[MethodEntry, ...]
    seeds: tuple[int, ...] = (0, 1, 2)
    preset: str = "tiny"
    plugins: tuple[str, ...] = ()
    ceilings: bool = True
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["32-true", "bf16-mixed"] | None = None
    workers: int | None = Field(default=None, ge=1)
    max_steps: int | None = Field(default=None, ge=1)
    limits: Limits = Limits()

    @field_validator("seeds", mode="before")
    @classmethod
    def _count(cls, value: Any) -> Any:
        return tuple(range(value)) if isinstance(value, int) and not isinstance(value, bool) else value

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value or len(set(value)) < len(value) or min(value) < 0:
            raise ValueError("give at least one seed, each of them once, none below 0")
        return value

    @field_validator("methods", mode="before")
    @classmethod
    def _names(cls, value: Any) -> Any:
        return (
            tuple({"name": v} if isinstance(v, str) else v for v in value)
            if isinstance(value, list | tuple)
            else value
        )


def builtin_suites() -> dict[str, str]:
    """Name → text of the suites that come with reelbench."""
    folder = files("reelbench.suites")
    return {
        p.name.removesuffix(".toml"): p.read_text(encoding="utf-8")
        for p in folder.iterdir()
        if p.name.endswith(".toml")
    }


def load_suite(name: str) -> Suite:
    """Read a suite by built-in name or file path; a folder or file that is called like a built-in suite does not hide it.

    Raises
    ------
    UsageError
        If there is no such file or suite, or its contents are wrong; the message names the key.
    """
    path, known = Path(name), builtin_suites()
    if name not in known and (path.suffix == ".toml" or path.exists()):
        if not path.is_file():
            raise UsageError(f"suite file {name} does not exist")
        return parse_suite(_text_of(path), origin=name, default_name=path.stem)
    if name not in known:
        raise UnknownNameError("suite", name, known, "(or give the path of a .toml file)")
    return parse_suite(known[name], origin=f"suite {name}", default_name=name)


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not valid TOML: not UTF-8 at byte {error.start}") from None


def parse_suite(text: str, *, origin: str, default_name: str) -> Suite:
    """Read a suite from its text."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{origin}: not valid TOML: {error}") from None
    return make_suite({"name": default_name, **values}, origin)


def make_suite(values: Mapping[str, Any], origin: str) -> Suite:
    """A suite from plain values; every wrong key or value in one line."""
    try:
        return Suite(**values)
    except ValidationError as error:
        raise _readable(error, origin) from None


def _readable(error: ValidationError, origin: str) -> UsageError:
    for e in error.errors():
        if e["type"] == "extra_forbidden":
            table = MethodEntry if e["loc"][0] == "methods" else Limits if e["loc"][0] == "limits" else Suite
            return UnknownNameError(f"key of {origin}", ".".join(map(str, e["loc"])), table.model_fields)
    problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
    return UsageError(f"{origin}: {problems}")
