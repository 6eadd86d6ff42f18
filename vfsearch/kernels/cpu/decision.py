"""Exact scores of candidates, and their order."""

import numpy as np

from vfsearch.kernels.cpu.compiled import compiled
from vfsearch.kernels.exact import GRID


@compiled(reassociate=True, borrows=True)
def exact_products(queries, vectors, offsets, places, scores, left):
    """Scores of rows with their queries, as `vfsearch.kernels.exact` defines them.

    Args:
        queries: (q, d) float32.
        vectors: (n, d) float32.
        offsets: (q + 1,) where each query's places begin.
        places: (c,) rows of `vectors`.
        scores: (c,) float64, filled.
        left: (d,) float64 to work in.
    """
    dimension = queries.shape[1]
    for query in range(queries.shape[0]):
        for place in range(dimension):
            left[place] = np.rint(np.float64(queries[query, place]) * GRID)
        for at in range(offsets[query], offsets[query + 1]):
            row = places[at]
            # Every partial sum is a whole number of at most 53 bits: exact in any order.
            total = 0.0
            for place in range(dimension):
                total += left[place] * np.rint(np.float64(vectors[row, place]) * GRID)
            scores[at] = total / (GRID * GRID)


@compiled(borrows=True)
def exact_distances(queries, vectors, offsets, places, scores, left):
    """Minus the squared distances: float64 differences, squared and added in the order of the dimensions."""
    dimension = queries.shape[1]
    for query in range(queries.shape[0]):
        for place in range(dimension):
            left[place] = np.float64(queries[query, place])
        at, last = offsets[query], offsets[query + 1]
        # The order of a sum is fixed, so each addition waits for the one before: four rows wait together.
        while at + 4 <= last:
            one, two, three, four = places[at], places[at + 1], places[at + 2], places[at + 3]
            first = second = third = fourth = 0.0
            for place in range(dimension):
                entry = left[place]
                first += (entry - np.float64(vectors[one, place])) ** 2
                second += (entry - np.float64(vectors[two, place])) ** 2
                third += (entry - np.float64(vectors[three, place])) ** 2
                fourth += (entry - np.float64(vectors[four, place])) ** 2
            scores[at], scores[at + 1], scores[at + 2], scores[at + 3] = -first, -second, -third, -fourth
            at += 4
        while at < last:
            total = 0.0
            for place in range(dimension):
                total += (left[place] - np.float64(vectors[places[at], place])) ** 2
            scores[at] = -total
            at += 1


@compiled
def ordered(offsets, rows, scores, k, asked, best_rows, best_scores):
    """The k best of each query: greater scores first, of equal ones the row that comes first.

    Args:
        offsets: (q + 1,) where each query's candidates begin.
        rows: (c,) int64 rows of the gallery, ascending within a query.
        scores: (c,) float64.
        k: how many.
        asked: (q,) int64 the line of each query in the results.
        best_rows, best_scores: (.., k), filled as far as there are candidates.
    """
    for query in range(len(asked)):
        first, last = offsets[query], offsets[query + 1]
        order = np.argsort(-scores[first:last], kind="mergesort")
        for place in range(min(k, last - first)):
            best_rows[asked[query], place] = rows[first + order[place]]
            best_scores[asked[query], place] = scores[first + order[place]]
