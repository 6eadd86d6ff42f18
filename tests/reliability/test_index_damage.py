"""Damage to every kind of index: each flipped bit, each lost end is refused by name before a native library reads it.

VFSEARCH_LONG_TESTS=1 makes it 10,000 flips over all kinds, and fails each writing call of an update.
"""

import errno
import os
import random
import shutil
from pathlib import Path

import pytest
from builders import LONG, make_embeddings, make_space, rounds
from index_changes import KINDS, build, every_byte, gallery, kept, source

from vfsearch import files
from vfsearch.artefact import Artefact, read_artefact
from vfsearch.devices import set_threads
from vfsearch.errors import ArtefactError, DamagedError, LockedError, SpaceMismatchError, VfsearchError
from vfsearch.files import writer_lock
from vfsearch.index.backends import open_index
from vfsearch.index.updating import update_index
from vfsearch.index.verifying import verify_index
from vfsearch.pipeline.searched_index import require_fitting

ROWS = 120


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    """The same rows give the same graph."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("MKL_NUM_THREADS", "1")
    set_threads(1)


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    """One index of each kind."""
    folder = tmp_path_factory.mktemp("kinds")
    for kind in KINDS:
        build(folder / kind, kind, gallery(ROWS))
    return folder


@pytest.fixture
def folder(kinds, kind, tmp_path):
    """An index of this kind, which may be damaged."""
    return Path(shutil.copytree(kinds / kind, tmp_path / "face"))


def files_of(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if path.stat().st_size]


def refused(path: Path, said: str) -> None:
    """Opening names the file, and so does `index verify`; nothing is changed by an update."""
    with pytest.raises(ArtefactError) as error:
        open_index(path.parent)
    assert str(path) in str(error.value) and said in str(error.value), error.value
    assert error.value.exit_code == 3


@pytest.mark.parametrize("kind", KINDS)
def test_flipped_bits(kind, folder):
    random_, paths = random.Random(kind), files_of(folder)
    for turn in range(-(-rounds(500, 10_000) // len(KINDS))):
        path = paths[turn % len(paths)]
        good = path.read_bytes()
        bad = bytearray(good)
        bad[random_.randrange(len(bad))] ^= 1 << random_.randrange(8)
        path.write_bytes(bad)
        refused(path, "is damaged")
        if turn < len(paths):
            assert str(path) in "".join(verify_index(folder).faults)
            with pytest.raises(DamagedError, match="is damaged"):
                update_index(folder, kept(ROWS, 1))
        path.write_bytes(good)
    open_index(folder)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("change", ["empty", "half", "one byte less", "one byte more", "gone", "another file"])
def test_other_damage(kind, folder, change):
    for path in files_of(folder):
        good = path.read_bytes()
        bad = {"empty": b"", "half": good[: len(good) // 2], "one byte less": good[:-1], "one byte more": good + b"\n",
               "gone": None, "another file": b"x" * len(good)}[change]  # fmt: skip
        path.unlink() if bad is None else path.write_bytes(bad)
        lost = "does not exist" if path.name == "MANIFEST.json" else "No such file"
        refused(path, lost if bad is None else "is damaged")
        path.write_bytes(good)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_another_index_of_the_same_kind(kind, folder, tmp_path):
    other = tmp_path / "other"
    build(other, kind, gallery(ROWS, first=1000))
    theirs = read_artefact(other, "index", 2, "a test")
    ours = read_artefact(folder, "index", 2, "a test")
    for name, facts in theirs.files.items():
        own = next(each for each, of in ours.files.items() if of["role"] == facts["role"])
        if facts["sha256"] == ours.files[own]["sha256"]:
            continue
        good = (folder / own).read_bytes()
        (folder / own).write_bytes((other / name).read_bytes())
        refused(folder / own, "is damaged")
        (folder / own).write_bytes(good)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "exact"])
@pytest.mark.parametrize("change", [{"rows": 60}, {"dimension": 8}], ids=["rows", "dimension"])
def test_files_of_another_size_with_digests_that_fit(kind, change, kinds, tmp_path):
    """As another program could have sealed them: the back end's files are of other rows than the list says."""
    folder, other = tmp_path / "face", tmp_path / "other"
    shutil.copytree(kinds / kind, folder)
    build(other, kind, gallery(**{"rows": ROWS, **change}))
    _sealed_with(folder, other)
    with pytest.raises(DamagedError, match=r"face/[0-9a-f]{8}-index\."):
        open_index(folder)


def _sealed_with(folder: Path, other: Path) -> None:
    """Put the own files of another index in."""
    ours, theirs = (read_artefact(each, "index", 2, "a test") for each in (folder, other))
    for name, facts in theirs.files.items():
        if facts["role"].startswith("index."):
            own = next(each for each, of in ours.files.items() if of["role"] == facts["role"])
            ours.add(own, (other / name).read_bytes(), role=facts["role"])
    ours.write()


@pytest.mark.skipif("hnsw" not in KINDS, reason="needs faiss")
@pytest.mark.parametrize("kind", ["flat", "ivf", "hnsw"])
def test_another_metric(kind, folder):
    import faiss

    artefact = read_artefact(folder, "index", 2, "a test")
    name = next(each for each in artefact.files if each.endswith("index.faiss"))
    index = faiss.read_index(str(folder / name))
    index.metric_type = faiss.METRIC_L2
    artefact.add(name, faiss.serialize_index(index).tobytes(), role="index.faiss")
    artefact.write()
    with pytest.raises(DamagedError, match=r"metric 1.*metric 0 \(inner product\)|cannot be read by faiss"):
        open_index(folder)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_another_space_or_dimension(kind, folder):
    before = every_byte(folder)
    for space in (make_space("other", 16), make_space("toy", 9)):
        more = make_embeddings(3, space.dimension, modality="face", space=space)
        with pytest.raises(SpaceMismatchError, match="what is to be added is in the space"):
            update_index(folder, None, source(more))
        with pytest.raises(SpaceMismatchError, match="the probes is in the space"):
            require_fitting(read_artefact(folder, "index", 2, ""), "face", space, "the probes")
    assert every_byte(folder) == before


@pytest.mark.parametrize("kind", KINDS)
def test_two_writers(kind, folder):
    before = every_byte(folder)
    with writer_lock(folder), pytest.raises(LockedError, match=rf"face is being written by process {os.getpid()} on "):
        update_index(folder, kept(ROWS, 1))
    assert {**every_byte(folder), "LOCK": b""} == {**before, "LOCK": b""}
    assert update_index(folder, kept(ROWS, 1)).rows == ROWS - 1


class Failing:
    """A system call that fails at one of its calls."""

    def __init__(self, call, at: int, code: int) -> None:
        self.call, self.at, self.code, self.calls = call, at, code, 0

    def __call__(self, *arguments, **more):
        self.calls += 1
        if self.calls == self.at:
            raise OSError(self.code, os.strerror(self.code))
        return self.call(*arguments, **more)


CALLS = {
    "write": (files.os, "write", errno.ENOSPC),
    "fsync": (files.os, "fsync", errno.EIO),
    "replace": (Path, "replace", errno.EDQUOT),
    "unlink": (Path, "unlink", errno.EIO),
}
CHANGE = {"keep": kept(ROWS, 3, 4, 77), "added": source(gallery(20, first=ROWS))}


@pytest.mark.parametrize("kind", KINDS if LONG else sorted({"exact", "ivf", "svs", "hnswlib"} & set(KINDS)))
@pytest.mark.parametrize("call", CALLS)
def test_a_full_disk_at_each_call_of_an_update(kind, call, kinds, tmp_path, monkeypatch):
    shutil.copytree(kinds / kind, tmp_path / "whole")
    update_index(tmp_path / "whole", **CHANGE)
    wanted, failed = every_byte(tmp_path / "whole"), 0
    for at in range(1, 200, rounds(2, 1)):
        folder = Path(shutil.copytree(kinds / kind, tmp_path / "face"))
        with monkeypatch.context() as patch:
            owner, name, code = CALLS[call]
            failing = Failing(getattr(owner, name), at, code)
            patch.setattr(owner, name, lambda *arguments, failing=failing, **more: failing(*arguments, **more))
            said = _said_of(folder)
        if failing.calls < at:
            break
        failed += 1
        _require_whole(folder, wanted, said, failing.code)
        shutil.rmtree(folder)
    assert failed >= 2


def _said_of(folder: Path) -> str:
    try:
        update_index(folder, **CHANGE)
    except VfsearchError as error:
        return str(error)
    return ""


def _require_whole(folder: Path, wanted: dict[str, bytes], said: str, code: int) -> None:
    """Whole before or whole after, with a clear error; done again, it ends well with the very same bytes."""
    rows = len(open_index(folder))
    if said:
        assert os.strerror(code) in said or "free some space" in said, said
        assert str(folder) in said, said
    assert rows in (ROWS, ROWS + 17)
    if rows == ROWS:
        assert said
        assert update_index(folder, **CHANGE).rows == ROWS + 17
        assert every_byte(folder) == wanted


def test_a_layout_of_another_version(tmp_path):
    build(tmp_path / "face", "exact", gallery(8))
    artefact = read_artefact(tmp_path / "face", "index", 2, "a test")
    Artefact(folder=artefact.folder, kind="index", schema=99, about=artefact.about, files=artefact.files).write()
    with pytest.raises(ArtefactError, match="layout version 99, this vfsearch reads version 2"):
        update_index(tmp_path / "face", kept(8, 1))
