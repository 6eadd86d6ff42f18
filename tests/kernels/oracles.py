"""Right answers for kernels, by float64 arithmetic and whole sorts: nothing of vfsearch.kernels is used."""

from fractions import Fraction

import numpy as np

GRID = 2.0**26


def as_stored(rows) -> np.ndarray:
    """(n, d) float32 of numpy or torch rows of any float type."""
    return (rows if isinstance(rows, np.ndarray) else rows.float().numpy()).astype(np.float32)


def on_grid(rows) -> np.ndarray:
    """(n, d) float64 multiples of 2^-26, halves to even."""
    return np.rint(as_stored(rows).astype(np.float64) * GRID) / GRID


def inner_products(queries, vectors) -> np.ndarray:
    """(q, n) float64. Every partial sum is a multiple of 2^-52 below 2: numpy may add in any order."""
    return on_grid(queries) @ on_grid(vectors).T


def minus_squared_distances(queries, vectors) -> np.ndarray:
    """(q, n) float64: differences squared and added in the order of the dimensions."""
    left, right = (as_stored(rows).astype(np.float64) for rows in (queries, vectors))
    total = np.zeros((len(left), len(right)))
    for column in range(left.shape[1]):
        difference = left[:, column, None] - right[None, :, column]
        total = total + difference * difference
    return -total


SCORES = {"ip": inner_products, "l2": minus_squared_distances}


def score_by_integers(left: np.ndarray, right: np.ndarray) -> Fraction:
    """The inner product of two rows in Python's integers."""
    whole = [[round(Fraction(float(entry)) * 2**26) for entry in as_stored(row)] for row in (left, right)]
    return Fraction(sum(a * b for a, b in zip(*whole, strict=True)), 2**52)


def minus_distance_by_floats(left: np.ndarray, right: np.ndarray) -> float:
    """The negative squared distance of two rows, one dimension after the other, in Python's floats."""
    total = 0.0
    for a, b in zip(as_stored(left).tolist(), as_stored(right).tolist(), strict=True):
        total += (a - b) * (a - b)
    return -total


def sorted_whole(scores: np.ndarray, k: int, exclude: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Rows (q, k) and scores (q, k) of the k best, from a sort of every row by (score descending, row)."""
    rows, best = np.full((len(scores), k), -1), np.full((len(scores), k), -np.inf)
    for query, own in enumerate(scores):
        order = np.lexsort((np.arange(len(own)), -own))
        if exclude is not None:
            order = order[order != exclude[query]]
        order = order[:k]
        rows[query, : len(order)], best[query, : len(order)] = order, own[order]
    return rows, best


def compared(scores: np.ndarray, exclude: np.ndarray | None, query: int) -> np.ndarray:
    """(n,) bool: the rows that a query is compared with."""
    kept = np.ones(scores.shape[1], dtype=bool)
    if exclude is not None and exclude[query] >= 0:
        kept[exclude[query]] = False
    return kept


def counted(ascending: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many of the sorted ones are above each score, and how many equal it."""
    at_least = len(ascending) - np.searchsorted(ascending, scores, "left")
    above = len(ascending) - np.searchsorted(ascending, scores, "right")
    return above, at_least - above


def mate_blocks(scores, asked, identities, exclude=None) -> tuple[list[tuple[int, ...]], list[int], list[int]]:
    """What a loop counts.

    Returns:
        For each distinct score of a mate, best first, (probe, above, tied, mates above, mates tied); the mates of each
        probe; the rows that each was compared with.
    """
    blocks, mates, gallery = [], [], []
    for query in range(len(scores)):
        kept = compared(scores, exclude, query)
        everyone = scores[query, kept]
        own = everyone[identities[kept] == asked[query]]
        mates.append(len(own))
        gallery.append(int(kept.sum()))
        distinct = np.unique(own)[::-1]
        # above, tied, mates above, mates tied; a column for each distinct score.
        columns = [column for each in (everyone, own) for column in counted(np.sort(each), distinct)]
        blocks += [(query, *counts) for counts in zip(*(column.tolist() for column in columns), strict=True)]
    return blocks, mates, gallery


def crowd_blocks(scores, asked, identities, rows, units, exclude=None) -> list[tuple[int, list[int], list[int]]]:
    """For each block of `mate_blocks` of some queries: (query, items above of each other unit, and tied)."""
    found = []
    for query in rows:
        kept = compared(scores, exclude, query)
        others = kept & (units[identities] != units[asked[query]])
        own = scores[query, kept & (identities == asked[query])]
        for score in sorted(set(own.tolist()), reverse=True):
            above, tied = (
                np.bincount(units[identities[others & where]], minlength=units.max() + 1).tolist()
                for where in (scores[query] > score, scores[query] == score)
            )
            found.append((int(query), above, tied))
    return found
