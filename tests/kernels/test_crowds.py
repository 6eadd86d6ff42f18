import dataclasses

import numpy as np
import pytest
import torch
from builders import unit_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from vfsearch.kernels import crowds as module
from vfsearch.kernels import rank_gallery as gallery_module
from vfsearch.kernels.crowds import crowds
from vfsearch.kernels.exact import grid, score_block
from vfsearch.kernels.ranks import mate_ranks, rank_gallery


def scene(seed: int, probes: int = 7, gallery: int = 23, people: int = 6, ties: bool = False, same: bool = False):
    """Vectors and identities of both sides, and which gallery row each probe is."""
    random = np.random.default_rng(seed)
    items = unit_rows(gallery, 8, seed)
    if ties:
        items = items[random.integers(0, 5, gallery)]
    of_items = random.integers(0, people, gallery)
    if same:
        rows = random.integers(0, gallery, probes)
        return items[rows], items, of_items[rows], of_items, rows
    return unit_rows(probes, 8, seed + 1), items, random.integers(0, people, probes), of_items, np.full(probes, -1)


def plain(queries, vectors, query_identities, identities, exclude, units, row, block):
    """(U,) items above and tied, for one block of one probe, by a loop over the gallery."""
    scores = score_block(grid(queries), grid(vectors)).numpy()[row]
    mine = units[query_identities[row]]
    mates = sorted(
        {
            score
            for score, identity, item in zip(scores, identities, range(len(scores)), strict=True)
            if identity == query_identities[row] and item != exclude[row]
        },
        reverse=True,
    )
    above, tied = np.zeros((2, units.max() + 1), dtype=int)
    for score, identity in zip(scores, identities, strict=True):
        if units[identity] != mine:
            above[units[identity]] += score > mates[block]
            tied[units[identity]] += score == mates[block]
    return above, tied


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.booleans(), st.booleans(), st.booleans())
def test_like_counting_one_by_one(seed, ties, same, grouped):
    queries, vectors, query_identities, identities, exclude = scene(seed, ties=ties, same=same)
    units = np.array([0, 1, 0, 2, 1, 2]) if grouped else np.arange(6)
    rows = np.array([0, 2, 3, 6])
    found = list(crowds(queries, vectors, query_identities, identities, rows, units, exclude))
    assert np.concatenate([crowd.rows for crowd in found]).tolist() == rows.tolist()
    wanted = mate_ranks(queries, vectors, query_identities, identities, exclude)
    for crowd in found:
        seen: dict[int, int] = {}
        for place, probe in enumerate(crowd.ranks.probe):
            row, block = crowd.rows[probe], seen.get(probe, 0)
            seen[probe] = block + 1
            above, tied = plain(queries, vectors, query_identities, identities, exclude, units, row, block)
            assert crowd.above[place].tolist() == above.tolist()
            assert crowd.tied[place].tolist() == tied.tolist()
            assert crowd.ranks.above[place] == wanted.above[wanted.probe == row][block]
        for probe, row in enumerate(crowd.rows):
            of_others = identities[units[identities] != units[query_identities[row]]]
            assert crowd.gallery[probe].tolist() == np.bincount(units[of_others], minlength=len(set(units))).tolist()


def test_leaving_an_identity_out_of_the_crowd_is_leaving_it_out_of_the_gallery():
    queries, vectors, query_identities, identities, exclude = scene(5, ties=True)
    (crowd,) = crowds(queries, vectors, query_identities, identities, np.arange(7), np.arange(6), exclude)
    for gone in range(6):
        kept = identities != gone
        others = np.flatnonzero(query_identities != gone)
        wanted = mate_ranks(queries[others], vectors[kept], query_identities[others], identities[kept])
        mine = np.isin(crowd.ranks.probe, others)
        assert (crowd.ranks.above - crowd.above[:, gone])[mine].tolist() == wanted.above.tolist()
        assert (crowd.ranks.tied - crowd.tied[:, gone])[mine].tolist() == wanted.tied.tolist()
        assert (crowd.ranks.gallery - crowd.gallery[:, gone])[others].tolist() == wanted.gallery.tolist()


def test_pieces_change_nothing(monkeypatch):
    arguments = scene(3)
    queries, vectors, query_identities, identities, exclude = arguments
    (whole,) = crowds(queries, vectors, query_identities, identities, np.arange(7), np.arange(6), exclude)
    monkeypatch.setattr(module, "BLOCK_COUNTS", 1)
    pieces = list(crowds(queries, grid(vectors), query_identities, identities, np.arange(7), np.arange(6), exclude))
    assert len(pieces) == 7
    assert np.concatenate([piece.above for piece in pieces]).tolist() == whole.above.tolist()


def test_probes_without_mates_have_no_blocks():
    queries, vectors = unit_rows(2, 8, 1), unit_rows(3, 8, 2)
    (found,) = crowds(queries, vectors, np.array([0, 1]), np.array([1, 1, 2]), np.arange(2), np.arange(3))
    assert found.ranks.mates.tolist() == [0, 2] and set(found.ranks.probe) == {1}
    assert found.gallery.tolist() == [[0, 2, 1], [0, 0, 1]]
    (none,) = crowds(queries, vectors, np.array([0, 0]), np.array([1, 1, 2]), np.arange(2), np.arange(3))
    assert none.above.shape == (0, 3)
    assert list(crowds(queries, vectors, np.array([0, 0]), np.array([1, 1, 2]), np.zeros(0, int), np.arange(3))) == []


def concatenated(found, name):
    return np.concatenate([getattr(crowd, name) for crowd in found]).tolist()


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("max_memory", [1, None])
@pytest.mark.parametrize("ties", [False, True])
def test_by_counting_as_by_sorting(ties, threads, max_memory, monkeypatch):
    # What a CPU does, held against what any other device does, here run on a CPU too.
    monkeypatch.setenv("OMP_NUM_THREADS", str(threads))
    monkeypatch.setattr(gallery_module, "LEAST_ROWS", 100)
    queries, vectors, query_identities, identities, exclude = scene(9, 80, 1500, 12, ties=ties)
    rows, units = np.arange(0, 80, 2), np.arange(12) % 5
    kept = dataclasses.replace(rank_gallery(vectors, identities), device="elsewhere", kept=grid(vectors))
    sides = (query_identities, identities, rows, units, exclude)
    found = list(crowds(queries, vectors, *sides, max_memory=max_memory))
    wanted = list(crowds(queries, kept, *sides))
    for name in ("above", "tied", "gallery", "rows"):
        assert concatenated(found, name) == concatenated(wanted, name), name
    for name in ("above", "tied", "mates_above", "mates_tied", "mates", "gallery"):
        ranks = [[crowd.ranks for crowd in each] for each in (found, wanted)]
        assert concatenated(ranks[0], name) == concatenated(ranks[1], name), name


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_counts_the_same():
    queries, vectors, query_identities, identities, exclude = scene(3, ties=True)
    (wanted,) = crowds(queries, vectors, query_identities, identities, np.arange(7), np.arange(6), exclude)
    (found,) = crowds(queries, vectors, query_identities, identities, np.arange(7), np.arange(6), exclude, "cuda")
    assert found.above.tolist() == wanted.above.tolist() and found.tied.tolist() == wanted.tied.tolist()
