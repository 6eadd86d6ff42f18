"""1:N matching: at what place among the N candidates the mate is."""

import numpy as np


def matching_accuracy(scores: np.ndarray) -> np.ndarray:
    """The expected success of each trial when equal scores are ordered at random.

    1/t when the mate is among t candidates tied at the top, else 0. Scores without information give 1/N.

    Args:
        scores: (t, N) similarities, the mate's in column 0.
    Returns:
        (t,) values in [0, 1]; their mean is the accuracy.
    Source: Wen et al., CVPR 2021, supplement, section 3; ties as in tie-aware retrieval measures (McSherry & Najork,
        ECIR 2008), where published evaluations take the first maximum.
    Example:
        >>> matching_accuracy(np.array([[0.9, 0.1], [0.2, 0.7], [0.5, 0.5]]))
        array([1. , 0. , 0.5])
    """
    if not scores.size:
        return np.zeros(len(scores))
    best = scores.max(axis=1, keepdims=True)
    at_top = scores == best
    return np.where(at_top[:, 0], 1.0 / at_top.sum(axis=1), 0.0)


def mate_within(scores: np.ndarray, k: int) -> np.ndarray:
    """The chance of each trial that the mate is among the first k when equal scores are ordered at random.

    With a candidates above the mate and t at its score, itself included: (k - a) / t, kept within 0 and 1.

    Args:
        scores: (t, N) similarities, the mate's in column 0.
        k: how many candidates are looked at.
    Returns:
        (t,) values in [0, 1]; their mean is the rank-k rate, at k = 1 the accuracy.
    Source: ISO/IEC 19795-1:2021, closed-set identification; ties as in `matching_accuracy`.
    Example:
        >>> mate_within(np.array([[0.2, 0.7, 0.1], [0.5, 0.5, 0.5]]), 2).round(3)
        array([1.   , 0.667])
    """
    above, tied = _mate_places(scores)
    return np.clip(k - above, 0, tied) / np.maximum(tied, 1)


def cumulative_match(scores: np.ndarray) -> np.ndarray:
    """The cumulative match characteristic (CMC): the rank-k rate for every k.

    Args:
        scores: (t, N) similarities, the mate's in column 0.
    Returns:
        (N,) fractions, rising to 1; NaN where there is no trial.
    Example:
        >>> cumulative_match(np.array([[0.2, 0.7, 0.1], [0.5, 0.5, 0.5]])).round(3)
        array([0.167, 0.833, 1.   ])
    """
    if not len(scores):
        return np.full(scores.shape[1], np.nan)
    return np.array([mate_within(scores, k).mean() for k in range(1, scores.shape[1] + 1)])


def _mate_places(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many candidates score above the mate, and how many as it does, itself included; (t,) each."""
    mate = scores[:, :1]
    return (scores > mate).sum(axis=1), (scores == mate).sum(axis=1)


def tied_at_top(scores: np.ndarray) -> np.ndarray:
    """(t,) bool: whether the mate shares the best score with another candidate."""
    at_top = scores == scores.max(axis=1, keepdims=True)
    return at_top[:, 0] & (at_top.sum(axis=1) > 1)
