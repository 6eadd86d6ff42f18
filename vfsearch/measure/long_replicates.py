"""Replicates of the operating points of trials that come by descending score, more of them than memory should hold.

Per bin of scores it is enough to know how many trials each pair of units has: with those in a matrix A and the draws c
of the units, the bin's weight is c A c, for all resamples a product of matrices, whatever the number of trials.
"""

from collections.abc import Iterator

import numpy as np

from vfsearch.measure.long_curve import Blocks
from vfsearch.measure.operating_points import OperatingPoints
from vfsearch.measure.pair_units import PairUnits
from vfsearch.measure.score_bins import BinRule

_BINS_AT_ONCE = 16


class LongReplicates:
    """Weights of bins under every resample, as trials come in.

    Args:
        rule: what a bin is.
        units: of the identities.
    """

    def __init__(self, rule: BinRule, units: PairUnits) -> None:
        self._rule, self._units = rule, units
        self._draws = units.resampling.draws(units.count).astype(np.float32)
        self._by_pair = np.array([table[: units.count**2] for table in map(np.float32, units.by_pair())])
        self._bins = _Bins(rule.most)
        # Of each bin under each resample: (bins, resamples). Memory that no bin has used yet is not taken.
        self._joint = [np.zeros((rule.most, len(self._draws)), dtype=np.float32) for _ in range(2)]
        self._pairs = [np.zeros((rule.most, len(self._by_pair)), dtype=np.float32) for _ in range(2)]
        self._waiting: tuple[np.ndarray, np.ndarray] | None = None
        self._first = 0

    def add(self, blocks: Blocks, rows: np.ndarray) -> None:
        """Add the next trials (rows of `vfsearch.measure.pair_spill.ROW`) and their blocks of equal scores."""
        bins = np.repeat(self._bins.add(blocks, self._rule), blocks.mated + blocks.other)
        codes = self._units.codes(rows["probe"], rows["item"], rows["mated"])
        for first in range(int(bins[0]) // _BINS_AT_ONCE, int(bins[-1]) // _BINS_AT_ONCE + 1):
            self._turn_to(first * _BINS_AT_ONCE)
            part = slice(*np.searchsorted(bins, [self._first, self._first + _BINS_AT_ONCE]))
            for counted, kind in zip(self._waiting, (rows["mated"][part], ~rows["mated"][part]), strict=True):
                width = counted.shape[1]
                places = (bins[part][kind] - self._first) * width + codes[part][kind]
                counted += np.bincount(places, minlength=counted.size).reshape(counted.shape)

    def _turn_to(self, first: int) -> None:
        """Go on to the bins from one on, working out those before."""
        if self._waiting is not None and first == self._first:
            return
        self._weigh()
        width = self._units.count**2 + self._units.count
        self._waiting = tuple(np.zeros((_BINS_AT_ONCE, width), dtype=np.float32) for _ in range(2))
        self._first = first

    def _weigh(self) -> None:
        if self._waiting is None:
            return
        part = slice(self._first, min(self._first + _BINS_AT_ONCE, self._rule.most))
        for counted, joint, pairs in zip(self._waiting, self._joint, self._pairs, strict=True):
            by_draw, by_pair = self._weights(counted[: part.stop - part.start])
            joint[part], pairs[part] = by_draw, by_pair
        self._waiting = None

    def _weights(self, counted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weights of some bins under all joint draws, and under all draws by pair."""
        units = self._units.count
        products, single = counted[:, : units**2], counted[:, units**2 :]
        by_draw, by_pair = single @ self._draws.T, np.repeat(single.sum(axis=1)[:, None], len(self._by_pair), axis=1)
        if products.any():
            half = self._draws @ products.reshape(-1, units, units)
            by_draw += np.einsum("bru,ru->br", half, self._draws)
            by_pair += products @ self._by_pair.T
        return by_draw, by_pair

    def joint(self) -> Iterator[OperatingPoints]:
        """The operating points in each resample, when all trials are in."""
        self._weigh()
        return self._replicates(self._joint)

    def by_pair(self) -> Iterator[OperatingPoints]:
        """The operating points with each pair of units weighted by itself, when all trials are in."""
        self._weigh()
        return self._replicates(self._pairs)

    def _replicates(self, weights: list[np.ndarray]) -> Iterator[OperatingPoints]:
        count = self._bins.count
        for number in range(weights[0].shape[1]):
            mated, other = (np.cumsum(each[:count, number], dtype=np.float64) for each in weights)
            yield OperatingPoints(
                thresholds=self._bins.thresholds(),
                mated=np.concatenate([[0.0], mated]),
                other=np.concatenate([[0.0], other]),
                costs=self._bins.costs(),
            )


class _Bins:
    """Which bin each block of equal scores is in, and what is known of the bins.

    Args:
        most: of them.
    """

    def __init__(self, most: int) -> None:
        self.count = 0
        self._key = -1
        self._lowest = np.zeros(most)
        self._counts, self._cost_sums = np.zeros((2, most)), np.zeros((2, most))
        self._before = np.zeros(2)
        self._score, self._block_start = np.inf, np.zeros(2)

    def add(self, blocks: Blocks, rule: BinRule) -> np.ndarray:
        """(b,) bins of some blocks; the first may go on with the score of the last one added."""
        each = np.stack([blocks.mated, blocks.other]).astype(float)
        before = self._before[:, None] + np.cumsum(each, axis=1) - each
        if blocks.scores[0] == self._score:
            before[:, 0] = self._block_start
        keys = rule.keys(*before, blocks.scores)
        bins = self.count - 1 + np.cumsum(np.diff(keys, prepend=self._key) > 0)
        self._describe(blocks, each, bins)
        self.count, self._key = int(bins[-1]) + 1, int(keys[-1])
        self._before = self._before + each.sum(axis=1)
        self._score, self._block_start = blocks.scores[-1], before[:, -1]
        return bins

    def _describe(self, blocks: Blocks, each: np.ndarray, bins: np.ndarray) -> None:
        # Blocks come by descending score: the last one written is the lowest.
        self._lowest[bins] = blocks.scores
        costs = np.logaddexp(0.0, [-blocks.scores, blocks.scores]) / np.log(2)
        for kind in range(2):
            self._counts[kind] += np.bincount(bins, each[kind], minlength=len(self._lowest))
            weighed = np.multiply(each[kind], costs[kind], out=np.zeros(len(bins)), where=each[kind] > 0)
            self._cost_sums[kind] += np.bincount(bins, weighed, minlength=len(self._lowest))

    def thresholds(self) -> np.ndarray:
        """(bins + 1,) as of `OperatingPoints`."""
        return np.concatenate([[np.inf], self._lowest[: self.count]])

    def costs(self) -> np.ndarray:
        """(2, bins) as of `OperatingPoints`."""
        counts, sums = self._counts[:, : self.count], self._cost_sums[:, : self.count]
        return np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)
