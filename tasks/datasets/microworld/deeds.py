"""Drawing deeds: what somebody may do here, and a twin of a deed that differs in one thing."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence

from reelbench.tasks.datasets.microworld.script import Deed
from reelbench.tasks.datasets.microworld.sizes import Corpus
from reelbench.tasks.datasets.microworld.streams import Stream
from reelbench.tasks.datasets.microworld.world import (
    DIRECTIONS,
    HEARD_ONLY,
    MANNERS,
    UNSEEN_ACTIONS,
    VERBS,
    Verb,
)

VERB_WEIGHTS = {
    "walk": 5,
    "run": 4,
    "push": 6,
    "throw": 5,
    "lift": 4,
    "carry": 5,
    "take": 5,
    "give": 4,
    "drop": 2,
}
PLAIN_WEIGHT = 3
PROP_WEIGHTS = (8, 6, 4, 3, 2)
"""How often a story's objects other than its treasure take part."""


@dataclasses.dataclass(frozen=True, slots=True)
class Possible:
    """What can be done in a story: its objects, whether unseen actions may occur, and what the world lacks."""

    corpus: Corpus
    things: Sequence[str]
    unseen: bool

    def verbs(self, needs: Collection[str], without: Collection[str] = ()) -> list[Verb]:
        """Verbs that need one of these (``""``, ``prop``, ``held``, ``ground``), except some."""
        silent = () if self.corpus.has("audio") else HEARD_ONLY
        kinds = set(needs) if self.corpus.has("objects") else {""}
        return [
            verb
            for verb in VERBS.values()
            if verb.needs in kinds and verb.name not in without and verb.name not in silent
        ]

    def draw(
        self, stream: Stream, needs: Collection[str] = ("", "prop"), without: Collection[str] = ()
    ) -> Deed:
        """A deed of one of these verbs."""
        verbs = self.verbs(needs, without)
        weights = [VERB_WEIGHTS.get(verb.name, PLAIN_WEIGHT) for verb in verbs]
        while True:
            deed = self._of(stream, stream.weighted(verbs, weights))
            if self._allowed(deed):
                return deed

    def twin(self, stream: Stream, deed: Deed) -> Deed:
        """A deed that differs in one thing: what is heard, the way, the object, or the verb."""
        verb = VERBS[deed.verb]
        if deed.verb in HEARD_ONLY:
            return Deed(stream.pick([name for name in HEARD_ONLY if name != deed.verb]))
        if verb.directed:
            ways = [dataclasses.replace(deed, direction=way) for way in DIRECTIONS if way != deed.direction]
            return stream.pick([way for way in ways if self._allowed(way)])
        if verb.needs == "prop":
            return dataclasses.replace(
                deed, thing=stream.pick([t for t in self.things[1:] if t != deed.thing])
            )
        return self.draw(stream, ("",), (deed.verb,))

    def _of(self, stream: Stream, verb: Verb) -> Deed:
        thing = ""
        if verb.needs:
            thing = (
                self.things[0] if verb.handles_treasure else stream.weighted(self.things[1:], PROP_WEIGHTS)
            )
        direction = stream.pick(DIRECTIONS) if verb.directed else ""
        return Deed(verb.name, direction, stream.pick(MANNERS) if verb.mannered else "", thing)

    def _allowed(self, deed: Deed) -> bool:
        return self.unseen or deed.action not in UNSEEN_ACTIONS
