import shutil

import numpy as np
import pytest
from builders import unit_rows
from graph_indices import build, built, files_of_at_most, rewrite, role_file
from hypothesis import given, settings
from hypothesis import strategies as st

from vfsearch.errors import DamagedError, SettingsError, VectorError, VfsearchError
from vfsearch.index import hnswlib_graph
from vfsearch.index.backends import open_index, opened
from vfsearch.index.hnswlib_file import LAYOUT, HnswlibHeader
from vfsearch.index.layout import read_index_artefact
from vfsearch.index.vector_file import VectorFile
from vfsearch.kernels.topk import topk

pytest.importorskip("hnswlib")


@pytest.fixture
def one_thread(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture
def kept_often(monkeypatch, one_thread):
    """A build writes its graph out after 100 rows, and at every quarter more."""
    monkeypatch.setattr(hnswlib_graph, "LEAST_KEPT", 100)
    monkeypatch.setattr(hnswlib_graph, "ROWS_AT_ONCE", 20)


def agreement(index, queries, k) -> float:
    found, wanted = index.search(queries, k), topk(queries, np.array(index.vectors), k)
    return float(np.mean([len(set(a) & set(b)) / k for a, b in zip(found.rows, wanted.rows, strict=True)]))


@pytest.mark.parametrize("shape", [(1, 3), (2, 1), (3, 2), (7, 8), (300, 64), (120, 513)])
def test_a_wide_search_finds_the_true_neighbours(tmp_path, shape):
    rows, queries = unit_rows(*shape), unit_rows(9, shape[1], 1)
    index = built(tmp_path / "face", "hnswlib", rows)
    index.use({"ef": 1000})
    k = min(shape[0], 10)
    found, wanted = index.search(queries, k), topk(queries, rows, k)
    assert np.allclose(found.scores, wanted.scores, atol=1e-6)
    assert found.rows.dtype == np.int64 and found.scores.dtype == np.float64
    assert index.inspect() == []


def test_more_neighbours_than_rows_are_padded(tmp_path):
    found = built(tmp_path / "face", "hnswlib", unit_rows(3)).search(unit_rows(2), 5)
    assert sorted(found.rows[0, :3]) == [0, 1, 2] and found.rows[0, 3:].tolist() == [-1, -1]
    assert np.isneginf(found.scores[:, 3:]).all()


def test_rows_that_no_search_reaches_are_found_all_the_same(tmp_path):
    rows = np.repeat(unit_rows(3, 16), 200, axis=0)
    index = built(tmp_path / "face", "hnswlib", rows, M=2, ef_construction=4)
    found = index.search(rows[:2], 600)
    assert (np.sort(found.rows, axis=1) == np.arange(600)).all()
    assert np.allclose(index.search(rows[:1], 10).scores, 1, atol=1e-6)


def test_more_candidates_find_more(tmp_path):
    index, queries = built(tmp_path / "face", "hnswlib", unit_rows(2000, 32), M=4), unit_rows(50, 32, 1)
    shares = []
    for ef in (1, 30, 400):
        index.use({"ef": ef})
        shares.append(agreement(index, queries, 5))
    assert shares == sorted(shares) and shares[0] < 0.9 < shares[-1]


def test_knobs_and_bad_settings(tmp_path):
    index = built(tmp_path / "face", "hnswlib", unit_rows(50))
    assert index.knobs[0].ladder[0] == 8 and max(index.knobs[0].ladder) <= 50
    assert index.settings == {"ef": 64} and index.exhaustive is None
    assert index.memory_bytes() == role_file(tmp_path / "face", "index.hnswlib").stat().st_size
    with pytest.raises(SettingsError, match="ef is 0, it must be 1 to 100000"):
        index.use({"ef": 0})
    with pytest.raises(SettingsError, match="M is 1, it must be at least 2"):
        build(tmp_path / "bad", "hnswlib", unit_rows(5), M=1)
    with pytest.raises(SettingsError, match="M is 600, it must be at most 512"):
        build(tmp_path / "bad", "hnswlib", unit_rows(5), M=600)


def test_queries_that_are_not_finite_or_of_another_dimension_are_refused(tmp_path):
    index, queries = built(tmp_path / "face", "hnswlib", unit_rows(50)), unit_rows(3)
    queries[1, 2] = np.nan
    with pytest.raises(VectorError, match=r"query 1.* is not finite"):
        index.search(queries, 3)
    with pytest.raises(VectorError, match=r"the shape \(3, 9\), the index wants \(q, 8\)"):
        index.search(unit_rows(3, 9), 3)


def test_one_thread_gives_the_same_bytes_twice_and_the_seed_counts(tmp_path, one_thread):
    one, two = (build(tmp_path / name, "hnswlib", unit_rows(300)) for name in ("one", "two"))
    assert one.files == two.files
    graphs = [role_file(tmp_path / "one", "index.hnswlib").read_bytes()]
    build(tmp_path / "one", "hnswlib", unit_rows(300), seed=2)
    assert role_file(tmp_path / "one", "index.hnswlib").read_bytes() not in graphs


def test_a_build_that_was_killed_goes_on_with_the_graph_it_kept(tmp_path, kept_often, monkeypatch):
    rows = unit_rows(400, 16)

    def stop(what, done, total):
        if what == "rows in the graph" and done == 240:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "face", "hnswlib", rows, stop)
    kept = sorted(path.name for path in (tmp_path / "face" / "building").glob("step-*"))
    assert len(kept) == 1
    read, true_read = [], VectorFile.read
    monkeypatch.setattr(VectorFile, "read", lambda *asked: read.append(asked[1]) or true_read(*asked))
    index = built(tmp_path / "face", "hnswlib", rows)
    assert min(read) == 180
    index.use({"ef": 400})
    assert agreement(index, unit_rows(20, 16, 1), 5) == 1 and index.inspect() == []
    assert not list((tmp_path / "face").glob("*step*"))


def test_rows_are_added_in_place(tmp_path):
    rows, more = unit_rows(200, 16), unit_rows(60, 16, 2)
    build(tmp_path / "old", "hnswlib", rows)
    assert rewrite(tmp_path / "old", tmp_path / "new", np.ones(200, bool), more) == "added in place"
    index = open_index(tmp_path / "new")
    index.use({"ef": 300})
    assert len(index) == 260 and index.inspect() == []
    assert agreement(index, unit_rows(20, 16, 1), 8) == 1


def test_adding_that_was_killed_goes_on(tmp_path, kept_often):
    build(tmp_path / "old", "hnswlib", unit_rows(200, 16))

    def stop(what, done, total):
        if done == 360:
            raise KeyboardInterrupt

    change = (np.ones(200, bool), unit_rows(200, 16, 2))
    with pytest.raises(KeyboardInterrupt):
        rewrite(tmp_path / "old", tmp_path / "new", *change, progress=stop)
    done = []
    rewrite(tmp_path / "old", tmp_path / "new", *change, progress=lambda _, rows, total: done.append(rows))
    assert min(done) > 250
    assert open_index(tmp_path / "new").inspect() == []


def test_removing_builds_anew_and_leaves_no_byte(tmp_path):
    rows, keep = unit_rows(100, 16), np.arange(100) % 3 > 0
    build(tmp_path / "old", "hnswlib", rows)
    how = rewrite(tmp_path / "old", tmp_path / "new", keep, unit_rows(5, 16, 2))
    assert how == "built anew: hnswlib keeps removed rows in its file"
    content = b"".join(path.read_bytes() for path in (tmp_path / "new").iterdir())
    assert all((row.tobytes() in content) == bool(kept) for row, kept in zip(rows, keep, strict=True))
    assert open_index(tmp_path / "new").inspect() == []


def test_a_full_disk_is_noticed_and_the_index_before_stays(tmp_path):
    build(tmp_path / "face", "hnswlib", unit_rows(200))
    before = open_index(tmp_path / "face").search(unit_rows(2), 3).rows
    with files_of_at_most(60_000), pytest.raises(VfsearchError, match=r"hnswlib wrote 60,000 of \d+,\d+ bytes; free"):
        build(tmp_path / "face", "hnswlib", unit_rows(900, seed=3))
    assert np.array_equal(open_index(tmp_path / "face").search(unit_rows(2), 3).rows, before)
    assert len(built(tmp_path / "face", "hnswlib", unit_rows(900, seed=3))) == 900


@pytest.mark.parametrize("field", list(HnswlibHeader.__dataclass_fields__))
def test_a_header_that_does_not_fit_is_refused_before_hnswlib_reads_it(tmp_path, field, monkeypatch):
    build(tmp_path / "face", "hnswlib", unit_rows(50))
    path = role_file(tmp_path / "face", "index.hnswlib")
    number = list(HnswlibHeader.__dataclass_fields__).index(field)
    values = list(LAYOUT.unpack(path.read_bytes()[: LAYOUT.size]))
    if field == "scale":
        return
    values[number] = 2 if field == "most" else 77
    path.write_bytes(LAYOUT.pack(*values) + path.read_bytes()[LAYOUT.size :])
    monkeypatch.setattr(hnswlib_graph, "_loaded", lambda *_: pytest.fail("hnswlib read it"))
    with pytest.raises(DamagedError, match=r"index.hnswlib: (entry|[a-z_0]+) is \d+, the index wants .*make it anew"):
        hnswlib_graph.HnswlibIndex(opened(read_index_artefact(tmp_path / "face")))


@pytest.mark.parametrize("size", [0, 50, 200])
def test_a_file_that_was_cut_is_refused_before_hnswlib_reads_it(tmp_path, size):
    build(tmp_path / "face", "hnswlib", unit_rows(50))
    path = role_file(tmp_path / "face", "index.hnswlib")
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(DamagedError, match=r"index\.hnswlib"):
        hnswlib_graph.HnswlibIndex(opened(read_index_artefact(tmp_path / "face")))


def test_an_index_without_its_graph_is_refused(tmp_path):
    build(tmp_path / "face", "hnswlib", unit_rows(50))
    found = opened(read_index_artefact(tmp_path / "face"))
    del found.paths["index.hnswlib"]
    with pytest.raises(DamagedError, match=r"has no index\.hnswlib; make it anew"):
        hnswlib_graph.HnswlibIndex(found)


def test_inspecting_finds_rows_that_are_not_those_of_the_index(tmp_path):
    index = built(tmp_path / "face", "hnswlib", unit_rows(50))
    path = role_file(tmp_path / "face", "index.hnswlib")
    whole = path.read_bytes()
    header = HnswlibHeader.of(path)

    def faults_with(at: int, value: bytes) -> str:
        start = LAYOUT.size + 3 * header.entry_bytes + at
        path.write_bytes(whole[:start] + value + whole[start + len(value) :])
        return " ".join(index.inspect())

    assert "belongs to no row" in faults_with(header.label_at, b"\x63")
    assert "49 rows" not in faults_with(header.label_at, b"\x02") and "1 rows have no entry" in " ".join(
        index.inspect()
    )
    assert "is marked as deleted" in faults_with(2, b"\x01")
    assert "holds another row" in faults_with(header.row_at, b"\x01\x02\x03\x3e")
    assert "links to none" in faults_with(4, b"\xff\xff\x00\x00")


@settings(max_examples=15, deadline=None)
@given(n=st.integers(1, 40), d=st.integers(1, 33), k=st.integers(1, 45), seed=st.integers(0, 99))
def test_small_indices_of_any_shape_are_exact(tmp_path_factory, n, d, k, seed):
    folder = tmp_path_factory.mktemp("small")
    rows, queries = unit_rows(n, d, seed), unit_rows(4, d, seed + 1)
    found, wanted = built(folder / "face", "hnswlib", rows).search(queries, k), topk(queries, rows, k)
    assert np.allclose(found.scores, wanted.scores, atol=1e-6)
    shutil.rmtree(folder)
