"""Pages say what is so: files they name are there, commands they show are taken, every hook is described and used."""

from __future__ import annotations

import inspect
import re
import shlex
from pathlib import Path

import click
import pytest

from reelbench import hookspecs
from reelbench.cli import cli

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
ROOMS = ("harness", "tasks", "plugins", "reports")
LINK = re.compile(r"\]\(([^)#:]+)[^)]*\)")
BLOCK = re.compile(r"^```(?:console|sh|bash)?\n(.*?)^```", re.DOTALL | re.MULTILINE)
HOOKS = {name: spec for name, spec in vars(hookspecs).items() if name.startswith("reelbench_")}


def sources() -> list[tuple[Path, str]]:
    return [(p, p.read_text(encoding="utf-8")) for room in ROOMS for p in sorted((ROOT / room).rglob("*.py"))]


def commands() -> list[str]:
    lines = [
        line.removeprefix("$ ")
        for page in PAGES
        for block in BLOCK.findall(page.read_text(encoding="utf-8"))
        for line in block.splitlines()
    ]
    return sorted({line.partition("  #")[0] for line in lines if line.startswith("reelbench ")})


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_file_that_a_page_links_is_there(page: Path):
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert not missing


def test_every_page_that_the_code_names_is_there():
    named = {(path.name, page) for path, text in sources() for page in re.findall(r"docs/[\w-]+\.md", text)}
    assert not [(path, page) for path, page in named if not (ROOT / page).exists()]


@pytest.mark.parametrize("line", commands())
def test_every_command_in_the_pages_has_the_options_it_is_given(line: str):
    _, name, *arguments = shlex.split(line)
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    command.make_parser(click.Context(command)).parse_args(arguments)


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_every_hook_says_what_it_is_for_and_is_called_by_someone(name: str):
    spec = HOOKS[name]
    assert inspect.getdoc(spec)
    assert all(p.annotation is not p.empty for p in inspect.signature(spec).parameters.values())
    collected = re.search(
        rf'"{name.removeprefix("reelbench_").removesuffix("s")}": _\w+',
        (ROOT / "harness" / "registry.py").read_text(),
    )
    called = [path for path, text in sources() if re.search(rf"hook\.{name}\(", text)]
    assert collected or called


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_every_hook_stands_on_the_page_about_them_with_its_exact_signature(name: str):
    arguments = ", ".join(inspect.signature(HOOKS[name]).parameters)
    assert f"`{name}({arguments})`" in (ROOT / "docs" / "hooks.md").read_text(encoding="utf-8")
