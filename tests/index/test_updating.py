import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from builders import make_embeddings, make_space, rounds
from index_changes import KINDS, NEXT_STORE, STORE, build, every_byte, gallery, kept, source

from vfsearch import files
from vfsearch.artefact import read_artefact
from vfsearch.data.row_source import rows_in_memory
from vfsearch.devices import set_threads
from vfsearch.errors import DamagedError, LockedError, MismatchError, SettingsError, SpaceMismatchError, VectorError
from vfsearch.files import writer_lock
from vfsearch.index.backends import open_index
from vfsearch.index.exact import ExactIndex
from vfsearch.index.tuning import save_tuning
from vfsearch.index.updating import content_marks, update_index
from vfsearch.kernels.topk import topk

ROWS = 120


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    """The same rows give the same graph."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("MKL_NUM_THREADS", "1")
    set_threads(1)


def joined(*parts):
    """Ids, identities, paths and vectors of several galleries, one after another."""
    names = [[text for part in parts for text in column(part)]
             for column in (lambda p: p.ids, lambda p: p.identities, lambda p: p.columns["path"])]  # fmt: skip
    return *names, np.concatenate([part.vectors for part in parts])


@pytest.mark.parametrize("kind", KINDS)
def test_rows_that_stay_then_rows_that_came(kind, tmp_path):
    before, new = gallery(ROWS), gallery(30, first=ROWS)
    build(tmp_path / "face", kind, before)
    keep = kept(ROWS, 0, 5, 6, 7, ROWS - 1)
    found = update_index(tmp_path / "face", keep, source(new, NEXT_STORE), store=NEXT_STORE)
    assert (found.rows, found.added, found.removed) == (ROWS + 25, 30, 5) and found.how
    index = open_index(tmp_path / "face")
    ids, identities, paths, vectors = joined(before.take(np.flatnonzero(keep)), new)
    assert index.gallery.ids == ids and index.gallery.identities == identities
    assert index.gallery.columns == {"path": paths} and index.gallery.store == NEXT_STORE
    assert np.array_equal(index.vectors, vectors) and index.inspect() == []
    wanted, got = topk(vectors, vectors, 1), index.search(np.array(vectors), 1)
    assert (wanted.rows == got.rows).mean() > 0.9


def test_the_manifest_tells_how_many_and_never_which(tmp_path):
    build(tmp_path / "face", "exact", gallery(12))
    update_index(tmp_path / "face", kept(12, 3))
    update_index(tmp_path / "face", None, source(gallery(2, first=12)))
    artefact = read_artefact(tmp_path / "face", "index", 2, "")
    how = "in place: an exact index is its rows"
    changes = [{"added": 0, "removed": 1, "how": how}, {"added": 2, "removed": 0, "how": how}]
    assert artefact.about["changes"] == changes
    assert (artefact.about["rows"], artefact.about["store"], artefact.about["tuned"]) == (13, STORE, None)
    assert "photo" not in (tmp_path / "face" / "MANIFEST.json").read_text()
    assert sorted(facts["role"] for facts in artefact.files.values()) == ["items.safetensors", "vectors.npy"]
    assert {path.name for path in (tmp_path / "face").iterdir()} == {*artefact.files, "MANIFEST.json", "LOCK"}


def test_what_was_tuned_stays_and_is_said_to_be_stale(tmp_path):
    build(tmp_path / "face", "ivf", gallery(200), lists=4)
    save_tuning(tmp_path / "face", {"nprobe": 3}, {"target": "R@10>=0.95"})
    about = update_index(tmp_path / "face", kept(200, 1)).artefact.about
    assert about["search"] == {"nprobe": 3} and about["tuned"] == {"target": "R@10>=0.95", "stale": True}
    assert open_index(tmp_path / "face").settings["nprobe"] == 3


def test_nothing_to_do(tmp_path):
    build(tmp_path / "face", "exact", gallery(8))
    before = every_byte(tmp_path / "face")
    found = update_index(tmp_path / "face", np.ones(8, dtype=bool), _none())
    assert (found.rows, found.added, found.removed, found.how) == (8, 0, 0, "nothing to do")
    assert every_byte(tmp_path / "face") == before
    assert update_index(tmp_path / "face", store=NEXT_STORE).artefact.about["store"] == NEXT_STORE
    after = every_byte(tmp_path / "face")
    assert {name for name in before if before[name] != after[name]} == {"MANIFEST.json"}
    assert open_index(tmp_path / "face").gallery.store == NEXT_STORE


def _none():
    return rows_in_memory(gallery(1).take(np.arange(0)), STORE)


def test_a_row_can_be_replaced_and_all_rows_too(tmp_path):
    build(tmp_path / "face", "exact", gallery(8))
    update_index(tmp_path / "face", kept(8, 2), source(gallery(1, first=2, seed=9)))
    index = open_index(tmp_path / "face")
    assert index.gallery.ids[-1] == "photo-number-2"
    assert np.array_equal(index.vectors[-1], gallery(1, first=2, seed=9).vectors[0])
    update_index(tmp_path / "face", np.zeros(8, dtype=bool), source(gallery(3, first=50)))
    assert open_index(tmp_path / "face").gallery.ids == [f"photo-number-{number}" for number in (50, 51, 52)]


@pytest.mark.parametrize(
    ("rows", "error", "said"),
    [
        (make_embeddings(3, 16, modality="voice"), MismatchError, r"are voice rows, .*face holds face rows"),
        (make_embeddings(3, 16, modality="face", space=make_space("other", 16)), SpaceMismatchError, "other:.*toy:"),
        (make_embeddings(3, 9, modality="face"), SpaceMismatchError, r"\(9-d\).*\(16-d\)"),
        (gallery(3, first=6), MismatchError, r"2 of the 3 rows .*, the first is 'photo-number-6'"),
    ],
)  # fmt: skip
def test_rows_that_do_not_fit(rows, error, said, tmp_path):
    build(tmp_path / "face", "exact", gallery(8))
    before = every_byte(tmp_path / "face")
    with pytest.raises(error, match=said) as raised:
        update_index(tmp_path / "face", None, source(rows))
    assert raised.value.exit_code == 6 and every_byte(tmp_path / "face") == before


def test_a_block_of_another_space_than_its_source(tmp_path):
    build(tmp_path / "face", "exact", gallery(8))
    lying = source(gallery(2, first=8))
    other = make_embeddings(2, 16, modality="face", space=make_space("other", 16))
    object.__setattr__(lying, "read", lambda number: other)
    with pytest.raises(SpaceMismatchError, match="other"):
        update_index(tmp_path / "face", None, lying)


def test_an_id_twice_and_a_row_that_is_none(tmp_path):
    build(tmp_path / "face", "exact", gallery(8))
    twice = source(gallery(101, first=10))
    blocks = [gallery(100, first=10), gallery(1, first=40)]
    object.__setattr__(twice, "read", lambda number: blocks[number])
    with pytest.raises(VectorError, match="the id 'photo-number-40' is there twice among the rows to add"):
        update_index(tmp_path / "face", None, twice)
    bad = gallery(2, first=20)
    bad.vectors[1] = np.nan
    with pytest.raises(VectorError, match="'photo-number-21' is not finite"):
        update_index(tmp_path / "face", None, rows_in_memory(bad, STORE))


def test_no_row_left_and_a_keep_of_another_length(tmp_path):
    build(tmp_path / "face", "exact", gallery(8))
    with pytest.raises(SettingsError, match=r"no row of .*face would be left; remove the folder .*face instead"):
        update_index(tmp_path / "face", np.zeros(8, dtype=bool))
    for wrong in (np.ones(7, dtype=bool), np.ones(8)):
        with pytest.raises(SettingsError, match="has 8 rows: which of them stay must be a bool of each"):
            update_index(tmp_path / "face", wrong)


def test_search_settings_are_brought_into_the_ranges_of_what_was_built_anew(tmp_path):
    build(tmp_path / "face", "ivf", gallery(200), lists=16)
    save_tuning(tmp_path / "face", {"nprobe": 16}, {"target": "R@10>=0.95"})
    found = update_index(tmp_path / "face", np.arange(200) < 9)
    most = open_index(tmp_path / "face").knobs[0].high
    assert most <= 9 and found.artefact.about["search"] == {"nprobe": most}


def test_a_back_end_that_refuses_the_rest_changes_nothing(tmp_path, monkeypatch):
    def refuse(*_):
        raise SettingsError("16 lists, there are 9 rows")

    build(tmp_path / "face", "exact", gallery(20))
    before = every_byte(tmp_path / "face")
    monkeypatch.setattr(ExactIndex, "rewrite", refuse)
    with pytest.raises(SettingsError, match="16 lists"):
        update_index(tmp_path / "face", np.arange(20) < 9)
    assert every_byte(tmp_path / "face") == before


def test_a_damaged_index_is_not_updated(tmp_path):
    build(tmp_path / "face", "exact", gallery(8))
    (path,) = (tmp_path / "face").glob("*.npy")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(DamagedError, match=str(path)):
        update_index(tmp_path / "face", kept(8, 1))


def test_while_another_writes(tmp_path):
    build(tmp_path / "face", "exact", gallery(8))
    with writer_lock(tmp_path / "face"), pytest.raises(LockedError, match=f"written by process {os.getpid()}"):
        update_index(tmp_path / "face", kept(8, 1))
    with writer_lock(tmp_path / "face"), pytest.raises(LockedError, match=f"written by process {os.getpid()}"):
        update_index(tmp_path / "face", store=NEXT_STORE)


def test_who_has_the_old_index_open_goes_on_with_it(tmp_path):
    build(tmp_path / "face", "exact", gallery(40))
    old = open_index(tmp_path / "face")
    before = old.search(gallery(4).vectors, 5)
    update_index(tmp_path / "face", kept(40, *range(20)))
    after = old.search(gallery(4).vectors, 5)
    assert np.array_equal(before.rows, after.rows) and old.gallery.ids[0] == "photo-number-0"


def test_marks_are_equal_for_equal_contents_alone():
    marks = content_marks([b"a", b"b", b"a", b""])
    assert marks.shape == (4, 2) and np.array_equal(marks[0], marks[2])
    assert len({tuple(mark) for mark in marks.tolist()}) == 3 and content_marks([]).shape == (0, 2)


KILLED = """
import importlib, os, shutil, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from index_changes import gallery, kept, source
from vfsearch import files
from vfsearch.index import backends, updating
from vfsearch.index.layout import read_index_artefact

before, step = Path(sys.argv[2]), int(sys.argv[3])
# Loaded once, before there are threads; each update is a fork.
for name in ("numba", "vfsearch.kernels.topk"):
    importlib.import_module(name)
backends.BACKENDS.load(read_index_artefact(before).about["backend"])

def counted(call, at):
    def one(*arguments, **more):
        counted.calls += 1
        if counted.calls == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments, **more)
    return one

def update(folder, at):
    counted.calls = 0
    for owner, name in ((Path, "replace"), (Path, "unlink"), (os, "write"), (os, "fsync")):
        setattr(owner, name, counted(getattr(owner, name), at))
    updating.update_index(folder, kept(150, 3, 4, 77), source(gallery(20, first=150)))

for at in (0, *range(1, 1000, step)):
    folder = before.with_name(str(at))
    shutil.copytree(before, folder)
    pid = os.fork()
    if not pid:
        update(folder, at)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    print(folder.name, code, flush=True)
    if at and not code:
        break
"""


@pytest.mark.parametrize("kind", [kind for kind in ("exact", "ivf", "hnswlib", "svs") if kind in KINDS])
def test_killed_at_any_call(kind, tmp_path):
    """Whole before or whole after; the next run ends well, with the same bytes as one that was not disturbed."""
    before = gallery(150)
    build(tmp_path / "before", kind, before)
    words = [sys.executable, "-c", KILLED, Path(__file__).parents[1], tmp_path / "before", rounds(5, 1)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    said = subprocess.run([*map(str, words)], env=environment, capture_output=True, text=True, check=True).stdout
    ends = [tuple(map(int, line.split())) for line in said.splitlines()]
    assert ends[0] == (0, 0) and ends[-1][1] == 0 and {code for _, code in ends[1:-1]} == {-signal.SIGKILL}
    wanted, ids = every_byte(tmp_path / "0"), open_index(tmp_path / "0").gallery.ids
    for at, _ in ends[1:-1]:
        folder = tmp_path / str(at)
        assert open_index(folder).gallery.ids in (before.ids, ids)
        if open_index(folder).gallery.ids == before.ids:
            update_index(folder, kept(150, 3, 4, 77), source(gallery(20, first=150)))
            assert every_byte(folder) == wanted
    assert len(ends) > 6


def test_a_killed_update_goes_on_where_it_was(tmp_path, monkeypatch):
    build(tmp_path / "face", "exact", gallery(50))
    real, written = files.os.write, []

    def full(descriptor, data):
        written.append(len(data))
        if len(written) > 4:
            raise OSError(28, "No space left on device")
        return real(descriptor, data)

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "write", full)
        with pytest.raises(Exception, match="free some space"):
            update_index(tmp_path / "face", kept(50, 1))
    done = json.loads((tmp_path / "face" / "building" / "MANIFEST.json").read_text())
    assert set(done["files"]) and set(done["about"]["update"]) == {"of", "keep", "added", "store"}
    assert update_index(tmp_path / "face", kept(50, 1)).rows == 49
    assert not (tmp_path / "face" / "building").exists()
