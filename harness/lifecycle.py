"""Tells life-cycle plugins what happens to a plan; one that raises is reported and harms nobody else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pluggy


class LifeCycle:
    """Calls a life-cycle hook of every plugin by itself, in pluggy's order.

    Used in the place of ``manager.hook``. A plugin's failure is said once a hook and plugin.

    Parameters
    ----------
    say
        Shows one line.
    """

    def __init__(self, manager: pluggy.PluginManager, say: Callable[[str], None]) -> None:
        self._manager, self._say = manager, say
        self._told: set[tuple[str, str]] = set()

    def __getattr__(self, hook: str) -> Callable[..., None]:
        if not hook.startswith("reelbench_"):
            raise AttributeError(hook)
        return partial(self._tell, hook)

    def _tell(self, hook: str, **facts: Any) -> None:
        implementations = list(reversed(getattr(self._manager.hook, hook).get_hookimpls()))
        around = [(i, self._call(hook, i, facts)) for i in implementations if i.wrapper]
        for implementation, wrapper in around:
            self._guarded(hook, implementation.plugin_name, partial(next, wrapper))
        for implementation in implementations:
            if not implementation.wrapper:
                self._call(hook, implementation, facts)
        for implementation, wrapper in reversed(around):
            self._guarded(hook, implementation.plugin_name, partial(next, wrapper, None))

    def _call(self, hook: str, implementation: pluggy.HookImpl, facts: Mapping[str, Any]) -> Any:
        arguments = [facts[name] for name in implementation.argnames]
        return self._guarded(hook, implementation.plugin_name, partial(implementation.function, *arguments))

    def _guarded(self, hook: str, plugin: str, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except Exception as error:
            self._report(hook, plugin, error)
            return iter((None,))

    def _report(self, hook: str, plugin: str, error: Exception) -> None:
        if (hook, plugin) not in self._told:
            self._told.add((hook, plugin))
            self._say(
                f"plugin {plugin!r}: {hook} failed and is left out: {type(error).__name__}: {' '.join(str(error).split())}"
            )
