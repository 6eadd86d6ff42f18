"""1:N matching: the share of probes whose mate scores best."""

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


def tied_at_top(scores: np.ndarray) -> np.ndarray:
    """(t,) bool: whether the mate shares the best score with another candidate."""
    at_top = scores == scores.max(axis=1, keepdims=True)
    return at_top[:, 0] & (at_top.sum(axis=1) > 1)
