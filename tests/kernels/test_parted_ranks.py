"""Parts of a gallery, added up, are the gallery."""

import dataclasses

import numpy as np
import pytest
from builders import unit_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from vfsearch.kernels import parted_ranks as module
from vfsearch.kernels.crowds import crowds
from vfsearch.kernels.parted_ranks import PartedRanks, PartRanks
from vfsearch.kernels.ranks import mate_ranks


def scene(seed: int, probes: int, gallery: int, people: int, ties: bool, same: bool):
    """Vectors and identities of both sides, and which gallery row each probe is."""
    random = np.random.default_rng(seed)
    items = unit_rows(gallery, 8, seed)
    if ties:
        items = items[random.integers(0, 5, gallery)]
    of_items = random.integers(0, people, gallery)
    if same:
        rows = random.integers(0, gallery, probes)
        return items[rows], of_items[rows], items, of_items, rows
    return unit_rows(probes, 8, seed + 1), random.integers(0, people + 1, probes), items, of_items, np.full(probes, -1)


def parted(items, of_items, edges, max_memory=None):
    """The gallery in parts that are cut at these rows."""
    spans = {n: span for n, span in enumerate(zip([0, *edges], [*edges, len(items)], strict=True)) if span[0] < span[1]}
    parts = {n: PartRanks(items[a:b], of_items[a:b], max_memory) for n, (a, b) in spans.items()}
    return PartedRanks(lambda what, given: {n: getattr(parts[n], what)(*each) for n, each in given.items()}, spans)


def same_ranks(ours, theirs):
    return all(np.array_equal(getattr(ours, field.name), getattr(theirs, field.name))
               for field in dataclasses.fields(theirs))  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10_000), st.booleans(), st.booleans(),
    st.lists(st.integers(0, 60), max_size=4).map(sorted), st.sampled_from([0, 1, 40]),
)  # fmt: skip
def test_the_ranks_of_the_whole(seed, ties, same, edges, probes):
    queries, of_queries, items, of_items, exclude = scene(seed, probes, 60, 6, ties, same)
    whole = mate_ranks(queries, items, of_queries, of_items, exclude)
    assert same_ranks(parted(items, of_items, edges).ranks(queries, of_queries, exclude), whole)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.booleans(), st.booleans(), st.lists(st.integers(0, 60), max_size=3).map(sorted))
def test_the_crowds_of_the_whole(seed, ties, same, edges):
    queries, of_queries, items, of_items, exclude = scene(seed, 9, 60, 6, ties, same)
    units, rows = np.array([0, 1, 0, 2, 1, 2, 3]), np.array([0, 2, 3, 7])
    whole = list(crowds(queries, items, of_queries, of_items, rows, units, exclude))
    found = list(parted(items, of_items, edges).crowds(queries, of_queries, rows, units, exclude))
    assert [crowd.rows.tolist() for crowd in found] == [crowd.rows.tolist() for crowd in whole]
    for ours, theirs in zip(found, whole, strict=True):
        assert same_ranks(ours.ranks, theirs.ranks)
        for name in ("above", "tied", "gallery"):
            assert np.array_equal(getattr(ours, name), getattr(theirs, name))


@pytest.mark.parametrize("memory", [None, 2**16])
def test_many_pieces(monkeypatch, memory):
    monkeypatch.setattr(module, "MATES_AT_ONCE", 50)
    monkeypatch.setattr(module, "BLOCK_COUNTS", 300)
    queries, of_queries, items, of_items, exclude = scene(3, 300, 4000, 40, ties=False, same=True)
    parts = parted(items, of_items, [1, 1500], memory)
    assert same_ranks(
        parts.ranks(queries, of_queries, exclude), mate_ranks(queries, items, of_queries, of_items, exclude)
    )
    units, rows = np.arange(41), np.arange(0, 300, 7)
    found = list(parts.crowds(queries, of_queries, rows, units, exclude))
    whole = list(crowds(queries, items, of_queries, of_items, rows, units, exclude))
    assert len(found) > len(whole)
    for name in ("rows", "above", "tied", "gallery"):
        assert np.array_equal(*(np.concatenate([getattr(crowd, name) for crowd in each]) for each in (found, whole)))
