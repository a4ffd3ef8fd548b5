"""Multiple choice: groups of five alike clips that share their five sentences.

Each sentence of a group is right for one of its clips and wrong for the four others, so that no sentence by itself
says whether it is the answer. Half of the stories are such a group themselves (same people, same object), the other
groups have their action or their actor in common.
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
    """(story id, question) for each clip that found a group."""
    for group in _groups(stream, items):
        sentences = [stream.pick(story.captions(clip)) for story, clip, _ in group]
        for answer, (story, clip, rendering) in enumerate(group):
            order = stream.shuffled(range(CHOICES))
            fields = {
                "video": story.clip(rendering, clip),
                **list_fields("choices", [sentences[i] for i in order]),
            }
            example_id = f"{story.id}{rendering}-{clip}"
            yield story.id, Example(example_id, fields, {"answer": order.index(answer)})


def _groups(stream: Stream, items: Sequence[Item]) -> Iterator[list[Item]]:
    by_story: dict[tuple[str, str], list[Item]] = {}
    for item in items:
        by_story.setdefault((item[0].id, item[2]), []).append(item)
    rest: list[Item] = []
    for group in by_story.values():
        if len({_meaning(item) for item in group}) == CHOICES and stream.chance(50):
            yield group
        else:
            rest += group
    half = stream.shuffled(rest)
    for part, alike in ((half[::2], _action), (half[1::2], _actor)):
        yield from _fill(sorted(part, key=alike))


def _fill(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Groups of five of different meaning, from items among which neighbours are alike."""
    open_groups: list[list[Item]] = []
    for item in items:
        fitting = [group for group in open_groups if _meaning(item) not in map(_meaning, group)]
        group = fitting[0] if fitting else []
        if not fitting:
            open_groups.append(group)
        group.append(item)
        if len(group) == CHOICES:
            open_groups.remove(group)
            yield group


def _meaning(item: Item) -> tuple[object, ...]:
    return item[0].meaning(item[1])


def _action(item: Item) -> int:
    return int(item[0].clips[item[1]]["action"])


def _actor(item: Item) -> str:
    return " ".join(item[0].clips[item[1]]["actor"][::-1])
