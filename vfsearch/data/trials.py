"""The questions that a protocol asks, as row numbers of a probe list and a gallery list."""

from dataclasses import dataclass

import numpy as np

from vfsearch.errors import SettingsError


@dataclass(frozen=True, kw_only=True, eq=False)
class MatchingTrials:
    """1:N matching: which of N candidates is the probe's identity?

    Args:
        probes: (t,) probe rows.
        candidates: (t, N) gallery rows; the mate is always in column 0.
    """

    probes: np.ndarray
    candidates: np.ndarray

    def __post_init__(self) -> None:
        if self.candidates.ndim != 2 or self.candidates.shape[0] != len(self.probes) or self.candidates.shape[1] < 2:
            raise SettingsError(f"{len(self.probes)} probes want (t, N >= 2) candidates, got {self.candidates.shape}")

    def __len__(self) -> int:
        return len(self.probes)


@dataclass(frozen=True, kw_only=True, eq=False)
class VerificationTrials:
    """Verification: are a probe and a gallery item of one identity?

    Args:
        probes: (t,) probe rows.
        items: (t,) gallery rows.
        mated: (t,) bool.
    """

    probes: np.ndarray
    items: np.ndarray
    mated: np.ndarray

    def __post_init__(self) -> None:
        if not len(self.probes) == len(self.items) == len(self.mated):
            raise SettingsError(f"unequal lengths: {len(self.probes)}, {len(self.items)}, {len(self.mated)}")

    def __len__(self) -> int:
        return len(self.probes)
