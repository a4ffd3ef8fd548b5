"""What microworld can evaluate, and which relations it has in which splits. Imports no numpy."""

from __future__ import annotations

from reelbench.dataset import BenchmarkSpec

BENCHMARKS = (
    BenchmarkSpec("captioning", "clip", "every clip, four references"),
    BenchmarkSpec("storytelling", "sentence", "five clips in order, two tellings, scored a sentence"),
    BenchmarkSpec("storytelling", "set", "five clips in order, two tellings, scored a story"),
    BenchmarkSpec(
        "multiple_choice",
        "choice",
        "five sentences that five alike clips share, each right for one; many swap who does what",
    ),
    BenchmarkSpec("fill_in_blank", "word", "one word of a sentence, over the training split's answers"),
    BenchmarkSpec("retrieval", "sentence", "one clip a story in the gallery, one sentence each"),
    BenchmarkSpec("retrieval", "paragraph", "whole stories in the gallery, five sentences each"),
    *(
        BenchmarkSpec("retrieval", f"observed-{n}", f"the first {n} of a story's five clips and sentences")
        for n in range(1, 5)
    ),
    *(
        BenchmarkSpec("retrieval", f"uniform-{k}", f"whole stories, in {k} equal parts instead of clips")
        for k in range(1, 5)
    ),
    BenchmarkSpec("localization", "candidates", "21 candidates of six chunks of 5 s, four annotators"),
    BenchmarkSpec("localization", "spans", "free spans in 30 s, the exact seconds of the clip"),
    BenchmarkSpec("detection", "events", "actions that training has, in a story of 30 s"),
    BenchmarkSpec("reidentification", "grounding", "five clips in order; mentions to tracks"),
    BenchmarkSpec("reidentification", "video", "five clips in order; tracks to tracks"),
    BenchmarkSpec("reidentification", "text", "five clips in order; mentions to mentions"),
    BenchmarkSpec("reidentification", "characters", "five clips in order; who each [someone] is"),
    BenchmarkSpec("tagging", "all-labels", "clips, long-tailed tags, many of which follow from two others"),
    BenchmarkSpec("action_recognition", "seen", "the seconds of acts of classes that training has"),
    BenchmarkSpec(
        "action_recognition", "unseen", "acts of classes that training has not, told by their names"
    ),
    BenchmarkSpec("gaze", "frames", "eight frames a clip, five simulated viewers, part of the stories"),
    BenchmarkSpec("reconstruction", "video", "every clip and its first thumbnail; the seven that follow"),
    BenchmarkSpec(
        "reconstruction",
        "sentence",
        "a sentence of every clip and its first thumbnail; the seven that follow",
    ),
    BenchmarkSpec("reconstruction", "caption", "a sentence of every clip; its others are references"),
)

LABELLED = ("train", "validation")
RELATIONS = {
    "clips": (*LABELLED, "unlabelled"),
    "captions": LABELLED,
    "stories": LABELLED,
    "segments": LABELLED,
    "events": LABELLED,
    "choices": LABELLED,
    "blanks": LABELLED,
    "sets": LABELLED,
    "gaze": LABELLED,
    "tags": LABELLED,
    "actions": LABELLED,
    "text": ("text", "train"),
}
