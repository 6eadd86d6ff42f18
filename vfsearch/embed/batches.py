"""Prepared samples to batches of about one length."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vfsearch.errors import SettingsError

BATCHES_IN_A_WINDOW = 4


@dataclass(frozen=True, kw_only=True)
class Batching:
    """How many samples an encoder is given at once.

    Args:
        size: the most.
        halve: where the memory of the device does not hold a batch, try its halves.
    """

    size: int = 64
    halve: bool = False

    def __post_init__(self) -> None:
        if self.size < 1:
            raise SettingsError(f"a batch has {self.size} samples, it must have at least 1")

    @property
    def window(self) -> int:
        """Samples among which those of one length are looked for: few enough to be held in memory."""
        return self.size * BATCHES_IN_A_WINDOW


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One sample of an item.

    Args:
        place: of its item in the part.
        suffix: "" for the first sample of an item, else what follows its id.
        sample: what the encoder takes.
        note: of its preparation.
    """

    place: int
    suffix: str
    sample: object
    note: str


def batches(samples: Sequence[Sample], size: int) -> Iterator[list[Sample]]:
    """Cut some samples into batches, shortest first; those of one length stay in their order.

    Args:
        samples: of one window.
        size: the most in a batch.
    """
    ordered = sorted(samples, key=lambda each: _length(each.sample))
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]


def _length(sample: object) -> int:
    return len(sample) if isinstance(sample, np.ndarray) and sample.ndim else 0
