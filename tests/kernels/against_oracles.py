"""Kernels held against the oracles, and a gallery with something of everything."""

import dataclasses

import numpy as np
from builders import unit_rows
from hard_rows import near_ties
from oracles import (
    SCORES,
    inner_products,
    mate_blocks,
    sorted_whole,
)

from vfsearch.kernels.ranks import mate_ranks
from vfsearch.kernels.topk import topk

COLUMNS = ("probe", "above", "tied", "mates_above", "mates_tied")


def options(metric):
    """Inner products are asked for without saying so."""
    return {} if metric == "ip" else {"metric": metric}


def check_topk(queries, vectors, ks, exclude=None, metric="ip", gallery=None, scores=None, **more):
    """Against the oracle.

    Args:
        gallery: what to search instead of the rows, for example what was prepared of them.
        scores: what the oracle gives, if known.
    """
    known = SCORES[metric](queries, vectors) if scores is None else scores
    rows, scores = sorted_whole(known, max(ks), exclude)
    for k in ks:
        found = topk(queries, vectors if gallery is None else gallery, k, exclude, **options(metric), **more)
        np.testing.assert_array_equal(found.rows, rows[:, :k], err_msg=f"rows for k {k}")
        np.testing.assert_array_equal(found.scores, scores[:, :k], err_msg=f"scores for k {k}")


def people_of(queries, vectors, people, seed=0):
    """Identities of queries and rows; one query in `people` + 1 has no mate."""
    random = np.random.default_rng(seed)
    return random.integers(0, people + 1, len(queries)), random.integers(0, people, len(vectors))


def check_ranks(queries, vectors, asked, identities, exclude=None, scores=None, **more):
    found = mate_ranks(queries, vectors, asked, identities, exclude, **more)
    scores = inner_products(queries, vectors) if scores is None else scores
    blocks, mates, gallery = mate_blocks(scores, asked, identities, exclude)
    assert list(zip(*(getattr(found, name).tolist() for name in COLUMNS), strict=True)) == blocks
    assert (found.mates.tolist(), found.gallery.tolist()) == (mates, gallery)


def same(found, wanted):
    """Two values of one kind, bit for bit."""
    for entry in dataclasses.fields(wanted):
        np.testing.assert_array_equal(getattr(found, entry.name), getattr(wanted, entry.name), err_msg=entry.name)


def mixture(queries=7, d=64, n=6001):
    """Near-ties, ties, short and opposite rows in one gallery; two of three queries must not get their best row."""
    random = np.random.default_rng(n)
    asked, close = near_ties(2.0**-9, 0.8, n // 2, d, queries, seed=n)
    closer = near_ties(2.0**-22, 0.8, n // 4, d, queries, seed=n)[1]
    short = unit_rows(n // 16, d, 2).astype(np.float64) * 10.0 ** -(np.arange(n // 16) % 40)[:, None]
    parts = [close, closer, short.astype(np.float32), close[: n // 16], -asked, asked]
    vectors = np.concatenate(parts)
    vectors = vectors[random.integers(0, len(vectors), n)]
    best = inner_products(asked, vectors).argmax(axis=1)
    return asked, vectors, np.where(np.arange(queries) % 3, best, -1)
