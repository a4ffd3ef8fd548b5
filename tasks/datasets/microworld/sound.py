"""Sound: the waveform of a story, made from the script: steps, voices, claps, thuds, and the hum of a place.

Who sings, shouts or whistles is heard only: the pixels of the three are the same.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from reelbench.tasks.datasets.microworld.script import FRAMES_PER_SECOND, STORY_FRAMES, Act, Story
from reelbench.tasks.datasets.microworld.sizes import Corpus
from reelbench.tasks.datasets.microworld.sprites import TEMPO
from reelbench.tasks.datasets.microworld.streams import Stream

SAMPLES_PER_FRAME = 500
SAMPLES_PER_SECOND = SAMPLES_PER_FRAME * FRAMES_PER_SECOND
SINE = np.array([round(127 * math.sin(2 * math.pi * i / 256)) for i in range(256)], np.int16)
HUM_HZ = tuple(52 + 32 * i for i in range(8))
VOICE_HZ = (340, 404, 468, 532)
WHISTLE_HZ = (788, 852, 916, 980)
"""The same voices, whistling."""
STEP_HZ, THUD_HZ = 596, 724
THUMP_HZ = {
    **dict.fromkeys(("walk", "carry", "run", "push", "dance"), STEP_HZ),
    **dict.fromkeys(("jump", "take", "drop", "lift"), THUD_HZ),
}
THUMP_AMPLITUDE, VOICE_AMPLITUDE, HUM_AMPLITUDE = 36, 40, 8
SHOUT_NOISE, FLIGHT_NOISE = 24, 12
FLOOR_NOISE = 2


def record(corpus: Corpus, story: Story, stage_name: str) -> NDArray[np.int8]:
    """The waveform of one rendering: ``(T * SAMPLES_PER_FRAME,)``; noise alone in a world without audio."""
    stream = Stream(corpus.seed, story.key, stage_name, "sound")
    tracks = np.zeros((3, 2, STORY_FRAMES), np.int32)  # hum, voice and thump: hertz and amplitude
    noise = np.full(STORY_FRAMES, FLOOR_NOISE, np.int32)
    for event in story.events if corpus.has("audio") else ():
        tracks[0, :, event.first : event.last] = [[HUM_HZ[event.place]], [HUM_AMPLITUDE]]
        for act in event.acts:
            _sound(act, event.looks[act.actor].voice, tracks[1], tracks[2], noise)
    loudness = stream.between(85, 110)
    total = sum(_tone(track) for track in tracks) + _hiss(stream, noise)
    return (total * loudness // 100).clip(-127, 127).astype(np.int8)


def _sound(
    act: Act, who: int, voice: NDArray[np.int32], thump: NDArray[np.int32], noise: NDArray[np.int32]
) -> None:
    verb, acting = act.deed.verb, slice(act.first, act.last)
    beats = np.arange(act.first, act.last, 2 * TEMPO[act.deed.step])
    if verb in {"sing", "whistle"}:
        hertz = VOICE_HZ if verb == "sing" else WHISTLE_HZ
        voice[:, acting] = [[hertz[who]], [VOICE_AMPLITUDE]]
    elif verb == "shout":
        bursts = slice(act.first, act.last, 2)
        voice[:, bursts] = [[VOICE_HZ[who]], [VOICE_AMPLITUDE]]
        noise[bursts] += SHOUT_NOISE
    elif verb == "clap":
        noise[beats] += THUMP_AMPLITUDE
    elif verb == "throw":
        noise[acting] += FLIGHT_NOISE
    elif verb in THUMP_HZ:
        thump[:, beats] = [[THUMP_HZ[verb]], [THUMP_AMPLITUDE]]


def _tone(track: NDArray[np.int32]) -> NDArray[np.int32]:
    """A tone of so many hertz and such an amplitude in each frame: ``(2, T)`` → ``(T * SAMPLES_PER_FRAME,)``."""
    hertz, amplitude = (np.repeat(row, SAMPLES_PER_FRAME) for row in track)
    phase = np.cumsum(hertz * 256) // SAMPLES_PER_SECOND & 255
    return SINE[phase].astype(np.int32) * amplitude // 127


def _hiss(stream: Stream, amplitude: NDArray[np.int32]) -> NDArray[np.int32]:
    noise = stream.generator.integers(-127, 128, size=STORY_FRAMES * SAMPLES_PER_FRAME, dtype=np.int8)
    return noise.astype(np.int32) * np.repeat(amplitude, SAMPLES_PER_FRAME) // 127
