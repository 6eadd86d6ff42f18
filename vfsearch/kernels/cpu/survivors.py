"""What is left of the candidates when all parts of a gallery have been seen."""

import numpy as np

from vfsearch.kernels.cpu.candidates import Store, kth_greatest
from vfsearch.kernels.cpu.compiled import compiled


def survivors(store: Store, queries: slice, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The candidates that may be among the k best, of a stretch of queries.

    Args:
        store: of all parts, none of whose queries is crowded.
        queries: which.
        k: how many best.
    Returns:
        (q + 1,) where each query's rows begin, and the rows, ascending within a query.
    """
    counts = store.counts[:, queries]
    offsets = np.zeros(counts.shape[1] + 1, dtype=np.int64)
    rows = np.empty(int(counts.sum()), dtype=np.int64)
    part = (store.rows[:, queries], store.lower[:, queries], store.upper[:, queries])
    scratch = np.empty(len(counts) * store.rows.shape[2], dtype=np.float32)
    _survivors(*part, counts, k, offsets, rows, scratch)
    return offsets, rows[: offsets[-1]]


@compiled(borrows=True)
def _survivors(rows, lower, upper, counts, k, offsets, kept, scratch):
    parts, queries = counts.shape
    total = 0
    for query in range(queries):
        held = 0
        for part in range(parts):
            for place in range(counts[part, query]):
                scratch[held] = lower[part, query, place]
                held += 1
        least = kth_greatest(scratch, held, k) if held >= k else np.float32(-np.inf)
        for part in range(parts):
            for place in range(counts[part, query]):
                if upper[part, query, place] >= least:
                    kept[total] = rows[part, query, place]
                    total += 1
        offsets[query + 1] = total
