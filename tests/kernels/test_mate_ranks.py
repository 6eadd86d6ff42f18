import dataclasses
import tracemalloc

import numpy as np
import pytest
import torch
from builders import unit_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from vfsearch.data.ranks import uninformed
from vfsearch.errors import SettingsError, VectorError
from vfsearch.kernels import rank_gallery as gallery_module
from vfsearch.kernels import sorted_ranks as sorted_module
from vfsearch.kernels.cpu import ranking
from vfsearch.kernels.cuda.ranks import mate_counts
from vfsearch.kernels.exact import grid
from vfsearch.kernels.ranks import mate_ranks, rank_gallery
from vfsearch.kernels.sorted_ranks import sorted_ranks

COLUMNS = ("probe", "above", "tied", "mates_above", "mates_tied")


def by_loop(queries, vectors, query_identities, identities, exclude=None):
    """The oracle: for each probe, each distinct score of a mate, counted among all rows."""
    scores = (grid(queries) @ grid(vectors).T).numpy()
    blocks, mates = [], []
    for probe in range(len(queries)):
        rows = [row for row in range(len(vectors)) if exclude is None or row != exclude[probe]]
        own = [scores[probe, row] for row in rows if identities[row] == query_identities[probe]]
        everyone = [scores[probe, row] for row in rows]
        mates.append(len(own))
        for score in sorted(set(own), reverse=True):
            blocks.append((
                probe, sum(s > score for s in everyone), sum(s == score for s in everyone),
                sum(s > score for s in own), sum(s == score for s in own),
            ))  # fmt: skip
    return blocks, mates


def check(queries, vectors, query_identities, identities, exclude=None):
    found = mate_ranks(queries, vectors, query_identities, identities, exclude)
    blocks, mates = by_loop(queries, vectors, query_identities, identities, exclude)
    assert list(zip(*(getattr(found, name).tolist() for name in COLUMNS), strict=True)) == blocks
    assert found.mates.tolist() == mates
    kept = 0 if exclude is None else (exclude >= 0).astype(int)
    assert (found.gallery == len(vectors) - kept).all()
    return found


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 10), st.integers(1, 40), st.integers(1, 6), st.booleans(), st.integers(0, 999))
def test_equals_a_plain_loop(queries, rows, people, excluding, seed):
    random = np.random.default_rng(seed)
    vectors = unit_rows(rows, 8, seed)[random.integers(0, rows, rows)]  # with duplicates
    exclude = random.integers(-1, rows, queries) if excluding else None
    asked, identities = random.integers(0, people + 1, queries), random.integers(0, people, rows)
    check(unit_rows(queries, 8, seed + 1), vectors, asked, identities, exclude)


def test_golden():
    # Scores of the one probe: 1, 0.8, 0.8, 0.8, 0; mates are the rows 1, 3 and 4.
    vectors = np.array([[1, 0], [0.8, 0.6], [0.8, 0.6], [0.8, 0.6], [0, 1]], np.float32)
    found = mate_ranks(np.array([[1, 0]], np.float32), vectors, np.array([7]), np.array([1, 7, 2, 7, 7]))
    assert {name: getattr(found, name).tolist() for name in COLUMNS} == {
        "probe": [0, 0], "above": [1, 4], "tied": [3, 1], "mates_above": [0, 2], "mates_tied": [2, 1],
    }  # fmt: skip
    assert (found.mates.tolist(), found.gallery.tolist()) == ([3], [5])


@pytest.mark.parametrize("identity", [0, 9], ids=["mate", "no mate"])
def test_a_gallery_of_one(identity):
    found = check(unit_rows(2, 4), unit_rows(1, 4, 1), np.array([identity, 0]), np.array([0]))
    assert found.mates.tolist() == [int(identity == 0), 1]


def test_no_probe_has_a_mate():
    found = check(unit_rows(3, 4), unit_rows(5, 4, 1), np.full(3, 8), np.arange(5))
    assert found.above.shape == (0,)


def test_the_only_mate_is_the_probe_itself():
    rows = unit_rows(3, 4)
    found = check(rows, rows, np.arange(3), np.arange(3), exclude=np.arange(3))
    assert found.mates.tolist() == [0, 0, 0] and found.gallery.tolist() == [2, 2, 2]


def test_all_rows_equal_is_what_scores_without_information_give():
    rows = np.repeat(unit_rows(1, 16), 12, axis=0)
    identities, exclude = np.arange(12) % 4, np.where(np.arange(12) % 2, np.arange(12), -1)
    found = check(rows, rows, identities, identities, exclude)
    chance = uninformed(found)
    for entry in dataclasses.fields(found):
        assert np.array_equal(getattr(found, entry.name), getattr(chance, entry.name)), entry.name


def test_one_identity():
    found = check(unit_rows(3, 4), unit_rows(6, 4, 1), np.zeros(3, int), np.zeros(6, int))
    assert np.array_equal(found.above, found.mates_above)


@pytest.mark.parametrize(("queries", "rows"), [(0, 3), (2, 0), (0, 0)])
def test_empty_sides(queries, rows):
    found = mate_ranks(unit_rows(queries, 4), unit_rows(rows, 4), np.zeros(queries, int), np.zeros(rows, int))
    assert found.probe.shape == (0,)
    assert found.mates.tolist() == [0] * queries and found.gallery.tolist() == [rows] * queries


def by_sorting(queries, vectors, query_identities, identities, exclude=None):
    """The other oracle, for more rows: the whole matrix of exact scores, sorted."""
    exclude = np.full(len(queries), -1) if exclude is None else exclude
    return dict(zip(
        (*COLUMNS, "mates"),
        sorted_ranks(queries, grid(vectors), query_identities, identities, exclude), strict=True,
    ))  # fmt: skip


def check_by_sorting(*arguments, **more):
    found = mate_ranks(*arguments, **more)
    for name, wanted in by_sorting(*arguments).items():
        np.testing.assert_array_equal(getattr(found, name), wanted, err_msg=name)
        assert getattr(found, name).dtype == np.int64
    return found


def scene(kind, queries=30, rows=2500, d=24, people=9, seed=0):
    """Rows that are easy or hard to rank, identities, and one row that each query must not be compared with."""
    random = np.random.default_rng(seed)
    vectors, asked = unit_rows(rows, d, seed), unit_rows(queries, d, seed + 1)
    if kind == "ties":
        vectors = vectors[random.integers(0, min(40, rows), rows)]
    elif kind == "near ties":
        # One entry differs by a few units in the last place: float32 scores cannot tell which row is better.
        vectors = vectors[random.integers(0, min(20, rows), rows)]
        column = random.integers(0, d, rows)
        vectors[np.arange(rows), column] *= 1 + random.integers(-3, 4, rows).astype(np.float32) * np.float32(2**-23)
    elif kind == "all within a margin":
        vectors = vectors[:1] + random.normal(size=(rows, d)).astype(np.float32) * np.float32(1e-7)
    elif kind == "all rows equal":
        vectors = np.repeat(vectors[:1], rows, axis=0)
    elif kind == "one mate far away":
        # The bins are wide: nearly all thresholds stand in one.
        vectors = vectors[:1] + random.normal(size=(rows, d)).astype(np.float32) * np.float32(1e-3)
        vectors[::97] = -vectors[0]
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        asked[::2] = vectors[-1]
    elif kind == "tiny":
        vectors *= 10.0 ** -random.integers(0, 12, (rows, 1)).astype(np.float32)
    elif kind == "zeros":
        vectors[::3] = 0
    exclude = np.where(random.random(queries) < 0.6, random.integers(0, rows, queries), -1)
    return asked, vectors, random.integers(0, people + 2, queries), random.integers(0, people, rows), exclude


KINDS = (
    "random", "ties", "near ties", "all within a margin", "all rows equal", "one mate far away", "tiny", "zeros",
)  # fmt: skip


@pytest.mark.parametrize(
    "people", [1, 9, 400, 100_000], ids=["all mates", "many mates", "few mates", "one mate or none"]
)
@pytest.mark.parametrize("kind", KINDS)
def test_equals_sorted_exact_scores(kind, people):
    check_by_sorting(*scene(kind, people=people))


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from(KINDS), st.integers(1, 40), st.integers(1, 700), st.integers(1, 70), st.integers(1, 60),
    st.integers(0, 999),
)  # fmt: skip
def test_equals_sorted_exact_scores_whatever_the_sizes(kind, queries, rows, d, people, seed):
    check_by_sorting(*scene(kind, queries, rows, d, people, seed))


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("queries", [1, 7, 300])
@pytest.mark.parametrize("kind", ["random", "near ties"])
def test_threads_change_nothing(threads, queries, kind, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", str(threads))
    check_by_sorting(*scene(kind, queries, 3000))


@pytest.mark.parametrize("max_memory", [1, 300_000, 2**22])
@pytest.mark.parametrize("kind", ["random", "near ties", "all rows equal"])
def test_a_gallery_that_does_not_fit_is_counted_stretch_by_stretch(max_memory, kind, monkeypatch):
    monkeypatch.setattr(gallery_module, "LEAST_ROWS", 100)
    arguments = scene(kind, 100, 3000)
    if max_memory < 2**22:
        assert rank_gallery(arguments[1], arguments[3], max_memory=max_memory).kept is None
    check_by_sorting(*arguments, max_memory=max_memory)


def test_memory_is_bounded():
    limit = 8 * 2**20
    queries, vectors, asked, identities, exclude = scene("random", 3000, 30_000, 16, 3000)
    mate_ranks(queries[:9], vectors, asked[:9], identities, exclude[:9])
    tracemalloc.start()
    found = mate_ranks(queries, vectors, asked, identities, exclude, max_memory=limit)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    results = sum(getattr(found, entry.name).nbytes for entry in dataclasses.fields(found))
    assert peak - results < limit


@settings(deadline=None, max_examples=20)
@given(st.permutations(range(24)), st.integers(0, 99))
def test_the_order_of_the_gallery_changes_nothing(order, seed):
    random, order = np.random.default_rng(seed), list(order)
    vectors = unit_rows(24, 8, 1)[random.integers(0, 24, 24)]
    queries, asked, identities = unit_rows(7, 8, 2), random.integers(0, 4, 7), random.integers(0, 4, 24)
    wanted = mate_ranks(queries, vectors, asked, identities)
    found = mate_ranks(queries, vectors[order], asked, identities[order])
    for entry in dataclasses.fields(found):
        assert np.array_equal(getattr(found, entry.name), getattr(wanted, entry.name)), entry.name


@pytest.mark.parametrize("name", ["QUERIES", "TOGETHER", "PANELS"])
def test_sizes_of_pieces_change_nothing(name, monkeypatch):
    monkeypatch.setattr(ranking, name, 1 if name == "PANELS" else ranking.ROWS)
    check_by_sorting(*scene("ties", 50))


@pytest.mark.parametrize(
    "held",
    [
        lambda rows: rows.astype(np.float16),
        lambda rows: rows.astype(np.float64),
        lambda rows: np.asfortranarray(rows),
        lambda rows: rows[::-1],
        torch.as_tensor,
        lambda rows: torch.as_tensor(rows).half(),
        lambda rows: torch.as_tensor(rows).bfloat16(),
        grid,
    ],
    ids=["float16", "float64", "fortran", "backwards", "torch", "torch float16", "torch bfloat16", "grid"],
)
def test_however_the_rows_are_held(held):
    queries, vectors, *rest = scene("ties")
    held = held(vectors)
    same = held.float().numpy() if isinstance(held, torch.Tensor) else np.asarray(held, np.float32)
    wanted = by_sorting(queries, np.ascontiguousarray(same), *rest)
    found = mate_ranks(queries, held, *rest)
    for name, column in wanted.items():
        np.testing.assert_array_equal(getattr(found, name), column, err_msg=name)


def test_rows_that_are_mapped(tmp_path):
    queries, vectors, *rest = scene("random")
    np.save(tmp_path / "rows.npy", vectors.astype(np.float16))
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    wanted = by_sorting(queries, np.asarray(mapped, np.float32), *rest)
    assert mate_ranks(queries, mapped, *rest, max_memory=1).above.tolist() == wanted["above"].tolist()


def test_a_gallery_that_is_kept_can_be_asked_again_and_again():
    queries, vectors, asked, identities, exclude = scene("ties", 60)
    kept = rank_gallery(vectors, identities)
    wanted = mate_ranks(queries, vectors, asked, identities, exclude)
    for _ in range(2):
        found = mate_ranks(queries, kept, asked, identities, exclude)
        for entry in dataclasses.fields(found):
            assert np.array_equal(getattr(found, entry.name), getattr(wanted, entry.name)), entry.name
    assert len(kept) == len(vectors)


@pytest.mark.parametrize("counts", [sorted_module._counts, mate_counts], ids=["sorted", "placed"])
@pytest.mark.parametrize("max_memory", [1, None])
def test_what_another_device_does(counts, max_memory, monkeypatch):
    # Run on a CPU here, and held against what is done on one otherwise.
    monkeypatch.setattr(sorted_module, "_counts", counts)
    queries, vectors, asked, identities, exclude = scene("ties", 20, 300)
    kept = dataclasses.replace(rank_gallery(vectors, identities), device="elsewhere", kept=grid(vectors))
    found = mate_ranks(queries, kept, asked, identities, exclude, max_memory=max_memory)
    wanted = mate_ranks(queries, vectors, asked, identities, exclude)
    for entry in dataclasses.fields(found):
        assert np.array_equal(getattr(found, entry.name), getattr(wanted, entry.name)), entry.name


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_ranks_the_same():
    arguments = scene("ties", 200)
    found, wanted = mate_ranks(*arguments, "cuda"), mate_ranks(*arguments)
    for entry in dataclasses.fields(found):
        assert np.array_equal(getattr(found, entry.name), getattr(wanted, entry.name)), entry.name


def test_what_does_not_fit_together_is_refused():
    rows, identities = unit_rows(4, 8), np.arange(4)
    with pytest.raises(SettingsError, match=r"the queries have the shape \(2, 5\), the gallery wants \(q, 8\)"):
        mate_ranks(unit_rows(2, 5), rows, np.arange(2), identities)
    with pytest.raises(SettingsError, match="4 gallery rows, 3 identities: each row needs one"):
        mate_ranks(rows, rows, identities, identities[:3])
    with pytest.raises(SettingsError, match="4 queries, 3 identities of queries, 4 excluded rows: wanted equally many"):
        mate_ranks(rows, rows, identities[:3], identities)
    with pytest.raises(SettingsError, match="excluded rows 0 to 4, but the gallery has 4; -1 is for none"):
        mate_ranks(rows, rows, identities, identities, np.array([0, 1, 2, 4]))
    with pytest.raises(SettingsError, match="made ready with other identities"):
        mate_ranks(rows, rank_gallery(rows, identities), identities, identities + 1)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(value):
    rows, identities = unit_rows(300, 8), np.zeros(300, int)
    broken = rows.copy()
    broken[200, 3] = value
    with pytest.raises(VectorError, match="among the gallery rows 0 to 299 is not finite; every row must be"):
        mate_ranks(rows, broken, identities, identities)
    with pytest.raises(VectorError, match="query 200 is not finite; every query must be"):
        mate_ranks(broken, rows, identities, identities)


def test_a_gallery_may_be_prepared_once():
    rows, identities = unit_rows(9, 4), np.arange(9) % 3
    found, prepared = (mate_ranks(rows[:4], each, identities[:4], identities) for each in (rows, grid(rows)))
    for entry in dataclasses.fields(found):
        assert np.array_equal(getattr(found, entry.name), getattr(prepared, entry.name)), entry.name


def test_the_inputs_stay_as_they_are():
    rows, identities = unit_rows(6, 4), np.arange(6) % 2
    before = rows.copy()
    mate_ranks(rows, rows, identities, identities, np.arange(6))
    assert np.array_equal(rows, before)
