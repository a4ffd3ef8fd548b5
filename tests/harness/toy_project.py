"""A small plugin project on disk, whose files the tests edit to see what the edit changes.

Two methods: ``alpha`` (its recipe ``match`` starts from its recipe ``words``, which serves nothing) and ``beta``
(an ensemble of two). One task, whose rules are put off by name, and one dataset of two sizes. Nothing of it trains.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path
from textwrap import dedent

from reelbench.fingerprints import Reuse
from reelbench.plan import Plan, build_plan
from reelbench.registry import Registry, build_registry
from reelbench.suite import make_suite

FILES = {
    "__init__.py": '"""Toy."""\n',
    "alpha.py": '''
        import reelbench
        from reelbench import Config, Phase, Recipe, Upstream

        class Alpha(reelbench.Method):
            """Starts from its own words."""
            name = "alpha"
            modalities = ("frames",)
            class Config(Config):
                hidden: int = 8
                depth: int = 1
            class Predict(Config):
                beam: int = 1
            recipes = {
                "words": Recipe(phases=(Phase(name="read", relation="text", split="text", epochs=2),)),
                "match": Recipe(serves=("guessing",), phases=(Phase(name="joint", relation="captions", epochs=3),)),
            }
            variants = {"deep": {"depth": 2}, "wide-beam": {"predict.beam": 5}, "sound": {"hidden": 9}}
            presets = {"tiny": {"hidden": 4}, "paper": {}}

            def features(self, config, recipe):
                return ("frames", "audio") if config.hidden == 9 else self.modalities

            def upstream(self, config, recipe):
                return [Upstream(name="language", recipe="words")] if recipe == "match" else []

            def build(self, data, config):
                from toyplug.layers import Layer
                return Layer()
        ''',
    "beta.py": '''
        import reelbench
        from reelbench import Phase, Recipe
        from . import beta_layers

        class Beta(reelbench.Method):
            """An ensemble of two."""
            name = "beta"
            recipes = {"main": Recipe(serves=("guessing",), ensemble=2, phases=(Phase(name="main", relation="captions"),))}
        ''',
    "gamma.py": '''
        import reelbench

        class Gamma(reelbench.Method):
            """Counts."""
            name = "gamma"
            deterministic = True
            recipes = {"count": reelbench.Recipe(serves=("guessing",))}
        ''',
    "layers.py": "class Layer: pass\n",
    "beta_layers.py": "SIZE = 1\n",
    "unrelated.py": "X = 1\n",
    "guessing.py": '''
        import reelbench
        from reelbench import Metric

        RULES = "toyplug.guessing_rules"

        class Guessing(reelbench.Task):
            """Guess."""
            name, title, summary = "guessing", "Guessing", "Guess."
            inputs, prediction = {}, {}
            protocols = {"plain": "as it comes", "strict": "no help"}
            def metrics(self, protocol):
                return (Metric("hit", "Hit"),)
            def validate(self, predictions, evaluation): ...
            def measure(self, predictions, evaluation): ...
            def aggregate(self, sheet, weights): ...
            def ceiling_names(self, protocol):
                return ("human",) if protocol == "strict" else ()
        ''',
    "guessing_rules.py": "def measure(): return 1\n",
    "world.py": """
        import reelbench
        from reelbench import BenchmarkSpec, FeatureSpec

        SPECS = (BenchmarkSpec("guessing", "plain", ""), BenchmarkSpec("guessing", "strict", ""))

        class Opened(reelbench.Dataset):
            relations = {"captions": ("train",), "text": ("text",)}
            features = {"frames": FeatureSpec("frames", (4,), 1.0)}
            benchmarks = SPECS
            relation = evaluation = None
            def __init__(self, name, fingerprint):
                self.name, self._fingerprint = name, fingerprint
            @property
            def fingerprint(self):
                return self._fingerprint

        class Toy(reelbench.DatasetSource):
            name, title, sizes, default_size = "toy", "Toy", ("a", "b"), "a"
            def open(self, path, *, data_dir, cache_dir):
                return Opened(f"toy/{path}", f"files of {path}")
            def list_benchmarks(self):
                return SPECS
        """,
    "registration.py": """
        from toyplug.alpha import Alpha
        from toyplug.beta import Beta
        from toyplug.gamma import Gamma
        from toyplug.guessing import Guessing
        from toyplug.world import Toy

        def reelbench_methods():
            return [Alpha, Beta, Gamma]
        def reelbench_tasks():
            return [Guessing()]
        def reelbench_datasets():
            return [Toy()]
        """,
}


def write_project(root: Path) -> Path:
    """Write the package ``toyplug`` into ``root``."""
    folder = root / "toyplug"
    folder.mkdir()
    for name, source in FILES.items():
        (folder / name).write_text(dedent(source), encoding="utf-8")
    return folder


def project_registry() -> Registry:
    """The registry with that project's plugin only."""
    found = [EntryPoint("toy", "toyplug.registration", "reelbench")]
    return build_registry(found=found, strict=True)


def plan_of(
    registry: Registry,
    *,
    device: str = "cpu",
    fingerprints: dict[str, str] | None = None,
    reuse: Reuse = "exact",
    **suite: object,
) -> Plan:
    """The plan of a suite on the toy dataset; ``fingerprints`` replaces those of datasets by full name."""
    values = {
        "name": "s",
        "benchmarks": ["guessing@toy"],
        "methods": ["alpha", "beta"],
        "seeds": [0, 1],
    } | suite

    def open_dataset(name: str) -> object:
        opened = registry.dataset_source(name).open(
            name.partition("/")[2], data_dir=None, cache_dir=Path("/nonexistent")
        )
        opened._fingerprint = (fingerprints or {}).get(name, opened.fingerprint)  # type: ignore[attr-defined]
        return opened

    return build_plan(make_suite(values, "test"), registry, open_dataset, device=device, reuse=reuse)  # type: ignore[arg-type]


def fingerprints_of(plan: Plan) -> dict[str, str]:
    """Stage title → fingerprint; members of an ensemble share a title but not a seed."""
    return {s.title: s.fingerprint for s in plan.stages}


def compatibles_of(plan: Plan) -> dict[str, str]:
    """Stage title → fingerprint without versions and device."""
    return {s.title: s.spec["compatible"][s.kind] for s in plan.stages}
