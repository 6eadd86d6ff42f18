import json
import shutil
import tomllib

import numpy as np
import pytest
from builders import unit_rows
from graph_indices import build, built, files_of_at_most, rewrite, role_file
from hypothesis import given, settings
from hypothesis import strategies as st

from vfsearch.errors import DamagedError, SettingsError, VectorError, VfsearchError
from vfsearch.index import svs_build, svs_graph
from vfsearch.index.backends import open_index, opened
from vfsearch.index.layout import read_index_artefact
from vfsearch.index.svs_files import HEADER_BYTES
from vfsearch.index.svs_graph import SvsIndex
from vfsearch.kernels.topk import topk

pytest.importorskip("svs")
KINDS = ("none", "float16", "int8")


@pytest.fixture
def one_thread(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def agreement(index, queries, k) -> float:
    found, wanted = index.search(queries, k), topk(queries, np.array(index.vectors), k)
    return float(np.mean([len(set(a) & set(b)) / k for a, b in zip(found.rows, wanted.rows, strict=True)]))


def unverified(folder) -> SvsIndex:
    return SvsIndex(opened(read_index_artefact(folder)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(1, 3), (2, 1), (3, 2), (7, 8), (300, 64), (120, 513)])
def test_a_wide_search_finds_the_true_neighbours(tmp_path, shape, kind):
    rows, queries = unit_rows(*shape), unit_rows(9, shape[1], 1)
    index = built(tmp_path / "face", "svs", rows, compression=kind)
    index.use({"window": 1000} if kind == "none" else {"window": 1000, "refine": 20})
    k = min(shape[0], 10)
    found, wanted = index.search(queries, k), topk(queries, rows, k)
    assert np.allclose(found.scores, wanted.scores, atol=1e-6)
    assert found.rows.dtype == np.int64 and found.scores.dtype == np.float64
    assert index.inspect() == []


@pytest.mark.parametrize(("kind", "loss"), [("none", 1e-6), ("float16", 1e-3), ("int8", 2e-2)])
def test_scores_of_its_own_are_close_to_true_ones(tmp_path, kind, loss):
    rows, queries = unit_rows(300, 32), unit_rows(9, 32, 1)
    index = built(tmp_path / "face", "svs", rows, compression=kind)
    index.use({} if kind == "none" else {"refine": 0})
    found = index.search(queries, 10)
    true = np.einsum("qkd,qd->qk", rows[found.rows].astype(float), queries)
    assert np.abs(found.scores - true).max() < loss


@pytest.mark.parametrize("kind", KINDS)
def test_more_neighbours_than_rows_are_padded(tmp_path, kind):
    found = built(tmp_path / "face", "svs", unit_rows(3), compression=kind).search(unit_rows(2), 5)
    assert sorted(found.rows[0, :3]) == [0, 1, 2] and found.rows[0, 3:].tolist() == [-1, -1]
    assert np.isneginf(found.scores[:, 3:]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_rows_that_no_search_reaches_are_found_all_the_same(tmp_path, kind):
    rows = np.repeat(unit_rows(3, 16), 200, axis=0)
    found = built(tmp_path / "face", "svs", rows, compression=kind).search(rows[:2], 600)
    assert (np.sort(found.rows, axis=1) == np.arange(600)).all()
    assert np.allclose(found.scores[0, :200], 1, atol=1e-6)


def test_row_0_is_found_where_its_score_is_nought(tmp_path):
    rows = np.eye(3, dtype=np.float32)
    index = built(tmp_path / "face", "svs", rows)
    assert index.search(rows[1:2], 3).rows[0].tolist() == [1, 0, 2]
    assert index.search(np.array([[0, -1, 0]], np.float32), 2).rows[0].tolist() == [0, 2]


def test_a_wider_window_finds_more(tmp_path):
    index, queries = built(tmp_path / "face", "svs", unit_rows(2000, 32), degree=8, window=20), unit_rows(50, 32, 1)
    shares = []
    for window in (1, 30, 400):
        index.use({"window": window})
        shares.append(agreement(index, queries, 5))
    assert shares == sorted(shares) and shares[0] < 0.9 < shares[-1]


def test_rescored_candidates_mend_what_rounding_lost(tmp_path):
    rows, queries = unit_rows(1500, 24), unit_rows(60, 24, 1)
    index = built(tmp_path / "face", "svs", rows, compression="int8")
    index.use(index.exhaustive)
    rounded = agreement(index, queries, 10)
    index.use({"window": 500, "refine": 4})
    assert rounded < agreement(index, queries, 10) > 0.99


def test_knobs_and_bad_settings(tmp_path):
    index = built(tmp_path / "face", "svs", unit_rows(50))
    assert [knob.name for knob in index.knobs] == ["window"] and max(index.knobs[0].ladder) <= 50
    assert index.settings == {"window": 40} and index.exhaustive is None and index.memory_bytes() > 50 * 49 * 4
    small = built(tmp_path / "small", "svs", unit_rows(50), compression="int8")
    assert small.settings == {"window": 40, "refine": 2} and small.exhaustive == {"window": 50, "refine": 0}
    with pytest.raises(SettingsError, match="window is 0, it must be 1 to 100000"):
        index.use({"window": 0})
    with pytest.raises(SettingsError, match=r"alpha is 1\.2, it must be more than 0 and at most 1"):
        build(tmp_path / "bad", "svs", unit_rows(5), alpha=1.2)
    with pytest.raises(SettingsError, match="degree is 2000, it must be at most 1024"):
        build(tmp_path / "bad", "svs", unit_rows(5), degree=2000)
    with pytest.raises(SettingsError, match="compression is 'lvq8', it must be one of none, float16, int8"):
        build(tmp_path / "bad", "svs", unit_rows(5), compression="lvq8")


def test_queries_that_are_not_finite_or_of_another_dimension_are_refused(tmp_path):
    index, queries = built(tmp_path / "face", "svs", unit_rows(50), compression="int8"), unit_rows(3)
    queries[1, 2] = np.inf
    with pytest.raises(VectorError, match=r"query 1.* is not finite"):
        index.search(queries, 3)
    with pytest.raises(VectorError, match=r"the shape \(3, 9\), the index wants \(q, 8\)"):
        index.search(unit_rows(3, 9), 3)


@pytest.mark.parametrize("kind", KINDS)
def test_one_thread_gives_the_same_bytes_twice(tmp_path, one_thread, kind):
    one, two = (build(tmp_path / name, "svs", unit_rows(300), compression=kind) for name in ("one", "two"))
    assert one.files == two.files


def test_threads_are_those_asked_for_last(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    index = built(tmp_path / "face", "svs", unit_rows(300))
    before = index.search(unit_rows(9), 3).rows
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert np.array_equal(index.search(unit_rows(9), 3).rows, before)
    assert index._graph.num_threads == 2


def test_a_build_that_was_killed_goes_on_with_the_rows_it_wrote(tmp_path, one_thread):
    rows = unit_rows(200, 16)

    def stop(what, done, total):
        if what == "rows in the graph":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "face", "svs", rows, stop, compression="int8")
    seen = []
    resumed = build(tmp_path / "face", "svs", rows, lambda what, *_: seen.append(what), compression="int8")
    assert set(seen) == {"rows in the graph"}
    assert resumed.files == build(tmp_path / "whole", "svs", rows, compression="int8").files


@pytest.mark.parametrize("kind", ["none", "float16"])
@pytest.mark.parametrize(
    ("removed", "added", "how"),
    [(0, 90, "added in place"), (90, 0, "removed in place"), (150, 60, "removed and added in place")],
)
def test_a_graph_is_changed_in_place(tmp_path, monkeypatch, kind, removed, added, how):
    monkeypatch.setattr(svs_graph, "FEW_ROWS", 50)
    rows, keep = unit_rows(600, 24), np.ones(600, bool)
    # The entry point of the graph goes too, wherever it is.
    keep[np.random.default_rng(1).choice(600, removed, replace=False)] = False
    build(tmp_path / "old", "svs", rows, compression=kind, degree=16)
    entry = tomllib.loads(json.loads(role_file(tmp_path / "old", "index.json").read_text())["config"])["object"]
    keep[entry["entry_point"]] = not removed
    assert rewrite(tmp_path / "old", tmp_path / "new", keep, unit_rows(added, 24, 2)) == how
    index = open_index(tmp_path / "new")
    assert index.inspect() == [] and len(index) == keep.sum() + added
    index.use({"window": 200})
    assert agreement(index, unit_rows(40, 24, 1), 8) > 0.98
    assert (index.search(np.array(index.vectors), 1).rows[:, 0] == np.arange(len(index))).mean() > 0.98
    content = b"".join(path.read_bytes() for path in (tmp_path / "new").iterdir())
    assert not any(row.tobytes() in content for row in index._format.encode(rows[~keep]))


def test_a_graph_that_is_changed_again_and_again_keeps_its_recall(tmp_path, monkeypatch):
    monkeypatch.setattr(svs_graph, "FEW_ROWS", 50)
    build(tmp_path / "0", "svs", unit_rows(300, 16), degree=12)
    chance = np.random.default_rng(5)
    for turn in range(20):
        keep = chance.random(len(open_index(tmp_path / f"{turn}"))) > 0.15
        new = unit_rows(int(chance.integers(0, 90)), 16, 100 + turn)
        assert rewrite(tmp_path / f"{turn}", tmp_path / f"{turn + 1}", keep, new).endswith("in place")
        index = open_index(tmp_path / f"{turn + 1}")
        index.use({"window": 100})
        assert agreement(index, unit_rows(20, 16, turn), 5) > 0.97 and index.inspect() == []


def test_rows_that_are_added_together_are_found_as_well_as_the_others(tmp_path):
    rows = unit_rows(2400, 24)
    build(tmp_path / "old", "svs", rows[:1200], degree=16)
    rewrite(tmp_path / "old", tmp_path / "new", np.ones(1200, bool), rows[1200:])
    index = open_index(tmp_path / "new")
    found = index.search(rows, 1).rows[:, 0] == np.arange(2400)
    assert found[:1200].mean() > 0.98 and found[1200:].mean() > 0.98


@pytest.mark.parametrize("degree", [2, 3, 200])
def test_graphs_of_few_and_of_many_links_work(tmp_path, degree):
    index = built(tmp_path / "face", "svs", unit_rows(300, 16), degree=degree)
    assert index.inspect() == []
    assert (index.search(unit_rows(9, 16, 1), 300).rows >= 0).all()


def test_links_to_removed_rows_make_it_build_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(svs_graph, "FEW_ROWS", 50)
    monkeypatch.setattr(svs_build.Renumbered, "whole", False)
    build(tmp_path / "old", "svs", unit_rows(200))
    how = rewrite(tmp_path / "old", tmp_path / "new", np.arange(200) > 0, unit_rows(3, seed=2))
    assert how == "built anew: SVS left links to rows that were removed"
    assert len(open_index(tmp_path / "new")) == 202


def test_a_full_disk_during_a_change_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(svs_graph, "FEW_ROWS", 50)
    build(tmp_path / "old", "svs", unit_rows(800))
    for size in (100_000, 9_000):
        change = (np.arange(800) > 0, unit_rows(3, seed=2))
        with files_of_at_most(size), pytest.raises(VfsearchError, match=r"(SVS wrote|cannot write) .*"):
            rewrite(tmp_path / "old", tmp_path / f"new-{size}", *change)


@pytest.mark.parametrize("kind", KINDS)
def test_changes_of_few_rows_build_anew_and_leave_no_byte_of_removed_rows(tmp_path, kind):
    rows, keep = unit_rows(100, 16), np.arange(100) % 3 > 0
    build(tmp_path / "old", "svs", rows, compression=kind)
    how = rewrite(tmp_path / "old", tmp_path / "new", keep, unit_rows(5, 16, 2))
    assert how.startswith("built anew: ")
    index = open_index(tmp_path / "new")
    content = b"".join(path.read_bytes() for path in (tmp_path / "new").iterdir())
    for form in (np.asarray, index._format.encode):
        removed = form(rows[~keep])
        assert not any(row.tobytes() in content for row in removed)
    assert index.inspect() == [] and len(index) == keep.sum() + 5
    assert agreement(index, unit_rows(20, 16, 1), 8) > 0.95


def test_a_full_disk_is_noticed_and_the_index_before_stays(tmp_path):
    build(tmp_path / "face", "svs", unit_rows(200))
    before = open_index(tmp_path / "face").search(unit_rows(2), 3).rows
    message = r"cannot write .*index.graph: SVS wrote 60,000 of 177,424 bytes; free some space and run it again"
    with files_of_at_most(60_000), pytest.raises(VfsearchError, match=message):
        build(tmp_path / "face", "svs", unit_rows(900, seed=3))
    assert np.array_equal(open_index(tmp_path / "face").search(unit_rows(2), 3).rows, before)
    assert not [path for path in (tmp_path / "face" / "building").iterdir() if path.is_dir()]
    assert len(built(tmp_path / "face", "svs", unit_rows(900, seed=3))) == 900


@pytest.mark.parametrize("role", ["index.graph", "index.rows"])
@pytest.mark.parametrize("damage", ["cut", "longer", "rows", "width", "magic", "empty"])
def test_a_file_that_does_not_fit_is_refused_before_svs_reads_it(tmp_path, role, damage):
    build(tmp_path / "face", "svs", unit_rows(50))
    path = role_file(tmp_path / "face", role)
    whole = bytearray(path.read_bytes())
    if damage in ("rows", "width", "magic"):
        whole[{"magic": 0, "rows": 24, "width": 32}[damage]] ^= 1
    path.write_bytes({"cut": whole[:-1], "longer": whole + b"1", "empty": b""}.get(damage, whole))
    with pytest.raises(DamagedError, match=rf"{role} (has|says)"):
        unverified(tmp_path / "face")


@pytest.mark.parametrize("role", ["index.graph", "index.rows", "index.json"])
def test_an_index_that_lacks_a_file_is_refused(tmp_path, role):
    build(tmp_path / "face", "svs", unit_rows(50))
    found = opened(read_index_artefact(tmp_path / "face"))
    del found.paths[role]
    with pytest.raises(DamagedError, match=f"has no {role}; make it anew"):
        SvsIndex(found)


@pytest.mark.parametrize(
    ("old", "new"),
    [("num_vertices = 50", "num_vertices = 51"), ("max_degree = 48", "max_degree = 500"),
     ("graph_0.svs", "/etc/passwd"),
     ("entry_point = ", "entry_point = 99999"), ("[object]", "[objects]"), ("[object]", "[object"), ("1.0", "0.0")],
)  # fmt: skip
def test_settings_that_do_not_fit_are_refused_before_svs_reads_them(tmp_path, old, new):
    build(tmp_path / "face", "svs", unit_rows(50))
    path = role_file(tmp_path / "face", "index.json")
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(DamagedError, match=r"index\.json is not what SVS wrote for this index"):
        unverified(tmp_path / "face")


def test_a_graph_that_svs_cannot_read_is_named(tmp_path):
    build(tmp_path / "face", "svs", unit_rows(50))
    path = role_file(tmp_path / "face", "index.json")
    about = json.loads(path.read_text())
    path.write_text(json.dumps({**about, "config": about["config"].replace("vamana_index_parameters", "other")}))
    with pytest.raises(DamagedError, match="SVS cannot read the index"):
        unverified(tmp_path / "face")


@pytest.mark.parametrize(
    ("role", "at", "value", "fault"),
    [("index.graph", 0, b"\xff", "links to none of the 50"), ("index.graph", 4, b"\xff\xff", "links to none of the 50"),
     ("index.rows", 8, b"\x01\x02", "holds another row")],
)  # fmt: skip
def test_inspecting_finds_links_and_rows_that_are_not_of_the_index(tmp_path, role, at, value, fault):
    index = built(tmp_path / "face", "svs", unit_rows(50))
    path = role_file(tmp_path / "face", role)
    whole = path.read_bytes()
    start = HEADER_BYTES + at
    path.write_bytes(whole[:start] + value + whole[start + len(value) :])
    assert fault in " ".join(index.inspect())


@settings(max_examples=15, deadline=None)
@given(
    n=st.integers(1, 40), d=st.integers(1, 33), k=st.integers(1, 45), seed=st.integers(0, 99),
    kind=st.sampled_from(KINDS),
)  # fmt: skip
def test_small_indices_of_any_shape_are_exact(tmp_path_factory, n, d, k, seed, kind):
    folder = tmp_path_factory.mktemp("small")
    rows, queries = unit_rows(n, d, seed), unit_rows(4, d, seed + 1)
    index = built(folder / "face", "svs", rows, compression=kind)
    index.use({"window": 100} if kind == "none" else {"window": 100, "refine": 40})
    assert np.allclose(index.search(queries, k).scores, topk(queries, rows, k).scores, atol=1e-6)
    shutil.rmtree(folder)
