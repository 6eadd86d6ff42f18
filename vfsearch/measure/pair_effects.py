"""What each identity changes in a figure as somebody to be told apart from, and what of that is new in each pair."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from vfsearch.measure.interval import with_variance


@dataclass(frozen=True, kw_only=True, eq=False)
class PairEffects:
    """Of one figure.

    Args:
        effects: (U,) what each unit changes in it; they sum to 0.
        by_pair: (B,) deviations when what is new in each pair of units is resampled by itself.
    """

    effects: np.ndarray
    by_pair: np.ndarray


def pair_effects(changes: np.ndarray, counts: np.ndarray, weights: Iterable[np.ndarray]) -> PairEffects:
    """From what the presence of each unit changes in the trials of each other.

    A unit's effect is the sum of its changes, less what the average unit would change as often. New in a pair is what
    is left of its changes without what either unit changes usually.

    Args:
        changes: (U, U) summed over the trials of unit p that unit j stands in, in the figure's scale; 0 on the
            diagonal.
        counts: (U, U) how often j stands in p's trials.
        weights: B times (U, U), of pairs (`Resampling.pair_weights`).
    """
    counts = counts.astype(float)
    centred = changes - counts * _ratio(changes.sum(), counts.sum())
    of_probes = _ratio(centred.sum(axis=1), counts.sum(axis=1))
    of_others = _ratio(centred.sum(axis=0), counts.sum(axis=0))
    news = centred - counts * (of_probes[:, None] + of_others)
    both = np.triu(news + news.T, 1)
    by_pair = np.array([((each - 1.0) * both).sum() for each in weights])
    return PairEffects(effects=centred.sum(axis=0), by_pair=with_variance(by_pair, (both**2).sum()))


def _ratio(sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return np.divide(sums, counts, out=np.zeros_like(np.asarray(sums, dtype=float)), where=np.asarray(counts) > 0)
