"""What one protocol gives."""

from dataclasses import dataclass

import numpy as np

from vfsearch.data.outcome import Measurement


@dataclass(frozen=True, kw_only=True, eq=False)
class Result:
    """A measurement with what it was computed from, so that a corrected measure needs no new search.

    Args:
        measurement: the figures.
        raw: name -> array (rows of the trials, their scores, ...).
    """

    measurement: Measurement
    raw: dict[str, np.ndarray]
