"""Plugins are found, checked one by one, and a bad one harms nobody else."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from written_plugins import entry_points_in, good_method, write_distribution

from reelbench.errors import PluginError, UnknownNameError
from reelbench.registry import ALLOW_VARIABLE, Registry, build_registry

_unique = itertools.count()
Install = Callable[..., None]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delenv(ALLOW_VARIABLE, raising=False)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(tmp_path) in str(sys.modules[name].__file__):
            del sys.modules[name]


def install(site: Path, source: str, *, distribution: str | None = None, entry: str | None = None) -> str:
    """Install a one-module plugin; returns the module's name."""
    number = next(_unique)
    module = f"plug_{number}"
    distribution = distribution or f"dist-{number}"
    write_distribution(site, distribution, {entry or module: module}, {f"{module}.py": source})
    return module


def registry_of(site: Path, **options: object) -> Registry:
    return build_registry(found=entry_points_in(site), **options)  # type: ignore[arg-type]


def only_error(site: Path) -> str:
    registry = registry_of(site)
    assert len(registry.broken) == 1, registry.broken
    return str(registry.broken[0])


def method_source(body: str, *, doc: str = '"""A method."""') -> str:
    return (
        "import reelbench\nfrom reelbench import Phase, Recipe\n"
        f"class M(reelbench.Method):\n    {doc}\n    name = 'm'\n    recipes = {{'only': Recipe(serves=('tagging',))}}\n"
        + "".join(f"    {line}\n" for line in body.splitlines())
        + "def reelbench_methods():\n    return [M]\n"
    )


def test_a_plugin_is_found_by_its_entry_point_and_owns_what_it_registers(site: Path) -> None:
    install(site, good_method("quiet"), distribution="quiet-plugin")
    registry = registry_of(site)
    assert registry.method("quiet").name == "quiet"
    assert registry.owners["method", "quiet"].distribution == "quiet-plugin 1.0"
    assert not registry.broken


def test_a_plugin_that_raises_on_import_is_named_with_its_distribution_and_the_rest_go_on(site: Path) -> None:
    install(site, "raise RuntimeError('no licence\\nfile')", distribution="sad", entry="sad-entry")
    install(site, good_method("happy"))
    registry = registry_of(site)
    assert list(registry.methods) == ["happy"]
    assert [str(e) for e in registry.broken] == [
        "plugin 'sad-entry' (from sad 1.0): cannot be imported: RuntimeError: no licence file"
    ]
    assert {p.status for p in registry.plugins} == {"loaded", "broken"}


def test_a_plugin_that_exits_on_import_does_not_end_the_program(site: Path) -> None:
    install(site, "raise SystemExit(3)")
    assert "cannot be imported: SystemExit: 3" in only_error(site)


def test_a_missing_module_is_a_broken_plugin(site: Path) -> None:
    write_distribution(site, "ghost", {"ghost": "no_such_module_anywhere"}, {})
    assert "No module named 'no_such_module_anywhere'" in only_error(site)


def test_strict_makes_the_first_broken_plugin_fatal(site: Path) -> None:
    install(site, "1/0")
    with pytest.raises(PluginError, match="ZeroDivisionError"):
        registry_of(site, strict=True)


def test_two_distributions_with_one_method_name_are_both_named(site: Path) -> None:
    install(site, good_method("twin"), distribution="a-first", entry="first")
    install(site, good_method("twin"), distribution="b-second", entry="second")
    error = only_error(site)
    assert "plugin 'second' (from b-second 1.0)" in error
    assert "method 'twin' is already registered by plugin 'first' (from a-first 1.0)" in error


def test_nothing_of_a_plugin_is_adopted_when_one_of_its_registrations_is_bad(site: Path) -> None:
    install(site, good_method("half") + "\ndef reelbench_tasks():\n    return ['retrieval']\n")
    registry = registry_of(site)
    assert "expected instances of reelbench.Task, got 'retrieval'" in str(registry.broken[0])
    assert not registry.methods


def test_a_name_registered_twice_by_one_plugin_is_refused(site: Path) -> None:
    install(site, good_method("echo").replace("return [Echo]", "return [Echo, Echo]"))
    assert "'echo' is registered twice by the same plugin" in only_error(site)


def test_a_misspelt_hook_is_reported(site: Path) -> None:
    install(site, "import reelbench\n@reelbench.hookimpl\ndef reelbench_method():\n    return []\n")
    assert "unknown hook 'reelbench_method'" in only_error(site)


def test_a_hook_with_an_unknown_argument_breaks_only_its_own_plugin(site: Path) -> None:
    install(
        site, "import reelbench\n@reelbench.hookimpl\ndef reelbench_stage_started(stage, speed):\n    pass\n"
    )
    install(site, good_method("fine"))
    registry = registry_of(site)
    assert "speed" in str(registry.broken[0])
    assert list(registry.methods) == ["fine"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("name = 'Has Spaces'", "M.name must be lower-case letters, digits and dashes, got 'Has Spaces'"),
        ("name = None", "M.name must be lower-case letters"),
        ("recipes = {}", "M.recipes is empty; a method needs at least one"),
        ("recipes = ['x']", "M.recipes must be a mapping by name"),
        ("recipes = {'x': {'serves': ()}}", r"M.recipes['x'] must be a reelbench.Recipe"),
        (
            "recipes = {'x': Recipe(serves='tagging')}",
            "M.recipes['x'].serves must be a tuple of names, got 'tagging'; write ('tagging',)",
        ),
        (
            "recipes = {'x': Recipe(phases=Phase(name='a', relation='tags'))}",
            "M.recipes['x'].phases must be a list of reelbench.Phase",
        ),
        (
            "recipes = {'x': Recipe(phases=(Phase(name='a', relation='tags', optimizer='adm'),))}",
            "phase 'a'.optimizer: Input should be 'adam'",
        ),
        (
            "recipes = {'x': Recipe(phases=(Phase(name='a', relation='tags', frozen='head.'),))}",
            "phase 'a'.frozen: Input should be a valid tuple, got 'head.'",
        ),
        ("modalities = 'frames'", "M.modalities must be a tuple of names, got 'frames'"),
        ("presets = {}", "M.presets is empty"),
        ("Config = dict", "M.Config must be a sub-class of reelbench.Config"),
        ("variants = {'wide': {'hiden': 9}}", "unknown config key in variant wide of m 'hiden'"),
        ("presets = {'tiny': {'main.epoch': 9}}", "unknown config key in preset tiny of m 'main.epoch'"),
        (
            "recipes = {'x': Recipe(phases=(Phase(name='a', relation='r'), Phase(name='a', relation='r')))}",
            "two phases of one name",
        ),
    ],
)
def test_a_wrong_declaration_is_one_line_that_says_what_it_must_be(
    site: Path, body: str, message: str
) -> None:
    install(site, method_source(body))
    error = only_error(site)
    assert message in error
    assert "\n" not in error


def test_a_method_without_a_docstring_is_refused(site: Path) -> None:
    install(site, method_source("pass", doc="pass"))
    assert "M has no docstring; its first line is what tables show" in only_error(site)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def reelbench_methods():\n    return 'm'\n", "expected a list, got 'm'"),
        ("def reelbench_methods():\n    return [1]\n", "expected sub-classes of reelbench.Method, got 1"),
        ("def reelbench_methods():\n    raise KeyError('x')\n", "reelbench_methods failed: KeyError: 'x'"),
        ("def reelbench_datasets():\n    return [object]\n", "expected instances of reelbench.DatasetSource"),
        ("def reelbench_executors():\n    return []\n", "expected a mapping of names, got []"),
    ],
)
def test_a_hook_that_returns_the_wrong_type_says_what_was_expected(
    site: Path, source: str, message: str
) -> None:
    install(site, source)
    assert message in only_error(site)


def test_a_task_that_lacks_fields_is_refused_with_their_names(site: Path) -> None:
    source = "import reelbench\nclass T(reelbench.Task):\n    name = 't'\n    title = 'T'\n"
    source += "".join(
        f"    def {m}(self, *a):\n        return ()\n"
        for m in ("metrics", "validate", "measure", "aggregate")
    )
    install(site, source + "def reelbench_tasks():\n    return [T()]\n")
    assert "task T lacks summary, inputs, prediction, protocols" in only_error(site)


def test_a_blocked_plugin_is_not_even_imported(site: Path) -> None:
    install(site, "raise RuntimeError('imported')", entry="noisy")
    registry = registry_of(site, blocked=["noisy"])
    assert not registry.broken
    assert [(p.name, p.status) for p in registry.plugins] == [("noisy", "blocked")]


def test_the_allow_list_leaves_out_plugins_that_it_does_not_name(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(site, good_method("wanted"), entry="wanted-plugin")
    install(site, good_method("unwanted"), entry="unwanted-plugin")
    monkeypatch.setenv(ALLOW_VARIABLE, "wanted-plugin")
    assert list(registry_of(site).methods) == ["wanted"]


def test_a_module_can_be_loaded_beside_installed_plugins(site: Path) -> None:
    (site / "loose_plugin.py").write_text(good_method("loose"))
    registry = build_registry(["loose_plugin"], found=[])
    assert registry.owners["method", "loose"].distribution == "module loose_plugin"


def test_an_installed_plugin_that_is_also_named_as_a_module_counts_once(site: Path) -> None:
    module = install(site, good_method("once"))
    registry = build_registry([module], found=entry_points_in(site))
    assert not registry.broken
    assert len(registry.plugins) == 1


def test_an_unknown_name_comes_with_the_nearest_and_with_the_plugins_that_failed(site: Path) -> None:
    install(site, good_method("jsfusion-like"))
    install(site, "1/0", entry="broken-one")
    with pytest.raises(
        UnknownNameError, match=r"did you mean 'jsfusion-like'\?.*failed to load may provide it: 'broken-one'"
    ):
        registry_of(site).method("jsfusion-lik")


def test_listing_the_builtin_tasks_imports_neither_numpy_nor_torch() -> None:
    import subprocess

    code = (
        "import sys; from importlib.metadata import entry_points; from reelbench.registry import build_registry\n"
        "r = build_registry(found=[e for e in entry_points(group='reelbench') if e.name == 'tasks'])\n"
        "assert 'retrieval' in r.tasks; print(*sorted({'numpy', 'torch', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_life_cycle_plugin_of_the_bench_can_be_blocked_like_any_other(site: Path) -> None:
    assert registry_of(site, blocked=["mlflow"]).manager.is_blocked("mlflow")


def test_a_blocked_name_that_no_plugin_has_is_refused_with_the_nearest(site: Path) -> None:
    install(site, good_method("quiet"), entry="noisy")
    with pytest.raises(UnknownNameError, match="unknown plugin to block 'nosy'; did you mean 'noisy'"):
        registry_of(site, blocked=["nosy"])
