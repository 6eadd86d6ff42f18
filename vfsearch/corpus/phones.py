"""The sounds that generated speech is made of, and random sentences of them."""

import numpy as np

_VOWELS = {
    # name: the first three formants of an average tract, in Hz
    "i": (290, 2250, 2950),
    "e": (430, 2000, 2650),
    "E": (580, 1750, 2500),
    "a": (740, 1250, 2500),
    "o": (480, 900, 2450),
    "u": (320, 850, 2300),
    "V": (620, 1200, 2500),
    "@": (500, 1500, 2500),
}
_SONORANTS = {
    # name: formants, voicing, murmur
    "m": (260, 1100, 2200, 0.45, 0.6),
    "n": (260, 1600, 2600, 0.45, 0.6),
    "l": (360, 1150, 2700, 0.7, 0.0),
    "r": (420, 1300, 1750, 0.7, 0.0),
    "w": (310, 700, 2300, 0.7, 0.0),
    "j": (270, 2200, 3000, 0.7, 0.0),
}
_NOISES = {
    # name: formants around it, voicing, frication, its centre and width in Hz
    "s": (320, 1700, 2600, 0.0, 0.11, 6000, 1100),
    "S": (320, 1800, 2500, 0.0, 0.12, 3600, 900),
    "f": (340, 1100, 2300, 0.0, 0.04, 5000, 3000),
    "z": (320, 1700, 2600, 0.4, 0.06, 6000, 1100),
    "v": (340, 1100, 2300, 0.5, 0.03, 5000, 3000),
    "b": (300, 800, 2200, 0.15, 0.05, 1000, 700),
    "d": (300, 1700, 2600, 0.15, 0.06, 4200, 1000),
    "t": (300, 1700, 2600, 0.0, 0.12, 4500, 1200),
    "k": (300, 1900, 2400, 0.0, 0.1, 2000, 600),
}
_STOPS = "bdtk"


def _rows() -> dict[str, tuple[float, ...]]:
    """Each sound as one row of `PHONES`."""
    rows = {" ": (500.0, 1500.0, 2500.0, 0.0, 0.0, 0.0, 4000.0, 1000.0, 0.0)}
    rows |= {name: (*formants, 1.0, 1.0, 0.0, 4000.0, 1000.0, 0.0) for name, formants in _VOWELS.items()}
    rows |= {name: (*row[:3], row[3], row[3], 0.0, 4000.0, 1000.0, row[4]) for name, row in _SONORANTS.items()}
    rows |= {name: (*row[:3], row[3], row[3], *row[4:], 0.0) for name, row in _NOISES.items()}
    rows["h"] = (500.0, 1500.0, 2500.0, 0.15, 2.5, 0.0, 4000.0, 1000.0, 0.0)
    rows["."] = (300.0, 1500.0, 2500.0, 0.0, 0.0, 0.0, 4000.0, 1000.0, 0.0)
    return rows


_ROWS = _rows()
_NUMBERS = {name: number for number, name in enumerate(_ROWS)}
PHONES = np.array(list(_ROWS.values()))
"""(phones, 9) float64: three formants in Hz, voicing, breath, frication, its centre and width in Hz, nasal murmur."""


def draw_sentence(frames: int, frame_rate_hz: float, rate: float, rng: np.random.Generator) -> np.ndarray:
    """Which sound is made in each frame: random syllables in words, words with a rare short pause.

    Args:
        frames: length of the sentence.
        frame_rate_hz: frames a second.
        rate: speaking rate, 1 for average.
        rng: chooses sounds and their lengths.
    Returns:
        (frames,) row numbers of `PHONES`.
    """
    numbers: list[int] = []
    while len(numbers) < frames:
        for name, seconds in _draw_word(rng):
            length = max(1, round(seconds * frame_rate_hz / rate * rng.uniform(0.75, 1.3)))
            numbers += [_NUMBERS[name]] * length
    return np.array(numbers[:frames])


def _draw_word(rng: np.random.Generator) -> list[tuple[str, float]]:
    """One to three syllables as (sound, seconds), with a short pause after one word in five."""
    sounds = [sound for _ in range(rng.integers(1, 4)) for sound in _draw_syllable(rng)]
    return [*sounds, (" ", 0.12)] if rng.random() < 0.2 else sounds


def _draw_syllable(rng: np.random.Generator) -> list[tuple[str, float]]:
    sounds = _draw_onset(rng)
    sounds.append((str(rng.choice(list(_VOWELS))), 0.12))
    if rng.random() < 0.35:
        sounds.append((str(rng.choice([*"mnlrsz"])), 0.06))
    return sounds


def _draw_onset(rng: np.random.Generator) -> list[tuple[str, float]]:
    onset = str(rng.choice([*_SONORANTS, *_NOISES, "h"]))
    if onset in _STOPS:
        return [(".", 0.045), (onset, 0.016)]
    return [(onset, 0.07)]
