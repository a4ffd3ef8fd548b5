"""The saved view that opens a benchmark's experiment as a leaderboard, and the experiment's note.

The format is the MLflow UI's own and not documented: ``tests/harness/test_tracking_ui.py`` holds it in a browser.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelbench.tracking.entries import clean_name
from reelbench.tracking.held import RunFiles
from reelbench.tracking.runs import RunWriter
from reelbench.tracking.store import Store, experiment_name, tracking_errors

if TYPE_CHECKING:
    from reelbench.plan import Plan

VIEW = "leaderboard"
VIEW_TAG, NOTE_TAG = f"mlflow.sharedViewState.{VIEW}", "mlflow.note.content"
_COSTS = ("cost/train_seconds", "cost/parameters")
_NAME = "attributes.`Run Name`"
_FILTER = "attributes.status = 'FINISHED' and tags.`rb.superseded` = 'false'"


def save_views(writer: RunWriter, plan: Plan, site: str | None) -> None:
    """Write the view and the note of each of the plan's benchmarks, where they have changed."""
    store = writer.store
    for benchmark in sorted({s.spec["benchmark"] for s in plan.trials()}):
        experiment = store.experiment(experiment_name(benchmark))
        record = _any_record(store, writer.workspace, experiment)
        if record:
            _write(
                store, experiment, {VIEW_TAG: view_tag(record["metric_specs"]), NOTE_TAG: note(record, site)}
            )


def view_tag(metric_specs: Sequence[Mapping[str, Any]]) -> str:
    """The value of the tag that holds the view; the same metrics give the same value."""
    state = json.dumps(view_state(metric_specs), sort_keys=True)
    return json.dumps({"name": "Leaderboard", "createdAt": 0, "state": state})


def view_state(metric_specs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A table sorted by the primary metric in its direction, seeds folded under each row."""
    names = [clean_name(f"test/{m['name']}") for m in sorted(metric_specs, key=lambda m: not m["primary"])]
    primary = next(m for m in metric_specs if m["primary"])
    columns = ["tags.`rb.seed`", *(f"metrics.`{n}`" for n in (*names, *_COSTS))]
    return {
        "searchFilter": _FILTER,
        "orderByKey": f"metrics.`{names[0]}`",
        "orderByAsc": primary["direction"] == "lower",
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": columns,
        "columnOrder": [_NAME, *columns],
        "columnWidths": {_NAME: 360} | dict.fromkeys(columns, 120),
        "runsHiddenMode": "SHOW_ALL",
        "groupBy": {
            "aggregateFunction": "average",
            "groupByKeys": [{"mode": "tag", "groupByData": "rb.label"}],
        },
        "groupsExpanded": {},
        "useGroupedValuesInCharts": True,
        "hideEmptyCharts": True,
        "viewMaximized": False,
        "runListHidden": False,
        "isAccordionReordered": False,
    }


def note(record: Mapping[str, Any], site: str | None) -> str:
    """What a benchmark's experiment says of itself; of which the UI shows the first line alone."""
    primary = next(m for m in record["metric_specs"] if m["primary"])
    better = "higher" if primary["direction"] == "higher" else "lower"
    report = f" · report: {Path(site) / 'index.html'}" if site else ""
    lines = [
        f"{record['benchmark']}: {primary['title']}, {better} is better{report}",
        "",
        f"{record['task_title']}. {record['task_summary']} Protocol {record['protocol'] or 'default'}: {record['protocol_doc']}",
        "",
        "Groups show means over seeds; spread, tests and rank intervals are in the report. Older editions of a row are tagged "
        "rb.superseded = true and left out of the view Leaderboard.",
    ]
    return "\n".join(lines)


def view_path(store: Store, benchmark: str) -> str:
    """The address of a benchmark's leaderboard, below the server's."""
    return f"/#/experiments/{store.experiment(experiment_name(benchmark))}/runs?workflowType=machine_learning&viewStateShareKey={VIEW}"


def _any_record(store: Store, workspace: Path, experiment: str) -> dict[str, Any] | None:
    """The record of the newest trial that can be read."""
    for run in store.search([experiment], _FILTER, limit=3):
        with tempfile.TemporaryDirectory() as spare:
            path = RunFiles(store, workspace, run).folder("record.json", Path(spare))
            if path.exists():
                return dict(json.loads(path.read_text(encoding="utf-8")))
    return None


def _write(store: Store, experiment: str, tags: Mapping[str, str]) -> None:
    with tracking_errors(store.uri):
        old = store.client.get_experiment(experiment).tags
        for name, value in tags.items():
            if old.get(name) != value:
                store.client.set_experiment_tag(experiment, name, value)
