"""What of a stage record becomes an MLflow run's name, tags, params and metrics. Pure: no store, no files."""

from __future__ import annotations

import getpass
import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from reelbench.stages import Stage
from reelbench.tracking.store import FITS, experiment_name, redact

RunKind = Literal["trial", "fit", "predict"]
Point = tuple[str, float, int, int]
"""A metric: name, value, milliseconds, step."""

_NAMES = (
    "label", "method", "title", "role", "variant", "recipe", "preset", "seed", "benchmark", "task", "dataset", "protocol",
    "split", "family", "section",
)  # fmt: skip
_ROW = ("kind", "method", "variant", "recipe", "preset", "features", "benchmark", "dataset", "split")
_SPELT = {"@": "_at_", "%": "_percent", "≥": "_ge_", "≤": "_le_", "=": "_eq_", ",": "_"}
TAG_LIMIT, PARAM_LIMIT = 4000, 250


def run_kind(stage: Mapping[str, Any]) -> RunKind | None:
    """What kind of run a stage's spec or record makes; ``None`` for a trial's predictions, which lie in the trial's run."""
    if stage["kind"] == "predict":
        return "predict" if stage.get("relation") else None
    return "trial" if stage["kind"] == "score" else "fit"


def stage_naming(stage: Stage) -> dict[str, Any]:
    """A stage's fields as a record names them, before it has one."""
    return {**stage.spec, "kind": stage.kind}


def experiment_of(stage: Mapping[str, Any]) -> str:
    """The experiment in which a stage's run lies."""
    return FITS if stage["kind"] == "fit" or stage.get("relation") else experiment_name(stage["benchmark"])


def run_name(stage: Mapping[str, Any]) -> str:
    """``method/variant/recipe/preset/features s0``."""
    return f"{stage['label'].partition('#')[0]} s{stage['seed']}"


def fingerprint_tag(kind: str) -> str:
    """The tag that holds a stage's fingerprint."""
    return f"rb.fingerprint.{kind}"


def compatible_tag(kind: str) -> str:
    """The tag that holds a stage's fingerprint without versions and device."""
    return f"rb.compatible.{kind}"


def wanted_tags(stage: Stage) -> list[tuple[str, str]]:
    """Tags and values, any of which makes a run hold the stage; the best first."""
    if not stage.is_relaxed:
        return [(fingerprint_tag(stage.kind), stage.fingerprint)]
    return [
        (fingerprint_tag(stage.kind), stage.spec["exact"]),
        (compatible_tag(stage.kind), stage.fingerprint),
    ]


def naming_tags(stage: Mapping[str, Any]) -> dict[str, str]:
    """Tags known before the stage runs."""
    tags = {f"rb.{name}": str(stage[name]) for name in _NAMES if name in stage}
    tags |= {
        "rb.kind": run_kind(stage) or "trial",
        "rb.features": "+".join(stage["features"]),
        "rb.superseded": "false",
    }
    tags |= {fingerprint_tag(stage["kind"]): stage["fingerprint"], "mlflow.user": getpass.getuser()}
    tags |= {compatible_tag(kind): value for kind, value in stage.get("compatible", {}).items()}
    return tags


def result_tags(record: Mapping[str, Any]) -> dict[str, str]:
    """Tags known once the stage has finished: digests, hardware, versions, how many numbers were not finite."""
    tags = {"rb.hardware": hardware_line(record["hardware"]), "rb.versions": version_line(record["versions"])}
    if record["kind"] == "score":
        prints = record["fingerprints"]
        tags |= {
            "rb.digest": record["predictions_digest"],
            "rb.digest.sheet": record["digest"],
            fingerprint_tag("predict"): prints["predict"],
        }
    else:
        tags["rb.digest"] = record["digest"]
    if bad := [name for name, value, _, _ in points(record) if not math.isfinite(value)]:
        tags["rb.not_finite"] = f"{len(bad)}: {', '.join(sorted(set(bad)))}"[:TAG_LIMIT]
    return tags


def hardware_line(hardware: Mapping[str, Any]) -> str:
    """``cpu x86_64, 2 cores, 8 GiB``."""
    return f"{hardware['device']} {hardware['name']}, {hardware['cores']} cores, {hardware['memory_bytes'] / 2**30:.0f} GiB"


def version_line(versions: Mapping[str, str]) -> str:
    """``reelbench 0.1.0, torch 2.13.0``."""
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def row_of(tags: Mapping[str, str]) -> tuple[str, ...]:
    """The row of a table that a run belongs to, seeds and editions aside."""
    return tuple(tags.get(f"rb.{name}", "") for name in _ROW)


def params(record: Mapping[str, Any]) -> dict[str, str]:
    """The config's digest, and the short values that somebody chose."""
    config, settings, phases = record.get("config", {}), record.get("settings", {}), record.get("phases", [])
    members = record.get("ensemble", 1)
    several = (
        [members] if members != 1 else []
    )  # so that one fit's digest is what it was before this was told
    text = json.dumps([config, settings, phases, *several], sort_keys=True, default=str)
    values_of = config | {f"{phase['name']}.{k}": v for phase in phases for k, v in phase.items()}
    values_of |= {"ensemble": members}
    chosen = {
        k: values_of[k]
        for k, origin in record.get("origins", {}).items()
        if k in values_of and origin != "default"
    }
    chosen |= {f"predict.{k}": v for k, v in settings.items()}
    values = {clean_name(k): redact(str(v)) for k, v in list(chosen.items())[:80]}
    short = {k: v for k, v in values.items() if len(v) <= PARAM_LIMIT}
    return {"config_digest": hashlib.sha256(text.encode()).hexdigest()[:16], **short}


def points(record: Mapping[str, Any]) -> Iterator[Point]:
    """Every metric of a record, with the times that were measured; not all need be finite."""
    ended = record["ended_ms"]
    yield from ((clean_name(f"test/{k}"), float(v), ended, 0) for k, v in record.get("metrics", {}).items())
    yield from (
        (clean_name(f"cost/{k}"), float(v), ended, 0) for k, v in _costs(record).items() if v is not None
    )
    for point in record.get("curve", ()):
        yield from (
            (clean_name(k), float(v), point["time_ms"], point["step"]) for k, v in point["values"].items()
        )


def finite_points(record: Mapping[str, Any]) -> list[Point]:
    """The metrics that MLflow can keep: NaN and infinity left out."""
    return [point for point in points(record) if math.isfinite(point[1])]


def clean_name(name: str) -> str:
    """A name that MLflow takes: letters, digits and ``_ . / : -`` (``R@1`` → ``R_at_1``)."""
    for sign, spelt in _SPELT.items():
        name = name.replace(sign, spelt)
    return re.sub(r"[^A-Za-z0-9_./: -]", "_", name)[:240]


def _costs(record: Mapping[str, Any]) -> Mapping[str, Any]:
    if "cost" in record:
        return dict(record["cost"])
    names = (
        "parameters",
        "train_seconds",
        "predict_seconds",
        "overhead_seconds",
        "examples_per_second",
        "peak_memory_bytes",
        "steps",
    )
    return {name: record[name] for name in names if name in record}
