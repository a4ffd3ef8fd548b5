"""Plugins, found and checked: who registered which method, task and dataset, and from where.

Every entry point of the group ``reelbench`` is loaded by itself, so that a broken one is reported by name and the
rest go on. Built-in content comes the same way as anyone else's.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

import pluggy

from reelbench import hookspecs
from reelbench.errors import PluginError, UnknownNameError
from reelbench.method import Method

if TYPE_CHECKING:
    from reelbench.dataset import DatasetSource
    from reelbench.task import Task

ALLOW_VARIABLE = "REELBENCH_PLUGINS"
TRACE_VARIABLE = "REELBENCH_TRACE"
LIFE_CYCLE = frozenset({"mlflow", "timings", "display"})
"""What a bench joins to the registered plugins while it runs; each can be blocked like them."""


@dataclass(frozen=True)
class PluginInfo:
    """A plugin that was loaded, blocked, or failed."""

    name: str
    distribution: str
    origin: str
    status: str = "loaded"
    error: str = ""
    provides: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass
class Registry:
    """What is registered, by name, and every plugin's fate.

    Attributes
    ----------
    owners
        ``("method", name)`` → the plugin that registered it.
    broken
        Errors of plugins that were skipped; a command that finds some ends with their exit status.
    """

    manager: pluggy.PluginManager
    methods: dict[str, Method] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    datasets: dict[str, DatasetSource] = field(default_factory=dict)
    executors: dict[str, Any] = field(default_factory=dict)
    formats: dict[str, Any] = field(default_factory=dict)
    owners: dict[tuple[str, str], PluginInfo] = field(default_factory=dict)
    plugins: list[PluginInfo] = field(default_factory=list)
    broken: list[PluginError] = field(default_factory=list)

    def method(self, name: str) -> Method:
        """The method of that name; :class:`UnknownNameError` names the nearest."""
        return _pick("method", name, self.methods, self._hint())

    def task(self, name: str) -> Task:
        """The task of that name."""
        return _pick("task", name, self.tasks, self._hint())

    def dataset_source(self, name: str) -> DatasetSource:
        """The source of a dataset; ``name`` may carry a size: ``microworld/small``."""
        return _pick("dataset", name.partition("/")[0], self.datasets, self._hint())

    def _hint(self) -> str:
        if not self.broken:
            return ""
        names = ", ".join(repr(e.plugin) for e in self.broken)
        return f"(plugins that failed to load may provide it: {names}; see `reelbench plugins`)"


def _pick(kind: str, name: str, known: Mapping[str, Any], hint: str) -> Any:
    if name not in known:
        raise UnknownNameError(kind, name, known, hint)
    return known[name]


def new_manager() -> pluggy.PluginManager:
    """A manager that knows the hooks and has no plugins."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    if os.environ.get(TRACE_VARIABLE):
        manager.trace.root.setwriter(lambda text: print(text, end="", flush=True))
        manager.enable_tracing()
    return manager


def build_registry(
    modules: Sequence[str] = (),
    *,
    blocked: Iterable[str] = (),
    strict: bool = False,
    found: Iterable[EntryPoint] | None = None,
) -> Registry:
    """Load every plugin and check what it registers.

    Parameters
    ----------
    modules
        Importable modules to load beside installed plugins (``--plugin``, or ``plugins`` in a suite).
    blocked
        Names of plugins to leave out, life-cycle ones of a bench included (``mlflow``, ``timings``, ``display``).
    strict
        Whether the first broken plugin is fatal.
    found
        Entry points to use instead of the installed ones (for tests).

    Raises
    ------
    PluginError
        For the first broken plugin, if ``strict``.
    UnknownNameError
        For a blocked name that no plugin has.
    """
    registry = Registry(new_manager())
    if modules and "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())  # a module beside the suite is found, as with ``python -m``
    candidates, left_out = _candidates(modules, found), set(blocked)
    _block(registry, left_out, {c.name for c in candidates})
    for candidate in candidates:
        try:
            _load(registry, candidate, left_out)
        except PluginError as error:
            if strict:
                raise
            _report(registry, candidate, error)
    return registry


def _block(registry: Registry, names: set[str], known: set[str]) -> None:
    for name in sorted(names):
        if name not in known | LIFE_CYCLE:
            raise UnknownNameError("plugin to block", name, known | LIFE_CYCLE)
        registry.manager.set_blocked(name)


@dataclass(frozen=True)
class _Candidate:
    name: str
    distribution: str
    origin: str

    def load(self) -> Any:
        module, _, attribute = self.origin.partition(":")
        loaded = import_module(module)
        return getattr(loaded, attribute) if attribute else loaded


def _candidates(modules: Sequence[str], found: Iterable[EntryPoint] | None) -> list[_Candidate]:
    points = entry_points(group=hookspecs.PROJECT) if found is None else found
    seen: dict[tuple[str, str], _Candidate] = {}
    for point in points:
        distribution = f"{point.dist.name} {point.dist.version}" if point.dist else "an unknown distribution"
        seen.setdefault((point.name, point.value), _Candidate(point.name, distribution, point.value))
    installed = sorted(
        seen.values(), key=lambda c: (not c.distribution.startswith("reelbench "), c.distribution, c.name)
    )
    return installed + [_Candidate(m, f"module {m}", m) for m in dict.fromkeys(modules)]


def _load(registry: Registry, candidate: _Candidate, blocked: set[str]) -> None:
    allowed = os.environ.get(ALLOW_VARIABLE)
    builtin = candidate.distribution.startswith("reelbench ")
    if candidate.name in blocked or (
        allowed is not None and not builtin and candidate.name not in allowed.split(",")
    ):
        registry.plugins.append(_info(candidate, status="blocked"))
        return
    try:
        plugin = candidate.load()
    except (Exception, SystemExit) as error:
        file = candidate.distribution.startswith("module ") and candidate.name.endswith(".py")
        hint = (
            f"; name the module, not its file: --plugin {candidate.name.removesuffix('.py')}" if file else ""
        )
        raise _broken(candidate, f"cannot be imported: {type(error).__name__}: {error}{hint}") from error
    if registry.manager.is_registered(plugin):  # installed, and named by --plugin or a suite as well
        return
    try:
        registry.manager.register(plugin, name=candidate.name)
        registry.manager.check_pending()
        provided = _collect(registry, candidate, plugin)
    except (PluginError, pluggy.PluginValidationError, ValueError) as error:
        if registry.manager.get_plugin(candidate.name) is plugin:
            registry.manager.unregister(name=candidate.name)
        raise (
            error if isinstance(error, PluginError) else _broken(candidate, f"cannot be registered: {error}")
        ) from error
    info = _info(candidate, provides={k: tuple(v) for k, v in provided.items() if v})
    registry.plugins.append(info)
    _adopt(registry, info, provided)


def _report(registry: Registry, candidate: _Candidate, error: PluginError) -> None:
    registry.broken.append(error)
    registry.plugins.append(_info(candidate, status="broken", error=str(error)))


def _info(candidate: _Candidate, **more: Any) -> PluginInfo:
    return PluginInfo(candidate.name, candidate.distribution, candidate.origin, **more)


def _broken(candidate: _Candidate, message: str) -> PluginError:
    return PluginError(candidate.name, candidate.distribution, " ".join(message.split()))


def _collect(registry: Registry, candidate: _Candidate, plugin: Any) -> dict[str, dict[str, Any]]:
    """Call one plugin's registration hooks and check everything it returns, before any of it is adopted."""
    provided: dict[str, dict[str, Any]] = {}
    for kind, collect in _KINDS.items():
        hook = f"reelbench_{kind}s"
        if not hasattr(plugin, hook):
            continue
        try:
            answer = getattr(plugin, hook)()
            items = collect(answer)
        except PluginError:
            raise
        except Exception as error:
            raise _broken(candidate, f"{hook} failed: {type(error).__name__}: {error}") from error
        for name in items:
            if (kind, name) in registry.owners:
                other = registry.owners[kind, name]
                raise _broken(
                    candidate,
                    f"{kind} {name!r} is already registered by plugin {other.name!r} (from {other.distribution}); rename one, or block one with --block",
                )
        provided[kind] = items
    return provided


def _adopt(registry: Registry, info: PluginInfo, provided: Mapping[str, Mapping[str, Any]]) -> None:
    for kind, items in provided.items():
        getattr(registry, f"{kind}s").update(items)
        registry.owners.update({(kind, name): info for name in items})


def _methods(answer: Any) -> dict[str, Method]:
    from reelbench.declarations import check_declarations

    items: dict[str, Method] = {}
    for cls in _listed(answer):
        if not (isinstance(cls, type) and issubclass(cls, Method)):
            raise TypeError(f"expected sub-classes of reelbench.Method, got {cls!r}")
        check_declarations(cls)
        _add(items, cls.name, cls())
    return items


def _tasks(answer: Any) -> dict[str, Any]:
    from reelbench.task import Task

    items: dict[str, Any] = {}
    for task in _listed(answer):
        if not isinstance(task, Task):
            raise TypeError(f"expected instances of reelbench.Task, got {task!r}")
        missing = [
            a
            for a in ("name", "title", "summary", "inputs", "prediction", "protocols")
            if not hasattr(task, a)
        ]
        if missing:
            raise TypeError(f"task {type(task).__name__} lacks {', '.join(missing)}")
        _add(items, task.name, task)
    return items


def _datasets(answer: Any) -> dict[str, Any]:
    from reelbench.dataset import DatasetSource

    items: dict[str, Any] = {}
    for source in _listed(answer):
        if not isinstance(source, DatasetSource):
            raise TypeError(f"expected instances of reelbench.DatasetSource, got {source!r}")
        _add(items, source.name, source)
    return items


def _named(answer: Any) -> dict[str, Any]:
    if not isinstance(answer, Mapping):
        raise TypeError(f"expected a mapping of names, got {answer!r}")
    return dict(answer)


def _listed(answer: Any) -> Sequence[Any]:
    if not isinstance(answer, list | tuple):
        raise TypeError(f"expected a list, got {answer!r}")
    return answer


def _add(items: dict[str, Any], name: str, value: Any) -> None:
    if name in items:
        raise TypeError(f"{name!r} is registered twice by the same plugin")
    items[name] = value


_KINDS = {
    "method": _methods, "task": _tasks, "dataset": _datasets, "executor": _named, "format": _named,
}  # fmt: skip
