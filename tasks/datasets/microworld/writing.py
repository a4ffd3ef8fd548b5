"""Writing a script: a plot's scenes get their seconds."""

from __future__ import annotations

import itertools

from reelbench.tasks.datasets.microworld.plots import Plot, Scene, kind_of, plot_family, swap_looks
from reelbench.tasks.datasets.microworld.script import (
    CLIP_FRAMES,
    STORY_FRAMES,
    Act,
    Event,
    Story,
)
from reelbench.tasks.datasets.microworld.sizes import FAMILY, Corpus
from reelbench.tasks.datasets.microworld.streams import Stream, short_hash

LEAD = 2
"""Frames in which nothing happens yet."""
ACT_FRAMES = (6, 12)
GAP = 1
ROOM = {"left": 60, "right": 60, "up": 48, "down": 48, "": 10_000}
"""Pixels that a movement may take."""


def write_story(corpus: Corpus, split: str, index: int) -> Story:
    """The script of a story; the same arguments always give the same one."""
    family, member = divmod(index, FAMILY)
    key = f"{split}/{index}"
    plot = plot_family(corpus, split, family)[member]
    stream = Stream(corpus.seed, key, "script")
    together = kind_of(split, family) != "chained"
    return Story(
        key,
        short_hash(corpus.seed, key),
        short_hash(corpus.seed, split, *(("family", family) if together else ("alone", index))),
        plot.cast,
        plot.things,
        _events(stream, corpus, plot),
    )


def _events(stream: Stream, corpus: Corpus, plot: Plot) -> tuple[Event, ...]:
    bounds = _bounds(stream, [len(scene.parts) for scene in plot.scenes])
    return tuple(
        _event(stream, corpus, plot, scene, span)
        for scene, span in zip(plot.scenes, itertools.pairwise(bounds), strict=True)
    )


def _bounds(stream: Stream, acts: list[int]) -> list[int]:
    """Cuts between clips of 4 to 8 seconds, long enough for their acts."""
    low, high = CLIP_FRAMES
    lows = [max(low, LEAD + n * (ACT_FRAMES[0] + GAP)) for n in acts]
    while True:
        lengths = [stream.between(least, high) for least in lows[:-1]]
        last = STORY_FRAMES - sum(lengths)
        if lows[-1] <= last <= high:
            return [sum([*lengths, last][:i]) for i in range(len(acts) + 1)]


def _event(stream: Stream, corpus: Corpus, plot: Plot, scene: Scene, span: tuple[int, int]) -> Event:
    spans = _act_spans(stream, span, len(scene.parts))
    acts = []
    for part, (first, last) in zip(scene.parts, spans, strict=True):
        longest = max(ROOM[part.deed.direction] // part.deed.step, 2)
        acts.append(Act(first, min(last, first + longest), part.actor, part.deed, part.recipient))
    teller = acts[scene.told].actor
    return Event(
        *span,
        scene.place,
        tuple(acts),
        scene.told,
        scene.visible,
        scene.holder,
        scene.treasure_seen,
        teller if corpus.has("gaze") else stream.pick(scene.visible),
        plot.cast if corpus.has("identity") else swap_looks(stream, plot.cast),
    )


def _act_spans(stream: Stream, span: tuple[int, int], count: int) -> list[tuple[int, int]]:
    """First and last frame (exclusive) of each act, one after the other with a gap."""
    (first, last), (shortest, longest) = span, ACT_FRAMES
    spare = last - first - LEAD - count * (shortest + GAP)
    start, spans = first + LEAD, []
    for left in range(count, 0, -1):
        extra = min(stream.between(0, 2 * spare // left), spare, longest - shortest)
        spare -= extra
        spans.append((start, start + shortest + extra))
        start += shortest + extra + GAP
    return spans
