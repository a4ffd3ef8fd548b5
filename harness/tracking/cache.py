"""The cache is the record: which stages of a plan are finished already, with files that are still what they were.

A stage counts when a FINISHED run has its fingerprint and the run's artifacts hash to the tagged digests, or when it
lies finished in the workspace and waits to be recorded. Everything else is a miss, with a reason where there is one.
In a plan that reuses what is compatible, a run that differs in versions or device counts as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reelbench.errors import TrackingError
from reelbench.stages import Stage, StageFolder
from reelbench.tracking.checks import verify
from reelbench.tracking.entries import experiment_of, stage_naming, wanted_tags
from reelbench.tracking.held import Hit, RunFiles
from reelbench.tracking.leases import presence
from reelbench.tracking.markers import MARKER, recorded_run
from reelbench.tracking.store import Store, is_missing

if TYPE_CHECKING:
    from mlflow.entities import Run

FEW = 12


class CachedStages:
    """Looks stages up in a store and a workspace.

    Attributes
    ----------
    misses
        Fingerprint → why a stage that once finished does not count.
    """

    def __init__(self, uri: str, workspace: Path) -> None:
        self.uri, self.workspace = uri, workspace
        self.misses: dict[str, str] = {}

    def lookup(self, stages: Sequence[Stage]) -> dict[str, Hit]:
        """The finished ones of these stages, by fingerprint.

        Where files would have to be downloaded, only stages that something still to be run needs are looked at.
        """
        presence(self.workspace)  # keeps other benches from pruning what is about to be found
        if is_missing(self.uri):  # looking makes no store
            return self._walk(stages, {}, "")
        try:
            store = Store(self.uri)
            candidates = self._candidates(store, stages)
            # one a run: a trial's predictions are hashed once, for its predict stage and its score alike
            files = {
                r.info.run_id: RunFiles(store, self.workspace, r)
                for runs in candidates.values()
                for r in runs
            }
            held = {f: [files[r.info.run_id] for r in runs] for f, runs in candidates.items()}
            return self._walk(stages, held, store.shown)
        except TrackingError as error:
            self.misses = dict.fromkeys(
                (s.fingerprint for s in stages), f"{error}; only the workspace was looked at"
            )
            return {s.fingerprint: hit for s in stages if (hit := self._waiting(s, ""))}

    def _walk(self, stages: Sequence[Stage], held: dict[str, list[RunFiles]], shown: str) -> dict[str, Hit]:
        remote = any(not files.local for several in held.values() for files in several)
        by_fingerprint = {s.fingerprint: s for s in stages}
        needed = {f for s in stages for f in s.all_needs()} if remote else set()
        ends = [s for s in stages if s.fingerprint not in needed]
        hits: dict[str, Hit] = {}
        seen: set[str] = set()
        while ends:
            stage = ends.pop()
            if stage.fingerprint in seen:
                continue
            seen.add(stage.fingerprint)
            hit = self._recorded(stage, held.get(stage.fingerprint, [])) or self._waiting(stage, shown)
            if hit:
                hits[stage.fingerprint] = hit
            else:
                ends += [by_fingerprint[f] for f in stage.all_needs() if f in by_fingerprint]
        return hits

    def _recorded(self, stage: Stage, held: Sequence[RunFiles]) -> Hit | None:
        for files in held:
            found = files.hit(stage)
            if isinstance(found, Hit):
                self.misses.pop(stage.fingerprint, None)
                return found
            self.misses[stage.fingerprint] = f"{stage.title}: {found} in run {files.run.info.run_id}"
        return None

    # --- candidates ---------------------------------------------------------------------------------------------

    def _candidates(self, store: Store, stages: Sequence[Stage]) -> dict[str, list[Run]]:
        """FINISHED runs that may hold each stage, by its fingerprint, best first: current ones in one search, older ones where needed."""
        known = store.experiments()
        names = {experiment_of(stage_naming(s)) for s in stages}
        ids = [known[n] for n in sorted(names) if n in known]
        runs = store.search(ids, "attributes.status = 'FINISHED' and tags.`rb.superseded` = 'false'")
        current = _by_tag(runs)
        missing = [s for s in stages if wanted_tags(s)[0] not in current]
        if len(missing) > FEW:
            runs += store.search(ids, "attributes.status = 'FINISHED' and tags.`rb.superseded` = 'true'")
        else:
            for name, value in (wanted for stage in missing for wanted in wanted_tags(stage)):
                runs += store.search(ids, f"attributes.status = 'FINISHED' and tags.`{name}` = '{value}'")
        found = _by_tag(runs)
        return {
            s.fingerprint: _once(r for wanted in wanted_tags(s) for r in found.get(wanted, ()))
            for s in stages
        }

    # --- the workspace ------------------------------------------------------------------------------------------

    def _waiting(self, stage: Stage, shown: str) -> Hit | None:
        """A sound result in the workspace, which will be sent (again); a damaged one is set aside, so that the stage runs again."""
        folder = StageFolder(self.workspace, stage.kind, stage.fingerprint)
        if not folder.finished:
            return None
        record = folder.record()
        problem = verify(stage.kind, folder.path, record["digest"])
        if problem is None:
            if recorded_run(folder.path, shown):
                (folder.path / MARKER).unlink()
            return Hit(folder.path, record, None, "workspace")
        (folder.path / "record.json").replace(folder.path / "damaged.json")
        self.misses[stage.fingerprint] = f"{stage.title}: {problem} in {folder.path}"
        return None


def _by_tag(runs: Iterable[Run]) -> dict[tuple[str, str], list[Run]]:
    found: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        for tag in run.data.tags.items():
            if tag[0].startswith(("rb.fingerprint.", "rb.compatible.")):
                found.setdefault(tag, []).append(run)
    return found


def _once(runs: Iterable[Run]) -> list[Run]:
    return list({run.info.run_id: run for run in runs}.values())
