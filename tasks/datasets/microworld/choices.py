"""Multiple choice: groups of five alike clips that share their five sentences.

Each sentence of a group is right for one of its clips and wrong for the four others, so that no sentence by itself
says whether it is the answer. A scene of a bound family is such a group (who does what is swapped, or what is heard
differs); clips of other stories are grouped by what they have in common, an action or an actor.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reelbench.data import Example
from reelbench.tasks.datasets.microworld.records import StoryRecord, list_fields
from reelbench.tasks.datasets.microworld.streams import Stream

CHOICES = 5
Item = tuple[StoryRecord, int, str]
"""A clip: its story, its number, its rendering."""


def choice_examples(stream: Stream, items: Sequence[Item]) -> Iterator[tuple[str, Example]]:
    """(cluster, question) for each clip that found a group; a clip may be there in one rendering only."""
    for group in _groups(stream, items):
        sentences = [stream.pick(story.captions(clip)) for story, clip, _ in group]
        for answer, (story, clip, rendering) in enumerate(group):
            order = stream.shuffled(range(CHOICES))
            fields = {
                "video": story.clip(rendering, clip),
                **list_fields("choices", [sentences[i] for i in order]),
            }
            example_id = f"{story.id}{rendering}-{clip}"
            yield story.family, Example(example_id, fields, {"answer": order.index(answer)})


def _groups(stream: Stream, items: Sequence[Item]) -> Iterator[list[Item]]:
    bound: dict[tuple[str, int], list[Item]] = {}
    for item in items:
        if item[0].kind == "bound":
            bound.setdefault((item[0].family, item[1]), []).append(item)
    yield from (group for group in bound.values() if len(group) == CHOICES)
    rest = stream.shuffled([item for item in items if item[0].kind != "bound"])
    half = len(rest) // 2
    for part, alike in ((rest[:half], _action), (rest[half:], _actor)):
        yield from _fill(sorted(part, key=alike))


def _fill(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Groups of five, no sentence of which holds for two, from items among which neighbours are alike."""
    open_groups: list[list[Item]] = []
    for item in items:
        fitting = [group for group in open_groups if all(_apart(item, other) for other in group)]
        group = fitting[0] if fitting else []
        if not fitting:
            open_groups.append(group)
        group.append(item)
        if len(group) == CHOICES:
            open_groups.remove(group)
            yield group


def _apart(one: Item, other: Item) -> bool:
    """Whether neither clip shows what the other's sentences tell."""
    (a, clip_a, _), (b, clip_b, _) = one, other
    return a.meaning(clip_a) not in b.meanings(clip_b) and b.meaning(clip_b) not in a.meanings(clip_a)


def _action(item: Item) -> int:
    return int(item[0].told(item[1])["action"])


def _actor(item: Item) -> str:
    return " ".join(item[0].told(item[1])["actor"][::-1])
