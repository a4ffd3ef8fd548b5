"""Examples with their answers, one builder a kind; relations and evaluation sets are both made of them.

Every builder yields pairs of a cluster of statistics, which is a story or the stories that share its people and
events, and an example.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from reelbench.data import Clip, Example
from reelbench.tasks.datasets.microworld.choices import choice_examples
from reelbench.tasks.datasets.microworld.galleries import QUERY_BUILDERS
from reelbench.tasks.datasets.microworld.gaze import GAZE_FRAMES
from reelbench.tasks.datasets.microworld.moments import moment_examples
from reelbench.tasks.datasets.microworld.reconstruction import Read, drawn, retold
from reelbench.tasks.datasets.microworld.records import StoryRecord, list_fields
from reelbench.tasks.datasets.microworld.sets import set_example
from reelbench.tasks.datasets.microworld.sprites import FRAME_SIZE
from reelbench.tasks.datasets.microworld.streams import Stream, short_hash
from reelbench.tasks.datasets.microworld.world import ACTIONS, SEEN_ACTIONS

BLANK = "_____"
UNKNOWN_POS = "X"
Takes = Sequence[tuple[StoryRecord, str]]
"""Stories with the rendering in which each is shown."""
Pairs = Iterator[tuple[str, Example]]


def content_of(story: StoryRecord, clip: int) -> str:
    """Equal for clips of which the same is told: renderings of a script, and scenes that a family repeats."""
    if not story.is_annotated:
        return f"{story.id}-{clip}"
    told = story.told(clip)
    return short_hash(
        story.family, story.clips[clip]["place"], story.meaning(clip), told["manner"], length=12
    )


def clips(takes: Takes) -> Pairs:
    """Clips alone."""
    for story, rendering in takes:
        for clip in range(len(story.spans)):
            fields = {"video": story.clip(rendering, clip), "content": content_of(story, clip)}
            yield story.family, Example(f"{story.id}{rendering}-{clip}", fields)


def captions(takes: Takes) -> Pairs:
    """Every sentence of every clip."""
    for story, rendering in takes:
        for clip in range(len(story.spans)):
            shown = {"video": story.clip(rendering, clip), "content": content_of(story, clip)}
            for k, words in enumerate(story.captions(clip)):
                fields = {**shown, **words.fields("sentence")}
                yield story.family, Example(f"{story.id}{rendering}-{clip}-{k}", fields)


def references(takes: Takes) -> Pairs:
    """Clips with all their sentences as references."""
    for story, rendering in takes:
        for clip in range(len(story.spans)):
            answers = {"references": [words.text for words in story.captions(clip)]}
            yield (
                story.family,
                Example(f"{story.id}{rendering}-{clip}", {"video": story.clip(rendering, clip)}, answers),
            )


def stories(takes: Takes) -> Pairs:
    """Whole stories with each of their tellings."""
    for story, rendering in takes:
        if not story.tellings():
            continue
        shown = {**_sequence(story, rendering), "video": story.video(rendering), "segments": story.segments()}
        for k, telling in enumerate(story.tellings()):
            yield (
                story.family,
                Example(f"{story.id}{rendering}-{k}", {**shown, **list_fields("sentences", telling)}),
            )


def sequences(takes: Takes) -> Pairs:
    """Whole stories with all tellings as references."""
    for story, rendering in takes:
        by_clip = zip(*story.tellings(), strict=True)
        answers = {"references": [[words.text for words in tellings] for tellings in by_clip]}
        yield story.family, Example(f"{story.id}{rendering}", _sequence(story, rendering), answers)


def _sequence(story: StoryRecord, rendering: str) -> dict[str, object]:
    return {"videos": [story.clip(rendering, clip) for clip in range(len(story.spans))]}


def segments(takes: Takes, *, spans: bool = False) -> Pairs:
    """Sentences to find in a story."""
    for story, rendering in takes:
        yield from moment_examples(story, rendering, spans=spans)


def events(takes: Takes) -> Pairs:
    """Actions that training has, with their own seconds in the story, told or not."""
    for story, rendering in takes:
        acts = [act for facts in story.clips for act in facts["acts"] if act["action"] < len(SEEN_ACTIONS)]
        answers = {
            "segments": np.array([act["acting"] for act in acts], np.float64).reshape(-1, 2),
            "labels": np.array([act["action"] for act in acts], np.int64),
        }
        fields = {"video": story.video(rendering), "duration_s": story.spans[-1][1]}
        yield story.family, Example(f"{story.id}{rendering}", fields, answers)


def choices(takes: Takes) -> Pairs:
    """Questions with five sentences, for each rendering by itself where there are two; see :mod:`.choices`."""
    twice = len(takes) > len({story.id for story, _ in takes})
    for rendering in sorted({rendering for _, rendering in takes}) if twice else [""]:
        items = [(s, clip, r) for s, r in takes if rendering in ("", r) for clip in range(len(s.spans))]
        stream = Stream(items[0][0].corpus.seed, items[0][0].id, rendering, "choices")
        yield from choice_examples(stream, items)


def blanks(takes: Takes, *, per_clip: int) -> Pairs:
    """Sentences with one word left out, of a kind that the pixels decide."""
    for story, rendering in takes:
        stream = story.stream("blanks")
        for clip in range(len(story.spans)):
            for k, words in enumerate(story.captions(clip)[:per_clip]):
                place, word_class = stream.pick(words.slots)
                text = words.fields("sentence")
                text["sentence"] = _replaced(text["sentence"], place, BLANK)
                text["sentence_pos"] = _replaced(text["sentence_pos"], place, UNKNOWN_POS)
                fields = {
                    "video": story.clip(rendering, clip),
                    **text,
                    "blank": place,
                    "word_class": word_class,
                }
                answer = {"answer": words.tokens[place]}
                yield story.family, Example(f"{story.id}{rendering}-{clip}-{k}", fields, answer)


def _replaced(words: tuple[str, ...], place: int, word: str) -> tuple[str, ...]:
    return (*words[:place], word, *words[place + 1 :])


def sets(takes: Takes, *, genders: bool) -> Pairs:
    """Sets of clips with mentions and tracks."""
    for story, rendering in takes:
        yield set_example(story, rendering, genders=genders)


def tags(takes: Takes) -> Pairs:
    """Clips with their tags."""
    for story, rendering in takes:
        for clip, facts in enumerate(story.clips):
            answers = {"labels": np.array(facts["tags"], np.int64)}
            fields = {"video": story.clip(rendering, clip)}
            yield story.family, Example(f"{story.id}{rendering}-{clip}", fields, answers)


def actions(takes: Takes, *, named: bool, unseen: bool = False) -> Pairs:
    """The seconds of an act with its class: with its name, or with the names of all classes to choose from."""
    names = [tuple(name.split()) for name in ACTIONS]
    for story, rendering in takes:
        acts = [act for facts in story.clips for act in facts["acts"]]
        for number, act in enumerate(acts):
            label = act["action"]
            if (label >= len(SEEN_ACTIONS)) != unseen:
                continue
            text = {"sentence": names[label]} if named else {"labels": names}
            fields = {"video": Clip(story.id + rendering, *act["acting"]), **text}
            yield story.family, Example(f"{story.id}{rendering}-{number}", fields, {"label": label})


def gaze(takes: Takes) -> Pairs:
    """Clips of the watched stories with fixations, in [0, 1) of the frame."""
    for story, rendering in takes:
        for clip, frames in enumerate(story.content.get("gaze", {}).get(rendering, ())):
            fixations = [(np.array(points, np.float64) + 0.5) / FRAME_SIZE for points in frames]
            fields = {"video": story.clip(rendering, clip), "frames": GAZE_FRAMES}
            yield story.family, Example(f"{story.id}{rendering}-{clip}", fields, {"fixations": fixations})


RELATION_BUILDERS: dict[str, Callable[[Takes], Pairs]] = {
    "clips": clips,
    "captions": captions,
    "stories": stories,
    "segments": segments,
    "events": events,
    "choices": choices,
    "blanks": partial(blanks, per_clip=4),
    "sets": partial(sets, genders=True),
    "gaze": gaze,
    "tags": tags,
    "actions": partial(actions, named=True),
}
EVALUATION_BUILDERS: dict[tuple[str, str], Callable[[Takes], Pairs]] = {
    ("captioning", "clip"): references,
    ("storytelling", "sentence"): sequences,
    ("storytelling", "set"): sequences,
    ("multiple_choice", "choice"): choices,
    ("fill_in_blank", "word"): partial(blanks, per_clip=1),
    **QUERY_BUILDERS,
    ("localization", "candidates"): segments,
    ("localization", "spans"): partial(segments, spans=True),
    ("detection", "events"): events,
    **{
        ("reidentification", p): partial(sets, genders=False)
        for p in ("grounding", "video", "text", "characters")
    },
    ("tagging", "all-labels"): tags,
    ("action_recognition", "seen"): partial(actions, named=False),
    ("action_recognition", "unseen"): partial(actions, named=False, unseen=True),
    ("gaze", "frames"): gaze,
    ("reconstruction", "caption"): retold,
}
READING_BUILDERS: dict[tuple[str, str], Callable[[Takes, Read], Pairs]] = {
    ("reconstruction", "video"): partial(drawn, told=False),
    ("reconstruction", "sentence"): partial(drawn, told=True),
}
"""Those whose answers are features, which they read."""
