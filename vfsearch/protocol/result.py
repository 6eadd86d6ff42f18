"""What one protocol gives."""

from dataclasses import dataclass

import numpy as np

from vfsearch.data.outcome import Measurement
from vfsearch.measure.slices import Scored


@dataclass(frozen=True, kw_only=True, eq=False)
class Result:
    """A measurement with what it was computed from, so that a corrected measure needs no new search.

    Args:
        measurement: the figures.
        raw: name -> array (rows of the trials, their scores, ...).
        scored: the trials with their scores and people; None: figures of groups are not told apart.
    """

    measurement: Measurement
    raw: dict[str, np.ndarray]
    scored: Scored | None = None
