"""Draws the page: gathers its parts from a corpus and fills the template."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reelbench.dataset import Finding
from reelbench.tasks.datasets.microworld.page.bound import bound_view
from reelbench.tasks.datasets.microworld.page.chained import story_view
from reelbench.tasks.datasets.microworld.page.choosing import (
    SPLIT,
    family_members,
    first_families,
    richest_story,
)
from reelbench.tasks.datasets.microworld.page.costs import costs
from reelbench.tasks.datasets.microworld.page.distributions import charts
from reelbench.tasks.datasets.microworld.page.information import information_groups
from reelbench.tasks.datasets.microworld.page.sequel import sequel_view
from reelbench.tasks.datasets.microworld.records import StoryRecord
from reelbench.tasks.datasets.microworld.sizes import CONTROLS, VERSION

if TYPE_CHECKING:
    from reelbench.tasks.datasets.microworld.dataset import Microworld

TEMPLATES = Environment(
    loader=PackageLoader("reelbench.tasks.datasets.microworld.page"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def build_page(dataset: Microworld, findings: Iterable[Finding]) -> str:
    """The whole page as HTML; ``findings`` are the information rows, none for a control world."""
    records = {str(record.content["key"]): record for record in dataset.stories(SPLIT)}
    style = TEMPLATES.get_template("style.css").render()
    return TEMPLATES.get_template("page.html").render(
        style=Markup(style),
        name=dataset.name,
        version=VERSION,
        control=CONTROLS.get(dataset.corpus.control, ""),
        stories=dataset.corpus.stories,
        charts=charts(dataset, dataset.corpus, list(records.values())),
        information=information_groups(findings),
        costs=costs(dataset.corpus),
        **_families(dataset, records),
    )


def _families(dataset: Microworld, records: Mapping[str, StoryRecord]) -> dict[str, Any]:
    """A family of each kind that the corpus has; ``None`` for others."""
    families = {
        kind: family_members(dataset.corpus, family, records)
        for kind, family in first_families(dataset.corpus).items()
    }
    alone, bound, sequel = (families.get(kind) for kind in ("chained", "bound", "sequel"))
    return {
        "chained": story_view(dataset, richest_story(dataset.corpus, records)) if alone else None,
        "bound": bound_view(dataset, bound) if bound else None,
        "sequel": sequel_view(dataset, sequel) if sequel else None,
    }
