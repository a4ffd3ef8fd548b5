"""The fields of microworld's relations, as ``docs/data-contracts.md`` has them."""

from __future__ import annotations

from reelbench.data import Field

VIDEO = Field("video", "a clip")
WHOLE = Field("video", "the whole video")
VIDEOS = Field("video", "list of clips in order")
CONTENT = Field("opaque", "equal for the two renderings of one script")


def _text(name: str, doc: str) -> dict[str, Field]:
    return {
        name: Field("text", doc),
        f"{name}_pos": Field("opaque", f"universal part-of-speech tags of {name}"),
        f"{name}_head": Field("opaque", f"head indices of {name}, -1 for the root"),
    }


SCHEMAS: dict[str, dict[str, Field]] = {
    "clips": {"video": VIDEO, "content": CONTENT},
    "captions": {"video": VIDEO, **_text("sentence", "one sentence"), "content": CONTENT},
    "stories": {
        "videos": VIDEOS,
        **_text("sentences", "list of text, one a clip"),
        "video": WHOLE,
        "segments": Field("array", "(n, 2) seconds of the clips"),
    },
    "segments": {
        "video": WHOLE,
        **_text("query", "one sentence"),
        "duration_s": Field("number", "seconds of the video"),
        "candidates": Field("array", "(K, 2) seconds"),
        "chunk_s": Field("number", "seconds of a chunk"),
        "segments": Field("array", "(A, 2) seconds, one row an annotator", target=True),
        "span": Field("array", "(1, 2) the exact seconds", target=True),
    },
    "events": {
        "video": WHOLE,
        "duration_s": Field("number", "seconds of the video"),
        "segments": Field("array", "(n, 2) seconds", target=True),
        "labels": Field("array", "(n,) int indices into spaces['actions']", target=True),
    },
    "choices": {
        "video": VIDEO,
        **_text("choices", "list of text"),
        "answer": Field("number", "index of the right choice", target=True),
    },
    "blanks": {
        "video": VIDEO,
        **_text("sentence", "with one token _____"),
        "blank": Field("number", "position of the blank"),
        "word_class": Field(
            "opaque", "what the blank asks for: verb, object, colour, manner, direction or place"
        ),
        "answer": Field("opaque", "the word left out", target=True),
    },
    "sets": {
        "videos": VIDEOS,
        **_text("sentences", "list of text with names replaced by [someone]"),
        "mentions": Field("array", "(M, 2) int of (clip index, token index)"),
        "tracks": Field("video", "list of tracks"),
        "track_clip": Field("array", "(K,) int clip index"),
        "genders": Field("array", "(M,) int, 0 man, 1 woman"),
        "mention_identity": Field("array", "(M,) int", target=True),
        "track_identity": Field("array", "(K,) int", target=True),
        "mention_track": Field("array", "(M,) int index of the mention's track", target=True),
    },
    "gaze": {
        "video": VIDEO,
        "frames": Field("number", "frames to predict, evenly spaced"),
        "fixations": Field("array", "list of arrays (n, 2) of (x, y) in [0, 1)", target=True, sampled=True),
    },
    "tags": {
        "video": VIDEO,
        "labels": Field("array", "(n,) int indices into spaces['tags']", target=True),
    },
    "actions": {
        "video": VIDEO,
        "sentence": Field("text", "the action's name"),
        "label": Field("number", "index into spaces['actions']", target=True),
    },
    "text": _text("sentences", "list of text, a story told without pictures"),
}
