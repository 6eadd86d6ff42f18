"""1:N matching: what each negative changes in the outcome of its trial."""

from collections.abc import Callable

import numpy as np

Figure = Callable[[np.ndarray], np.ndarray]


def negative_changes(figure: Figure, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A trial's value less what it is without one of its negatives, where that is not 0.

    A negative below the mate changes nothing; all above it change the same, and so do all that tie with it.

    Args:
        figure: (t, N) scores -> (t,) values that depend on the place of the mate alone.
        scores: (t, N) similarities, the mate's in column 0.
    Returns:
        Rows and columns (m,) of the negatives that change something, and how much (m,).
    Example:
        >>> from vfsearch.measure.matching import matching_accuracy
        >>> negative_changes(matching_accuracy, np.array([[0.2, 0.7, 0.1], [0.5, 0.5, 0.4]]))
        (array([0, 1]), array([1, 1]), array([-1. , -0.5]))
    """
    above, tied = (compared(scores).sum(axis=1) for compared in (_above, _tied))
    here = _value(figure, above, tied, scores.shape[1])
    found = [
        _changed(scores, here - _value(figure, np.maximum(above - 1, 0), tied, scores.shape[1]), _above),
        _changed(scores, here - _value(figure, above, np.maximum(tied - 1, 0), scores.shape[1]), _tied),
    ]
    rows, columns, changes = (np.concatenate(column) for column in zip(*found, strict=True))
    return rows, columns, changes


def _above(scores: np.ndarray) -> np.ndarray:
    return scores[:, 1:] > scores[:, :1]


def _tied(scores: np.ndarray) -> np.ndarray:
    return scores[:, 1:] == scores[:, :1]


def _changed(
    scores: np.ndarray, changes: np.ndarray, compared: Callable[[np.ndarray], np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    trials = np.flatnonzero(changes)
    rows, columns = np.nonzero(compared(scores[trials]))
    return trials[rows], columns + 1, changes[trials[rows]]


def _value(figure: Figure, above: np.ndarray, tied: np.ndarray, candidates: int) -> np.ndarray:
    """(t,) values of trials with so many negatives above, and tied with, the mate."""
    codes, which = np.unique(above * candidates + tied, return_inverse=True)
    above, tied = codes[:, None] // candidates, codes[:, None] % candidates
    places = np.arange(candidates)
    scores = np.where(places <= above, 1.0, np.where(places <= above + tied, 0.0, -1.0))
    scores[:, 0] = 0.0
    return figure(scores)[which.ravel()]
