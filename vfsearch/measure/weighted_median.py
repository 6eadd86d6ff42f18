"""The median of values that count more than once, or not at all."""

import numpy as np

ROWS_AT_ONCE = 64


def weighted_medians(values: np.ndarray, units: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The median of all values, each repeated as often as its unit is drawn, in each resample.

    Args:
        values: (q,) any numbers, infinite ones too.
        units: (q,) int64 unit of each.
        weights: (R, U) how often each unit is drawn: whole numbers.
    Returns:
        (R,) medians, the middle of two where the number of values is even; NaN where none is drawn.
    Example:
        >>> drawn = np.array([[1, 1, 1], [2, 1, 1], [0, 0, 0]])
        >>> weighted_medians(np.array([1.0, 3.0, 9.0]), np.array([0, 1, 2]), drawn)
        array([ 3.,  2., nan])
    """
    order = np.argsort(values, kind="stable")
    ordered, units = values[order], units[order]
    pieces = [
        _medians(ordered, weights[start : start + ROWS_AT_ONCE][:, units])
        for start in range(0, len(weights), ROWS_AT_ONCE)
    ]
    return np.concatenate(pieces) if pieces else np.zeros(0)


def _medians(ordered: np.ndarray, counts: np.ndarray) -> np.ndarray:
    if not len(ordered):
        return np.full(len(counts), np.nan)
    reached = np.cumsum(counts, axis=1)
    total = reached[:, -1:]
    lower = ordered[np.argmax(reached >= np.ceil(total / 2), axis=1)]
    upper = ordered[np.argmax(reached >= np.floor(total / 2) + 1, axis=1)]
    # The middle of two equal infinities is not a number otherwise.
    middle = np.where(lower == upper, lower, lower / 2 + upper / 2)
    return np.where(total[:, 0] > 0, middle, np.nan)
