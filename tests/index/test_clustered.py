import io

import numpy as np
import pytest
from builders import unit_rows
from graph_indices import build, built, rewrite, role_file
from hypothesis import given, settings
from hypothesis import strategies as st

from vfsearch.errors import DamagedError, SettingsError, VectorError
from vfsearch.index import clustered
from vfsearch.index.backends import open_index, opened
from vfsearch.index.centres import spherical_centres
from vfsearch.index.clustered import ClusteredIndex
from vfsearch.index.layout import read_index_artefact
from vfsearch.index.presets import buildable
from vfsearch.index.recall import recalls
from vfsearch.kernels.topk import topk
from vfsearch.progress import silent


def around(n, groups, d=16, seed=0, spread=0.5):
    """Unit rows around a few directions."""
    random = np.random.default_rng(seed)
    rows = unit_rows(groups, d, seed)[random.integers(0, groups, n)] + spread * unit_rows(n, d, seed + 1)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def check_all(index, queries, k):
    index.use(index.exhaustive)
    found, wanted = index.search(queries, k), topk(queries, np.array(index.vectors), k)
    assert np.array_equal(found.rows, wanted.rows) and np.array_equal(found.scores, wanted.scores)


@settings(max_examples=15, deadline=None)
@given(n=st.integers(1, 300), d=st.integers(1, 33), k=st.integers(1, 40), seed=st.integers(0, 99), data=st.data())
def test_all_lists_give_what_the_exact_index_gives(tmp_path_factory, n, d, k, seed, data):
    rows = unit_rows(n, d, seed)[np.random.default_rng(seed).integers(0, n, n)]
    lists = data.draw(st.integers(1, n))
    index = built(tmp_path_factory.mktemp("small") / "face", "clustered", rows, lists=lists, rounds=2)
    for asked in (3, 20):
        check_all(index, unit_rows(asked, d, seed + 1), k)
    assert index.inspect() == []


def test_more_lists_find_more(tmp_path):
    rows, queries = around(3000, 40), around(50, 40, seed=3)
    index = built(tmp_path / "face", "clustered", rows, lists=40)
    truth, shares = topk(queries, rows, 10), []
    for nprobe in (1, 5, 20, len(index._centres)):
        index.use({"nprobe": nprobe})
        shares.append(recalls(index.search(queries, 10), truth, queries, rows).mean())
    assert shares == sorted(shares) and 0.3 < shares[0] < 0.98 < shares[-1] == 1


def test_few_queries_are_answered_as_many_are(tmp_path):
    rows, queries = around(2000, 30), around(30, 30, seed=3)
    index = built(tmp_path / "face", "clustered", rows, lists=25)
    few = [index.search(queries[[each]], 10) for each in range(4)]
    assert "_gallery" not in vars(index)
    many = index.search(queries, 10)
    assert "_gallery" in vars(index)
    assert np.array_equal(np.concatenate([each.rows for each in few]), many.rows[:4])
    assert np.array_equal(np.concatenate([each.scores for each in few]), many.scores[:4])


def test_an_open_index_outlives_its_files(tmp_path):
    rows = around(500, 5)
    index = built(tmp_path / "face", "clustered", rows, lists=5)
    build(tmp_path / "face", "clustered", around(300, 5, seed=7), lists=4)
    check_all(index, rows[:20], 5)
    assert len(index) == 500


def test_scores_are_exact_and_rows_in_their_order(tmp_path):
    rows = np.repeat(around(100, 5), 3, axis=0)
    found = built(tmp_path / "face", "clustered", rows, lists=5).search(rows[:20], 6)
    assert found.rows[:, :3].tolist() == [[row // 3 * 3 + each for each in range(3)] for row in range(20)]
    assert np.allclose(found.scores[:, :3], 1, atol=1e-6)


def test_so_many_lists_are_looked_at_that_they_hold_k_rows(tmp_path):
    index = built(tmp_path / "face", "clustered", unit_rows(300), lists=60)
    index.use({"nprobe": 1})
    assert (index.search(unit_rows(20, seed=1), 250).rows >= 0).all()
    found = index.search(unit_rows(20, seed=1), 305)
    assert (np.sort(found.rows[:, :300]) == np.arange(300)).all() and (found.rows[:, 300:] == -1).all()


@pytest.mark.parametrize("share", [0.1, 0.6, 1])
@pytest.mark.parametrize("everything", [False, True])
def test_searches_among_some_rows(tmp_path, share, everything):
    rows, queries = around(1000, 10), around(30, 10, seed=3)
    some = np.flatnonzero(np.random.default_rng(0).random(1000) < share)
    index = built(tmp_path / "face", "clustered", rows, lists=20)
    index.use(index.exhaustive if everything else {"nprobe": 3})
    found, wanted = index.search(queries, 10, some), topk(queries, rows[some], 10)
    assert np.isin(found.rows, some).all()
    if everything or share == 0.1:
        assert np.array_equal(found.rows, some[wanted.rows])
    else:
        assert np.mean(found.scores[:, 0] == wanted.scores[:, 0]) > 0.8


def test_searches_among_rows_that_the_lists_lack_are_exact(tmp_path):
    rows = around(400, 4, spread=0.01)
    index = built(tmp_path / "face", "clustered", rows, lists=4)
    index.use({"nprobe": 1})
    away = rows @ rows[0] < 0.9
    found = index.search(rows[~away], 5, np.flatnonzero(away))
    assert np.array_equal(found.scores, topk(rows[~away], rows[away], 5).scores)


def test_a_row_that_must_not_be_found(tmp_path):
    rows = around(500, 8)
    index = built(tmp_path / "face", "clustered", rows, lists=8)
    index.use(index.exhaustive)
    found = index.search(rows[:30], 5, exclude=np.arange(30))
    assert np.array_equal(found.rows, topk(rows[:30], rows, 5, np.arange(30)).rows)


def test_knobs_defaults_and_bad_settings(tmp_path):
    index = built(tmp_path / "face", "clustered", unit_rows(700), lists=48)
    assert index.settings == {"nprobe": 29} and index.knobs[0].ladder[:4] == (1, 2, 3, 4)
    assert index.knobs[0].ladder[-1] == index.knobs[0].high == 48 and index.exhaustive == {"nprobe": 48}
    assert index.memory_bytes() > 700 * 8 and "clustered" in [preset.name for preset in buildable()]
    assert built(tmp_path / "small", "clustered", unit_rows(700)).made_with.parameters == {"lists": 5, "rounds": 8}
    with pytest.raises(SettingsError, match="nprobe is 49, it must be 1 to 48"):
        index.use({"nprobe": 49})
    with pytest.raises(SettingsError, match="lists is 6, there are 5 rows to put into them"):
        build(tmp_path / "bad", "clustered", unit_rows(5), lists=6)
    with pytest.raises(VectorError, match="'query 0' is not finite"):
        index.search(np.full((1, 8), np.nan, np.float32), 3)


def test_threads_and_runs_give_the_same_bytes(tmp_path, monkeypatch):
    kept = []
    for threads in ("1", "3"):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        kept.append(build(tmp_path / threads, "clustered", unit_rows(900), lists=12).files)
    assert kept[0] == kept[1]
    assert kept[0] != build(tmp_path / "seed", "clustered", unit_rows(900), seed=2, lists=12).files


@pytest.mark.parametrize("stage", ["rounds of clustering", "rows put into lists"])
def test_a_build_that_was_killed_goes_on(tmp_path, stage):
    def stop(what, done, total):
        if what == stage:
            raise KeyboardInterrupt

    rows, seen = unit_rows(300, 16), []
    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "face", "clustered", rows, stop, lists=7)
    resumed = build(tmp_path / "face", "clustered", rows, lambda what, *_: seen.append(what), lists=7)
    assert ("rounds of clustering" in seen) == (stage == "rounds of clustering")
    assert resumed.files == build(tmp_path / "whole", "clustered", rows, lists=7).files


def test_rows_come_and_go_in_place_and_leave_no_byte(tmp_path):
    rows, keep = around(400, 6), np.arange(400) % 3 > 0
    build(tmp_path / "old", "clustered", rows, lists=150)  # so many that some rows are alone in their list
    how = rewrite(tmp_path / "old", tmp_path / "new", keep, around(50, 6, seed=9))
    assert how.startswith("in place")
    index = open_index(tmp_path / "new")
    assert len(index) == keep.sum() + 50 and index.inspect() == [] and len(index._centres) < 150
    content = b"".join(path.read_bytes() for path in (tmp_path / "new").iterdir())
    assert not any(row.tobytes() in content for row in rows[~keep])
    check_all(index, unit_rows(30, 16, 1), 10)


def test_centres_stand_amid_the_rows_that_are_left(tmp_path):
    rows, keep = around(300, 6), np.arange(300) >= 100
    build(tmp_path / "old", "clustered", rows, lists=10)
    rewrite(tmp_path / "old", tmp_path / "new", keep, around(5, 6, seed=9))
    index = open_index(tmp_path / "new")
    for each, centre in enumerate(index._centres):
        sum_ = index.vectors[index._lists == each].astype(float).sum(axis=0)
        assert centre == pytest.approx(sum_ / np.linalg.norm(sum_), abs=1e-6)


def test_many_new_rows_build_anew(tmp_path):
    build(tmp_path / "old", "clustered", unit_rows(200), lists=5)
    how = rewrite(tmp_path / "old", tmp_path / "new", np.zeros(200, bool), unit_rows(300, seed=4))
    assert how == "built anew: more rows were added than there were before"
    check_all(open_index(tmp_path / "new"), unit_rows(9, seed=1), 4)


def unverified(folder) -> ClusteredIndex:
    return ClusteredIndex(opened(read_index_artefact(folder)))


def npy(rows) -> bytes:
    file = io.BytesIO()
    np.save(file, rows)
    return file.getvalue()


@pytest.mark.parametrize(
    ("role", "content", "message"),
    [
        ("index.centres", b"", "holds no numbers"),
        ("index.centres", npy(np.zeros((3, 7), np.float32)), "holds no centres of 8 dimensions"),
        ("index.centres", npy(np.full((3, 8), np.nan, np.float32)), "holds no centres of 8 dimensions"),
        ("index.centres", npy(np.zeros((3, 8))), "holds float64"),
        ("index.lists", npy(np.zeros(50, np.int64)), "holds int64"),
        ("index.lists", npy(np.full(50, 3, np.int32)), "does not say which of 3 lists"),
        ("index.lists", npy(np.full(50, -1, np.int32)), "does not say which of 3 lists"),
        ("index.lists", npy(np.zeros(49, np.int32)), "does not say which of 3 lists"),
    ],
)
def test_files_that_do_not_fit_are_refused(tmp_path, role, content, message):
    build(tmp_path / "face", "clustered", unit_rows(50), lists=3)
    path = role_file(tmp_path / "face", role)
    path.write_bytes(content)
    with pytest.raises(DamagedError, match=message):
        unverified(tmp_path / "face")


@pytest.mark.parametrize("role", ["index.centres", "index.lists"])
def test_an_index_that_lacks_a_file_is_refused(tmp_path, role):
    build(tmp_path / "face", "clustered", unit_rows(50), lists=3)
    found = opened(read_index_artefact(tmp_path / "face"))
    del found.paths[role]
    with pytest.raises(DamagedError, match=f"has no {role}; make it anew"):
        ClusteredIndex(found)


def test_inspecting_finds_a_centre_without_rows(tmp_path):
    build(tmp_path / "face", "clustered", unit_rows(50), lists=3)
    role_file(tmp_path / "face", "index.lists").write_bytes(npy(np.zeros(50, np.int32)))
    assert "no row is in the list 1" in " ".join(unverified(tmp_path / "face").inspect())


def test_ladder_is_dense():
    steps = np.array(clustered._ladder(2000))
    assert (steps[1:] / steps[:-1] < 1.13).all() == (steps[:-1] > 8).all() or (np.diff(steps[:8]) == 1).all()


def test_clusters_are_found():
    rows = around(500, 5, spread=0.05)
    centres = spherical_centres(rows, 5, 10, 1, silent)
    assert (rows @ centres.T).max(axis=1).min() > 0.9
    assert centres.dtype == np.float32 and np.allclose(np.linalg.norm(centres, axis=1), 1, atol=1e-6)


def test_more_centres_than_different_rows():
    rows = np.repeat(unit_rows(3), 10, axis=0)
    centres = spherical_centres(rows, 8, 4, 1, silent)
    assert np.isfinite(centres).all() and np.allclose(np.linalg.norm(centres, axis=1), 1, atol=1e-6)


def test_rows_that_cancel_one_another_out(tmp_path):
    row = unit_rows(1)
    index = built(tmp_path / "face", "clustered", np.concatenate([row, -row]), lists=1)
    assert index.search(row, 2).rows.tolist() == [[0, 1]]
