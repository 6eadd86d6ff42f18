"""Resemblyzer's voice encoder, in batches, from the weights that its package ships."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vfsearch.encoders.base import Encoder, unit_rows
from vfsearch.encoders.inference import inference
from vfsearch.encoders.installed import installed_file
from vfsearch.encoders.mel import mel_spectrogram
from vfsearch.encoders.speech import RATE_HZ, raise_volume, trim_silence
from vfsearch.files import read_file, sha256
from vfsearch.media.audio import read_audio
from vfsearch.media.limits import Limits
from vfsearch.media.preparation import Preparation, Prepared

if TYPE_CHECKING:
    import torch

PIP_LINE = "pip install webrtcvad-wheels && pip install --no-deps resemblyzer"

MEL_CHANNELS = 40
MEL_WINDOW_SAMPLES = 400
MEL_STEP_SAMPLES = 160
WINDOW_FRAMES = 160
WINDOW_STEP_FRAMES = 77  # 1.3 windows a second
LEAST_COVERAGE = 0.75
HIDDEN = 256
LAYERS = 3
# few windows at once stay in a processor's caches; a GPU wants more
WINDOWS_AT_ONCE_CPU, WINDOWS_AT_ONCE_GPU = 48, 512


@dataclass(frozen=True)
class ResemblyzerPreparation(Preparation):
    """Clip -> (160 + 77 (w - 1), 40) float32: the mel frames of its w overlapping windows of 1.6 s."""

    def __call__(self, path: Path, start_seconds: float | None, end_seconds: float | None, limits: Limits) -> Prepared:
        """Resample to 16 kHz, raise the volume, cut the silence out, take mel frames."""
        samples = read_audio(path, RATE_HZ, start_seconds, end_seconds, limits)
        speech = trim_silence(raise_volume(samples))
        return Prepared(sample=mel_frames(speech), seconds=len(samples) / RATE_HZ)


def mel_frames(speech: np.ndarray) -> np.ndarray:
    """Exactly the mel frames that whole windows cover; a last window with less than 3/4 of speech is left out.

    Args:
        speech: (n,) float32 at 16 kHz.
    Returns:
        (160 + 77 (w - 1), 40) float32, w >= 1.
    Source: Resemblyzer 0.1.4, `compute_partial_slices` with its default rate and coverage.
    """
    frames = -(-(len(speech) + 1) // MEL_STEP_SAMPLES)
    windows = 1 + max(0, frames - WINDOW_FRAMES + WINDOW_STEP_FRAMES) // WINDOW_STEP_FRAMES
    last_start = (windows - 1) * WINDOW_STEP_FRAMES
    covered = len(speech) / MEL_STEP_SAMPLES - last_start
    if windows > 1 and covered < LEAST_COVERAGE * WINDOW_FRAMES:
        last_start -= WINDOW_STEP_FRAMES
    stop = last_start + WINDOW_FRAMES
    padded = np.pad(speech, (0, max(0, stop * MEL_STEP_SAMPLES - len(speech))))
    return mel_spectrogram(padded, RATE_HZ, MEL_WINDOW_SAMPLES, MEL_STEP_SAMPLES, MEL_CHANNELS)[:stop]


class Resemblyzer(Encoder):
    """The 256-d speaker encoder of Wan et al. 2018 (generalized end-to-end loss) that Resemblyzer ships.

    A row is the mean of the rows of the clip's windows, made unit length.

    Args:
        device: where the network runs, in torch's words.
    """

    name = "resemblyzer"
    modality = "voice"
    dimension = 256
    licence = "Apache-2.0"
    concurrent = True

    def __init__(self, device: str = "cpu") -> None:
        self.device = device
        self.preparation = ResemblyzerPreparation()

    @cached_property
    def _weights(self) -> bytes:
        return read_file(installed_file("resemblyzer", "pretrained.pt", PIP_LINE), "weights of Resemblyzer")

    @cached_property
    def _network(self) -> "torch.nn.ModuleDict":
        return _load_network(self._weights).to(self.device)

    def weights_digest(self) -> str:
        """SHA-256 of `pretrained.pt`."""
        return sha256(self._weights)

    def encode(self, samples: Sequence[np.ndarray]) -> np.ndarray:
        """The rows of some clips; their windows go through the network together."""
        if not len(samples):
            return np.empty((0, self.dimension), np.float32)
        windows = [_windows(sample) for sample in samples]
        starts = np.cumsum([0, *map(len, windows[:-1])])
        rows = self._window_rows(np.concatenate(windows))
        # the sum is in the direction of the mean
        return unit_rows(np.add.reduceat(rows, starts, axis=0))

    def _window_rows(self, windows: np.ndarray) -> np.ndarray:
        import torch

        at_once = WINDOWS_AT_ONCE_CPU if self.device == "cpu" else WINDOWS_AT_ONCE_GPU
        parts = []
        with inference(self.device):
            for i in range(0, len(windows), at_once):
                batch = torch.from_numpy(windows[i : i + at_once]).to(self.device)
                _, (hidden, _) = self._network["lstm"](batch)
                parts.append(torch.relu(self._network["linear"](hidden[-1])).cpu().numpy())
        return unit_rows(np.concatenate(parts)).astype(np.float64)


def _windows(mel: np.ndarray) -> np.ndarray:
    """(w, 160, 40): the overlapping windows of a clip."""
    view = np.lib.stride_tricks.sliding_window_view(mel, WINDOW_FRAMES, axis=0)
    return view[::WINDOW_STEP_FRAMES].transpose(0, 2, 1)


def _load_network(weights: bytes) -> "torch.nn.ModuleDict":
    import torch

    lstm = torch.nn.LSTM(MEL_CHANNELS, HIDDEN, LAYERS, batch_first=True)
    network = torch.nn.ModuleDict({"lstm": lstm, "linear": torch.nn.Linear(HIDDEN, HIDDEN)})
    state = torch.load(io.BytesIO(weights), map_location="cpu", weights_only=True)["model_state"]
    # the checkpoint also has the two scalars of the training loss
    network.load_state_dict({name: state[name] for name in network.state_dict()})
    return network.eval()
