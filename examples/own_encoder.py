"""An encoder of one's own: a clip's long-term average spectrum, and nothing learned.

From the folder that holds this file:

    vfsearch train --voice-encoder own_encoder:SpectrumEncoder

A package makes its encoders known by name in its own setup.py:

    entry_points={"vfsearch.encoders": ["spectrum = own_encoder:SpectrumEncoder"]}
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vfsearch.encoders.base import Encoder, unit_rows
from vfsearch.files import digest
from vfsearch.media.audio import read_audio
from vfsearch.media.limits import Limits
from vfsearch.media.preparation import Preparation, Prepared

SAMPLE_RATE_HZ = 16_000
WINDOW = 512


@dataclass(frozen=True)
class SpectrumPreparation(Preparation):
    """Runs in a decoding process, away from the network: file in, array out.

    Its fields are part of the encoder's fingerprint: rows made with other values are another space.

    Args:
        bands: numbers that describe a clip.
    """

    bands: int = 64

    def __call__(self, path: Path, start_seconds: float | None, end_seconds: float | None, limits: Limits) -> Prepared:
        """The (bands,) mean log spectrum of a clip; a file that cannot be read raises MediaError by itself."""
        samples = read_audio(path, SAMPLE_RATE_HZ, start_seconds, end_seconds, limits)
        samples = np.pad(samples, (0, -len(samples) % WINDOW))
        frames = samples.reshape(-1, WINDOW) * np.hanning(WINDOW)
        power = (np.abs(np.fft.rfft(frames, axis=1)) ** 2).mean(axis=0)
        bands = [part.mean() for part in np.array_split(power[1:], self.bands)]
        spectrum = np.log(np.array(bands) + 1e-8)
        return Prepared(sample=(spectrum - spectrum.mean()).astype(np.float32))


class SpectrumEncoder(Encoder):
    """Takes the prepared arrays of many files at once and gives one unit row each."""

    name = "spectrum"
    modality = "voice"
    dimension = 64
    licence = "MIT"
    preparation = SpectrumPreparation(bands=64)

    def encode(self, samples) -> np.ndarray:
        """(n, 64) float32 unit rows; a network would run here, in batches, on its device."""
        return unit_rows(np.stack(samples))

    def weights_digest(self) -> str:
        """What decides the rows beside the preparation: for a network, the SHA-256 of its weights file."""
        return digest("mean log spectrum, version 1")
