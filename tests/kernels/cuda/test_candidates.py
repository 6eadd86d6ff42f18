import numpy as np
import pytest
import torch
from builders import unit_rows

from vfsearch.kernels.cuda.candidates import Candidates
from vfsearch.kernels.cuda.chunks import chunk_maxima
from vfsearch.kernels.cuda.device_rows import device_rows
from vfsearch.kernels.cuda.finding import find
from vfsearch.kernels.cuda.probes import make_probes
from vfsearch.kernels.cuda.settings import room_for

NO_FLOOR = -torch.inf


def made(queries=5, n=3000, d=32, metric="ip", k=10, floor=NO_FLOOR, excludes=False):
    gallery = device_rows(torch.as_tensor(unit_rows(n, d, 1)), metric)
    probes = make_probes(torch.as_tensor(unit_rows(queries, d, 2)), gallery)
    floors = torch.full((queries,), floor, dtype=torch.float64)
    return gallery, probes, Candidates(probes, room_for(k), floors, excludes)


@pytest.mark.parametrize("metric", ["ip", "l2"])
@pytest.mark.parametrize(
    ("n", "d", "k", "excludes"), [(3000, 32, 10, False), (2049, 16, 200, True), (9000, 150, 1, False)]
)
def test_every_chunk_that_may_matter_is_found_and_no_other(metric, n, d, k, excludes):
    gallery, probes, candidates = made(70 if d == 32 else 3, n, d, metric, k, excludes=excludes)
    room = room_for(k)
    find(candidates, probes, gallery, room)
    values = probes.half[: len(probes)].float() @ gallery.half.float().T
    values += gallery.bias if metric == "l2" else 0
    values[:, n:] = -torch.inf
    maxima = chunk_maxima(values, room.groups)
    least = maxima.sort(dim=1, descending=True).values[:, k - 1 + excludes] - 2 * probes.error
    for own, filled, chunks, bound in zip(maxima, candidates.filled, candidates.chunks, least, strict=True):
        found = set(chunks[:filled].tolist())
        # Sums in another order differ in their last places.
        assert set(torch.nonzero(own > bound + 1e-5)[:, 0].tolist()) <= found
        assert found <= set(torch.nonzero(own > bound - 1e-5)[:, 0].tolist())
        assert len(found) == filled
    assert candidates.complete().all()


def narrowed(values, last, counts):
    _, probes, candidates = made(queries=len(values), k=last + 1)
    candidates.maxima[:, : values.shape[1]] = torch.as_tensor(values)
    candidates.chunks[:, : values.shape[1]] = torch.arange(values.shape[1], dtype=torch.int32)
    candidates.counts[: len(values)] = torch.as_tensor(counts, dtype=torch.int32)
    candidates.narrow()
    return probes, candidates


def test_narrowing_keeps_what_reaches_the_bound():
    values = np.random.default_rng(0).normal(size=(4, 300)).astype(np.float32)
    counts = [300, 20, 5, 300]
    probes, candidates = narrowed(values, 9, counts)
    for query, count in enumerate(counts):
        own = np.sort(values[query, :count])[::-1]
        bound = float(own[9]) - 2 * float(probes.error[query]) if count > 9 else torch.finfo(torch.float32).min
        kept = np.flatnonzero(values[query, :count] >= np.float32(bound))
        filled = int(candidates.filled[query])
        assert sorted(candidates.chunks[query, :filled].tolist()) == kept.tolist()
        assert float(candidates.bounds[query]) == np.float32(bound)
        assert sorted(candidates.maxima[query, :filled].tolist()) == sorted(values[query, kept].tolist())
    assert torch.isposinf(candidates.bounds[4:]).all()


def test_what_was_lost_is_not_forgotten():
    _, candidates = narrowed(np.zeros((2, 512), np.float32), 0, [513, 512])
    candidates.narrow()
    assert candidates.complete().tolist() == [False, True]
    assert candidates.filled.tolist() == [0, 512]


def test_a_floor_is_a_bound_from_the_start():
    _, probes, candidates = made(floor=0.25)
    wanted = probes.scale * 0.25 - probes.error
    assert torch.equal(candidates.bounds[: len(probes)], wanted.float())
