"""What a score record says beside its numbers, so that reports need nothing but the record."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from reelbench.papers import read_paper

if TYPE_CHECKING:
    from reelbench.dataset import DatasetSource
    from reelbench.executors import Job
    from reelbench.method import Method
    from reelbench.task import Task


_METHODLESS = {
    "ceiling": "A row that no method can pass.",
    "external": "Predictions made elsewhere, scored here; how they came about is not known.",
}


def describe_trial(
    job: Job,
    predicted: Mapping[str, Any],
    done: Mapping[str, Any],
    *,
    method: Method | None,
    task: Task,
    source: DatasetSource,
) -> dict[str, Any]:
    """The task, the method's words and paper, and what the whole chain of fits cost.

    Parameters
    ----------
    predicted
        The record of the predict stage, which carries what the fits cost.
    done
        What ``run_score`` returned.
    """
    chain = predicted["chain"]
    cost = {
        "parameters": chain["parameters"], "train_seconds": chain["train_seconds"],
        "predict_seconds": predicted["predict_seconds"], "score_seconds": done["score_seconds"],
        "examples_per_second": predicted["examples_per_second"],
        "peak_memory_bytes": max(predicted["peak_memory_bytes"], chain["peak_memory_bytes"]),
    }  # fmt: skip
    return {
        "task_title": task.title, "task_summary": task.summary, "protocol_doc": task.protocols[job.spec["protocol"]], "given": task.given, "generated": source.generated,
        "metric_specs": [asdict(m) | {"primary": i == 0} for i, m in enumerate(task.metrics(job.spec["protocol"]))],
        "fingerprints": {"predict": predicted["fingerprint"], "score": job.fingerprint, "fits": predicted["fits"]},
        "predictions_digest": predicted["digest"], "cost": cost, "curve": chain["curve"], "validation": chain.get("validation"), "upstream": chain.get("upstream", []),
        **_words(method, job.spec["role"]),
    }  # fmt: skip


def _words(method: Method | None, role: str) -> dict[str, Any]:
    if method is None:
        return {"summary": _METHODLESS[role], "departures": ""}
    summary, departures = split_docstring(inspect.getdoc(type(method)) or "")
    words: dict[str, Any] = {"summary": summary, "departures": departures}
    if paper := read_paper(type(method)):
        words["paper"] = paper
    return words


def split_docstring(text: str) -> tuple[str, str]:
    """The first line, and the section headed "Departures"."""
    summary = text.strip().split("\n\n")[0].replace("\n", " ")
    lines = text.splitlines()
    start = next(
        (i for i, line in enumerate(lines) if line.strip().rstrip(":").lower() == "departures"), None
    )
    if start is None:
        return summary, ""
    body = [line for line in lines[start + 1 :] if set(line.strip()) != {"-"}]
    end = next(
        (
            i
            for i in range(1, len(body))
            if i + 1 < len(body) and body[i + 1].strip() and set(body[i + 1].strip()) == {"-"}
        ),
        len(body),
    )
    return summary, "\n".join(body[:end]).strip()
