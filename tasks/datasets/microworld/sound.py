"""Sound: the waveform of a story, made from the script: steps, voices, claps, thuds, and the hum of a place."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from reelbench.tasks.datasets.microworld.script import FRAMES_PER_SECOND, STORY_FRAMES, Event, Story
from reelbench.tasks.datasets.microworld.sizes import Corpus
from reelbench.tasks.datasets.microworld.staging import TEMPO
from reelbench.tasks.datasets.microworld.streams import Stream

SAMPLES_PER_FRAME = 500
SAMPLES_PER_SECOND = SAMPLES_PER_FRAME * FRAMES_PER_SECOND
SINE = np.array([round(127 * math.sin(2 * math.pi * i / 256)) for i in range(256)], np.int16)
HUM_HZ = tuple(52 + 32 * i for i in range(8))
VOICE_HZ = (340, 404, 468, 532)
STEP_HZ, THUD_HZ = 596, 724
THUMP_HZ = {
    **dict.fromkeys(("walk", "carry", "run", "push", "dance"), STEP_HZ),
    **dict.fromkeys(("jump", "take", "drop"), THUD_HZ),
}
THUMP_AMPLITUDE, VOICE_AMPLITUDE, HUM_AMPLITUDE = 36, 40, 8


def record(corpus: Corpus, story: Story, stage_name: str) -> NDArray[np.int8]:
    """The waveform of one rendering: ``(T * SAMPLES_PER_FRAME,)``."""
    stream = Stream(corpus.seed, story.key, stage_name, "sound")
    hum, voice, thump, noise = (np.zeros((2, STORY_FRAMES), np.int32) for _ in range(4))
    for event in story.events:
        hum[:, event.first : event.last] = [[HUM_HZ[event.place]], [HUM_AMPLITUDE]]
        beats = np.arange(event.action_first, event.action_last, 2 * TEMPO[event.step])
        _sound(event, beats, story, voice, thump, noise)
    loudness = stream.between(85, 110)
    total = sum(_tone(track) for track in (hum, voice, thump)) + _hiss(stream, noise[1])
    return (total * loudness // 100).clip(-127, 127).astype(np.int8)


def _sound(
    event: Event,
    beats: NDArray[np.int64],
    story: Story,
    voice: NDArray[np.int32],
    thump: NDArray[np.int32],
    noise: NDArray[np.int32],
) -> None:
    acting = slice(event.action_first, event.action_last)
    if event.verb == "sing":
        voice[:, acting] = [[VOICE_HZ[story.cast[event.actor].voice]], [VOICE_AMPLITUDE]]
    if event.verb == "clap":
        noise[1, beats] = THUMP_AMPLITUDE
    if event.verb == "throw":
        noise[1, acting] = THUMP_AMPLITUDE // 3
    if event.verb in THUMP_HZ:
        thump[:, beats] = [[THUMP_HZ[event.verb]], [THUMP_AMPLITUDE]]


def _tone(track: NDArray[np.int32]) -> NDArray[np.int32]:
    """A tone of so many hertz and such an amplitude in each frame: ``(2, T)`` → ``(T * SAMPLES_PER_FRAME,)``."""
    hertz, amplitude = (np.repeat(row, SAMPLES_PER_FRAME) for row in track)
    phase = np.cumsum(hertz * 256) // SAMPLES_PER_SECOND & 255
    return SINE[phase].astype(np.int32) * amplitude // 127


def _hiss(stream: Stream, amplitude: NDArray[np.int32]) -> NDArray[np.int32]:
    noise = stream.generator.integers(-127, 128, size=STORY_FRAMES * SAMPLES_PER_FRAME, dtype=np.int8)
    return noise.astype(np.int32) * np.repeat(amplitude + 2, SAMPLES_PER_FRAME) // 127
