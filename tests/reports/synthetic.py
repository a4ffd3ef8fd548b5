"""A synthetic MLflow store, as ``docs/record.md`` says one lies there, without any harness that made it."""

from __future__ import annotations

import base64
import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelbench.resampling import cluster_weights, save_replicates
from reelbench.tracking.store import Store, local_folder

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
HOSTILE = (
    '<script>alert(1)</script> [x](javascript:alert(2)) ![i](http://evil/x.png) | =HYPERLINK("http://evil") '
    r"\input{/etc/passwd} $x_1$ 50% & #1 \write18"
    + "\x1b[31mred\x1b[0m \u202egnp.exe\u202c http://evil.example www.evil.example"
)
SPECS = [
    {
        "name": "recall_at_1",
        "title": "R@1",
        "direction": "higher",
        "low": 0.0,
        "high": 1.0,
        "percent": True,
        "primary": True,
        "doc": "the first is right",
    },
    {
        "name": "cider",
        "title": "CIDEr",
        "direction": "higher",
        "low": 0.0,
        "high": 10.0,
        "percent": False,
        "primary": False,
        "doc": "",
    },
    {
        "name": "median_rank",
        "title": "MedR",
        "direction": "lower",
        "low": 1.0,
        "high": float("inf"),
        "percent": False,
        "primary": False,
        "doc": "1-based",
        "interval_only": True,
    },
]
BENCHMARK = "retrieval@microworld/small:sentence"


class Synthetic:
    """Writes runs straight into a store."""

    def __init__(self, uri: str) -> None:
        self.store = Store(uri)
        self.uri = uri

    def trial(
        self, method: str = "jsfusion", *, seed: int = 0, variant: str = "full", role: str = "method", benchmark: str = BENCHMARK,
        features: Sequence[str] = ("frames", "audio"), metrics: Mapping[str, float] | None = None, title: str = "", status: str = "FINISHED",
        tags: Mapping[str, str] | None = None, record: Mapping[str, Any] | None = None, shown: Mapping[str, str] | None = None, artifacts: bool = True,
        started_ms: int = 1_760_000_000_000,
    ) -> str:  # fmt: skip
        """One trial's run; returns its id."""
        naming = _naming(method, variant, role, benchmark, features, seed, title)
        values = metrics or _metrics(naming["label"], seed)
        run = self._run(
            f"reelbench/{benchmark}", {**_tags("trial", naming), **(tags or {})}, started_ms=started_ms
        )
        if status == "FINISHED":
            self._log(run.info.run_id, {f"test/{k}": v for k, v in values.items()})
            if artifacts:
                _write(
                    run.info.artifact_uri,
                    {**_record(naming, values), **(record or {})},
                    shown or {"Question": "who <walks>?", "Answer": "she", "Predicted": f"he {seed}"},
                )
        self.store.client.set_terminated(run.info.run_id, status, 1_760_000_100_000)
        return str(run.info.run_id)

    def failed_fit(
        self,
        method: str = "jsfusion",
        *,
        seed: int,
        variant: str = "full",
        features: Sequence[str] = ("frames", "audio"),
        error: str = "loss is NaN at step 12",
    ) -> None:
        """A fit's run that failed."""
        naming = _naming(method, variant, "method", BENCHMARK, features, seed, "")
        tags = {k: v for k, v in _tags("fit", naming).items() if k != "rb.benchmark"}
        run = self._run("reelbench/fits", tags | {"rb.error": error})
        self.store.client.set_terminated(run.info.run_id, "FAILED")

    def failed_prediction(
        self, method: str = "jsfusion", *, seed: int, error: str, fingerprint: str = "lost"
    ) -> None:
        """A trial's run that failed before there was anything to score."""
        naming = _naming(method, "full", "method", BENCHMARK, ("frames", "audio"), seed, "")
        tags = {
            k: v for k, v in _tags("trial", naming).items() if k not in ("rb.fingerprint.score", "rb.digest")
        }
        run = self._run(
            f"reelbench/{BENCHMARK}",
            tags
            | {
                "rb.fingerprint.predict": fingerprint,
                "rb.label": naming["label"][:-6] + "other0",
                "rb.error": error,
            },
        )
        self.store.client.set_terminated(run.info.run_id, "FAILED")

    def mended(self, *, seed: int = 0) -> None:
        """A fit and a trial of an older edition that failed, and the fit of the newer one that did not."""
        naming = _naming("jsfusion", "full", "method", BENCHMARK, ("frames", "audio"), seed, "")
        for kind, experiment in (("fit", "fits"), ("trial", BENCHMARK)):
            old = {"rb.family": "old", "rb.label": "old", "rb.fingerprint.fit": "old", "rb.error": "a bug"}
            run = self._run(f"reelbench/{experiment}", _tags(kind, naming) | old, started_ms=1)
            self.store.client.set_terminated(run.info.run_id, "FAILED")
        run = self._run("reelbench/fits", _tags("fit", naming))
        self.store.client.set_terminated(run.info.run_id)

    def suite(self, name: str = "small") -> None:
        """A finished suite's run."""
        run = self._run("reelbench/suites", {"rb.kind": "suite", "rb.suite": name})
        self.store.client.set_terminated(run.info.run_id)

    def _run(self, experiment: str, tags: Mapping[str, str], *, started_ms: int = 1_760_000_000_000) -> Any:
        return self.store.client.create_run(
            self.store.experiment(experiment), start_time=started_ms, tags=dict(tags)
        )

    def _log(self, run_id: str, values: Mapping[str, float]) -> None:
        from mlflow.entities import Metric

        self.store.client.log_batch(run_id, [Metric(k, v, 1_760_000_000_000, 0) for k, v in values.items()])


def fill(synthetic: Synthetic, *, benchmarks: int = 1, seeds: int = 3) -> None:
    """Boards with two methods, an ablation, a blind variant, baselines and a ceiling."""
    for k in range(benchmarks):
        benchmark = BENCHMARK if k == 0 else f"task{k}@microworld/small:p{k}"
        for seed in range(seeds):
            for method, variant in (
                ("jsfusion", "full"),
                ("jsfusion", "no-attention"),
                ("jsfusion", "as-released"),
                ("bn-lstm", "full"),
            ):
                synthetic.trial(method, variant=variant, seed=seed, benchmark=benchmark)
            for method in ("text-only", "mean-pool", "chance"):
                synthetic.trial(
                    method,
                    seed=seed,
                    role="baseline",
                    features=() if method != "mean-pool" else ("frames",),
                    benchmark=benchmark,
                )
        synthetic.trial(
            "oracle",
            seed=-1,
            role="ceiling",
            features=(),
            metrics={"recall_at_1": 0.98, "cider": 9.0, "median_rank": 1.0},
            benchmark=benchmark,
        )
    synthetic.suite()


def sha(*parts: object) -> str:
    """A fingerprint of anything."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _naming(
    method: str, variant: str, role: str, benchmark: str, features: Sequence[str], seed: int, title: str
) -> dict[str, Any]:
    family = sha(method, variant, benchmark, tuple(features))
    joined = "+".join(features)
    task, _, rest = benchmark.partition("@")
    dataset, _, protocol = rest.partition(":")
    return {
        "method": method, "title": title or method.replace("-", " ").capitalize(), "role": role, "variant": variant, "recipe": "match", "preset": "tiny",
        "features": joined, "section": joined, "seed": seed, "benchmark": benchmark, "task": task, "dataset": dataset, "protocol": protocol, "split": "test",
        "family": family, "label": f"{method}/{variant}/match/tiny/{joined or 'none'}#{family[:6]}",
    }  # fmt: skip


def _tags(kind: str, naming: Mapping[str, Any]) -> dict[str, str]:
    fingerprint = sha(naming["family"], naming["seed"])
    place = "fit" if kind == "fit" else "score"
    tags = {f"rb.{k}": str(v) for k, v in naming.items()} | {
        "rb.kind": kind,
        "rb.superseded": "false",
        f"rb.fingerprint.{place}": fingerprint,
    }
    return tags | {
        "rb.digest": sha("digest", fingerprint),
        "rb.hardware": "cpu x86_64, 2 cores, 8 GiB",
        "rb.versions": "reelbench 0.1.0",
    }


def _metrics(label: str, seed: int) -> dict[str, float]:
    base = random.Random(label).uniform(0.1, 0.6)
    value = base + random.Random(f"{label} {seed}").gauss(0, 0.02)
    return {
        "recall_at_1": 0.01 if label.startswith("chance") else value,
        "cider": 2 * value,
        "median_rank": 30 * (1 - value),
    }


def _record(naming: Mapping[str, Any], metrics: Mapping[str, float]) -> dict[str, Any]:
    curve = [
        {
            "phase": "joint",
            "step": 50 * i,
            "epoch": i,
            "time_ms": 0,
            "values": {"val/recall_at_1": metrics["recall_at_1"] * (1 - 0.6**i)},
        }
        for i in range(8)
    ]
    cost = {
        "parameters": 156_000,
        "train_seconds": 40.5,
        "predict_seconds": 1.2,
        "score_seconds": 0.1,
        "examples_per_second": 400.0,
        "peak_memory_bytes": 900 << 20,
    }
    return {
        **naming, "kind": "score", "status": "finished", "ended_ms": 1_760_000_100_000, "metrics": dict(metrics), "metric_specs": SPECS, "cost": cost,
        "deterministic": naming["role"] == "ceiling", "floor": naming["method"] == "chance", "examples": 300, "clusters": 300, "clusters_digest": "c0ffee", "evaluation_info": {"gallery": 300}, "generated": naming["dataset"].startswith("microworld"), "task_title": naming["task"].capitalize(),
        "task_summary": "Find the clip.", "protocol_doc": "One clip a story.", "summary": "Fuses both jointly.", "departures": "- one ``thing``\n  more", "versions": {"reelbench": "0.1.0"},
        "config": {"hidden": 64}, "origins": {"hidden": "preset tiny"}, "curve": curve if naming["role"] == "method" else [], "fingerprints": {"fits": [sha(naming)]},
        "validation": [{"phase": "joint", "benchmark": naming["benchmark"]}], "phases": [{"name": "joint", "relation": "captions"}],
        "paper": {"paper": {"title": "A paper", "authors": ["A. Author"], "venue": "ECCV", "year": 2018, "url": "javascript:alert(3)"}, "reported": [
            {"benchmark": naming["benchmark"], "variant": "full", "metric": "recall_at_1", "value": 0.102, "table": "2", "split": "test", "protocol": "1k-A", "misprint": True},
        ]} if naming["role"] == "method" else {},
    }  # fmt: skip


def _replicates(metrics: Mapping[str, float], label: str, clusters: int) -> dict[str, NDArray[np.float32]]:
    """Of clusters that every row finds equally hard, and of a noise of the row's own."""
    names = [f"story-{i}" for i in range(clusters)]
    hard, own = (
        np.random.default_rng(s).normal(0, 0.2, clusters) for s in (0, random.Random(label).randrange(1000))
    )
    noise = cluster_weights(names, 200) @ (hard + own / 2) / clusters
    return {name: (value + noise - noise.mean()).astype(np.float32) for name, value in metrics.items()}


def _write(artifact_uri: str, record: Mapping[str, Any], shown: Mapping[str, str]) -> None:
    folder = local_folder(artifact_uri)
    assert folder is not None
    (folder / "strips").mkdir(parents=True)
    (folder / "strips" / "best-0.jpg").write_bytes(PIXEL)
    (folder / "record.json").write_text(json.dumps(record))
    (folder / "sheet").mkdir()
    save_replicates(_replicates(record["metrics"], record["label"], record["clusters"]), folder / "sheet")
    kinds = ("best", "worst", "typical")
    examples = [
        {
            "id": f"story-{i}",
            "pick": k,
            "score": 1 - i / 2,
            "show": dict(shown),
            "strip": "strips/best-0.jpg",
            "cluster": "s",
        }
        for i, k in enumerate(kinds)
    ]
    (folder / "examples.json").write_text(json.dumps(examples))
