"""Random numbers that are the same on every machine and with every version of numpy."""

from collections.abc import Sequence

import numpy as np

from vfsearch.errors import SettingsError

_WORD = 2**32
_FRACTION_BITS = 53
_KEYS_AT_ONCE = 2**21


class Draw:
    """One stream of random numbers, named by a seed and further numbers.

    Numpy promises that a bit generator gives the same integers for ever, but not that the methods of its `Generator`
    turn them into the same numbers; so only the integers are taken from it. Streams of different names are different
    ones: how many numbers name it counts too, `Draw(1, 2)` is not `Draw(1, 2, 0)`.

    Args:
        seed: from 0, as large as you like.
        stream: each from 0 to 2**32 - 1.
    Raises:
        SettingsError: a number is out of its range.

    Example:
        >>> Draw(1).below([10, 10, 1000]).tolist() == Draw(1).below([10, 10, 1000]).tolist()
        True

    Source: NEP 19 (what numpy promises); O'Neill, "PCG", 2014 (the generator).
    """

    def __init__(self, seed: int, *stream: int) -> None:
        if seed < 0 or not all(0 <= number < _WORD for number in stream):
            raise SettingsError(f"a seed from 0 and stream numbers from 0 to 2**32 - 1, got {seed} and {list(stream)}")
        # SeedSequence cuts large numbers into words and fills up with zeros: only a count before, and the one number
        # that may be large at the end, keep every name apart from every other.
        entropy = [len(stream), *map(int, stream), int(seed)]
        self._bits = np.random.PCG64(np.random.SeedSequence(entropy))

    def raw(self, count: int) -> np.ndarray:
        """(count,) uint64, every value equally likely."""
        return self._bits.random_raw(count)

    def below(self, limits: np.ndarray | Sequence[int] | int) -> np.ndarray:
        """A whole number from 0 for each limit, and below it: floor(u * limit), u of 53 random bits.

        Each limit takes one number of the stream, in order. A value is likelier or less likely than 1/limit by at most
        limit / 2**53 of it: one part in 10**9 for ten million items, out of reach of any count of trials.

        Args:
            limits: at least 1 and at most 2**52, of any shape.
        Returns:
            int64 of the shape of the limits.
        Raises:
            SettingsError: a limit is out of its range.
        """
        limits = np.asarray(limits, dtype=np.int64)
        if limits.size and not (limits.min() >= 1 and limits.max() <= 2 ** (_FRACTION_BITS - 1)):
            raise SettingsError(f"limits from 1 to 2**52, got {limits.min()} to {limits.max()}")
        fractions = self.raw(limits.size) >> np.uint64(64 - _FRACTION_BITS)
        # A product of two doubles is rounded alike everywhere, and never up to the limit itself.
        return (
            (fractions.astype(np.float64) * 2.0**-_FRACTION_BITS * limits.ravel())
            .astype(np.int64)
            .reshape(limits.shape)
        )

    def permutation(self, count: int) -> np.ndarray:
        """(count,) int64: the numbers below `count` in random order, every order equally likely."""
        return np.argsort(self.raw(count), kind="stable")

    def distinct(self, limits: np.ndarray, count: int) -> np.ndarray:
        """Rows of numbers that differ from each other, every such row equally likely.

        Args:
            limits: (t,) each at least `count`.
            count: of numbers in a row.
        Returns:
            (t, count) int64 from 0 and below the row's limit.
        Raises:
            SettingsError: a limit is below the count.
        """
        limits = np.asarray(limits, dtype=np.int64)
        if len(limits) and count and limits.min() < count:
            raise SettingsError(f"{count} numbers that differ want a limit of at least {count}, got {limits.min()}")
        chosen = np.empty((len(limits), count), dtype=np.int64)
        # Drawing again what came twice takes many rounds where nearly all numbers are wanted; ordering all does not.
        few = limits >= 2 * count
        chosen[few] = self._redrawn(limits[few], count)
        for limit in np.unique(limits[~few]):
            chosen[limits == limit] = self._ordered(int(limit), count, int((limits == limit).sum()))
        return chosen

    def _redrawn(self, limits: np.ndarray, count: int) -> np.ndarray:
        """Draw all at once, then anew what equals an earlier one of its row, until nothing does.

        Which entries are drawn anew depends only on which are equal, not on what they are: every row is equally likely.
        """
        chosen = self.below(np.broadcast_to(limits[:, None], (len(limits), count)))
        ordered = np.sort(chosen, axis=1)
        rows = np.flatnonzero((ordered[:, 1:] == ordered[:, :-1]).any(axis=1))
        while len(rows):
            again = repeated(chosen[rows])
            rows, again = rows[again.any(axis=1)], again[again.any(axis=1)]
            part = chosen[rows]
            part[again] = self.below(np.broadcast_to(limits[rows, None], part.shape)[again])
            chosen[rows] = part
        return chosen

    def _ordered(self, limit: int, count: int, rows: int) -> np.ndarray:
        chosen = np.empty((rows, count), dtype=np.int64)
        step = max(1, _KEYS_AT_ONCE // limit)
        for start in range(0, rows, step):
            part = chosen[start : start + step]
            keys = self.raw(len(part) * limit).reshape(-1, limit)
            part[:] = np.argsort(keys, axis=1, kind="stable")[:, :count]
        return chosen


def repeated(rows: np.ndarray) -> np.ndarray:
    """Which entries equal an earlier one of their row.

    Args:
        rows: (t, n).
    Returns:
        (t, n) bool.

    Example:
        >>> repeated(np.array([[3, 1, 3, 3]])).tolist()
        [[False, False, True, True]]
    """
    order = np.argsort(rows, axis=1, kind="stable")
    ordered = np.take_along_axis(rows, order, axis=1)
    same = np.zeros(rows.shape, dtype=bool)
    np.put_along_axis(same, order[:, 1:], ordered[:, 1:] == ordered[:, :-1], axis=1)
    return same
