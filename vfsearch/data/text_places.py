"""Where texts stand among other texts, in arrays: millions of ids, no dictionary of them."""

from collections.abc import Iterator, Sequence

import numpy as np

from vfsearch.data.neighbors import NO_ROW
from vfsearch.data.texts import Texts

_AT_ONCE = 65_536
"""Texts that are brought side by side at a time."""


def places_of(wanted: Sequence[str], among: Sequence[str]) -> np.ndarray:
    """The place of each text among others.

    Args:
        wanted: n texts.
        among: m texts, each at most once.
    Returns:
        (n,) int64 places; -1 for a text that is not there.

    Example:
        >>> places_of(["b", "no", "a"], ["a", "b", "c"]).tolist()
        [1, -1, 0]
    """
    wanted, among = Texts.of(wanted), Texts.of(among)
    if wanted == among:
        return np.arange(len(wanted))
    places = np.full(len(wanted), NO_ROW, np.int64)
    there = dict(_by_length(among))
    for length, rows in _by_length(wanted):
        if length in there:
            places[rows] = _found(_side_by_side(wanted, rows, length), among, there[length], length)
    return places


def rows_with(column: Sequence[str], value: str) -> np.ndarray:
    """The rows that have a text in a column, in ascending order.

    Args:
        column: n texts.
        value: the text.
    Returns:
        (m,) int64 rows.

    Example:
        >>> rows_with(["test", "train", "test"], "test").tolist()
        [0, 2]
    """
    return np.flatnonzero(places_of(column, [value]) != NO_ROW)


def first_equal(texts: Sequence[str]) -> np.ndarray:
    """Where each text stands for the first time.

    Args:
        texts: n texts.
    Returns:
        (n,) int64 places; its own place for a text that was not there before.

    Example:
        >>> first_equal(["b", "a", "b"]).tolist()
        [0, 1, 0]
    """
    texts = Texts.of(texts)
    first = np.empty(len(texts), np.int64)
    for length, rows in _by_length(texts):
        # Places of one length ascend, and `unique` gives the first of equals.
        _, start, kind = np.unique(_side_by_side(texts, rows, length), return_index=True, return_inverse=True)
        first[rows] = rows[start][kind]
    return first


def distinct(texts: Sequence[str]) -> int:
    """How many different texts there are.

    Example:
        >>> distinct(["b", "a", "b"])
        2
    """
    return int((first_equal(texts) == np.arange(len(texts))).sum())


def first_repeated(texts: Sequence[str]) -> str | None:
    """A text that is there more than once; None if each is there once.

    Example:
        >>> first_repeated(["b", "a", "b"]), first_repeated(["b", "a"])
        ('b', None)
    """
    texts = Texts.of(texts)
    for length, rows in _by_length(texts):
        # Sorting takes the place of a set: a tenth of its memory, and none of its ten million objects.
        ordered = np.sort(_side_by_side(texts, rows, length))
        again = np.flatnonzero(ordered[1:] == ordered[:-1])
        if len(again):
            # NumPy's own texts end before zeros; their bytes do not.
            return ordered[again[:1]].view(np.uint8)[:length].tobytes().decode("utf-8", "surrogatepass")
    return None


def _found(texts: np.ndarray, among: Texts, rows: np.ndarray, length: int) -> np.ndarray:
    """Places of texts among some of the others, all of one length."""
    known = _side_by_side(among, rows, length)
    order = np.argsort(known, kind="stable")
    near = order[np.searchsorted(known, texts, sorter=order).clip(max=len(known) - 1)]
    return np.where(known[near] == texts, rows[near], NO_ROW)


def _by_length(texts: Texts) -> Iterator[tuple[int, np.ndarray]]:
    """Each length in bytes with the places of the texts that have it."""
    lengths = np.diff(texts.ends, prepend=0)
    order = np.argsort(lengths, kind="stable")
    kinds, starts = np.unique(lengths[order], return_index=True)
    return zip(kinds.tolist(), np.split(order, starts[1:]), strict=True) if len(lengths) else iter(())


def _side_by_side(texts: Texts, rows: np.ndarray, length: int) -> np.ndarray:
    """(m,) bytes of texts of one length; of equal lengths, NumPy compares every byte."""
    if not length:
        return np.zeros(len(rows), "S1")
    parts = [texts.take(rows[start : start + _AT_ONCE]).data for start in range(0, len(rows), _AT_ONCE)]
    return np.concatenate(parts).view(f"S{length}")
