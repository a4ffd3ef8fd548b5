"""Identity: who is who across the clips of a story."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from itertools import combinations

from reelbench.tasks.datasets.microworld.information.rows import Claim, Item
from reelbench.tasks.datasets.microworld.information.worlds import Habit, World
from reelbench.tasks.datasets.microworld.script import Story

Track = tuple[int, int]
"""(clip, person)."""
Pair = tuple[Track, Track]


def same_person(world: World) -> Iterator[Item]:
    """Whether tracks of two clips are of one person, by an oracle that sees looks, or gender and who has the treasure.

    Both answer what is most frequent in training where they see the same.
    """
    seen = [(story, pair) for story in world.train for pair in pairs_of_tracks(story)]
    with_looks = Habit.learn((_evidence(story, pair), _is_one(pair)) for story, pair in seen)
    without = Habit.learn((_context(story, pair), _is_one(pair)) for story, pair in seen)
    for story in world.test:
        for pair in pairs_of_tracks(story):
            guesses = (
                with_looks.guess(_evidence(story, pair)),
                without.guess(_context(story, pair)),
                without.overall,
            )
            yield Item(story.family, *(float(guess == _is_one(pair)) for guess in guesses))


def pairs_of_tracks(story: Story) -> Iterator[Pair]:
    """Tracks of two clips; those of one clip are of two people anyway."""
    tracks = [(clip, person) for clip, event in enumerate(story.events) for person in sorted(event.visible)]
    return ((a, b) for a, b in combinations(tracks, 2) if a[0] != b[0])


def _is_one(pair: Pair) -> bool:
    return pair[0][1] == pair[1][1]


def _evidence(story: Story, pair: Pair) -> Hashable:
    """What is known of two tracks: whether they look alike, and the rest."""
    looks = [story.events[clip].looks[person] for clip, person in pair]
    faces, shirts = [{(p.skin, p.hair) for p in looks}, {p.shirt for p in looks}]
    return len(faces), len(shirts), _context(story, pair)


def _context(story: Story, pair: Pair) -> Hashable:
    """What is known of two tracks without face and shirt."""
    genders = {story.cast[person].gender for _, person in pair}
    holds = [story.events[clip].holder == person for clip, person in pair]
    return len(genders), *holds, pair[1][0] - pair[0][0]


CLAIMS = (
    Claim(
        "looks tell who is who",
        "CiSIN",
        "reidentification:video",
        "accuracy of pairs of clips' tracks",
        "identity",
        "turned or cropped people, shared clothes or shared faces",
        same_person,
    ),
)
