"""Stores in folders that only a URL reaches; `memory:` is one of this process, `file:` one that others see."""

import json
import threading
import time
import warnings
from types import SimpleNamespace

import pytest
from builders import ID_HASH, IN_PROCESS, contents, write_manifest

from vfsearch import remote_files
from vfsearch.errors import ArtefactError, DamagedError, LockedError, MissingExtraError, VfsearchError
from vfsearch.files import make_folder, move_file, read_file, remove_temporaries, write_file, writer_lock
from vfsearch.pipeline.embed import embed_manifest
from vfsearch.pipeline.index import build_indices
from vfsearch.pipeline.workspace import Workspace
from vfsearch.remote_files import place
from vfsearch.store.inspect import verify
from vfsearch.store.store import open_store

upath = pytest.importorskip("upath", reason="no universal-pathlib: pip install 'vfsearch[url]'")
fsspec = pytest.importorskip("fsspec")


class Strict(fsspec.AbstractFileSystem):
    """Knows no settings, as that of SFTP."""

    protocol = "strict"

    def __init__(self, **settings):
        if settings:
            raise TypeError("unexpected keyword argument 'use_listings_cache'")
        super().__init__()

    def info(self, path, **settings):
        raise FileNotFoundError(path)


class Away(fsspec.AbstractFileSystem):
    """A storage that does not answer."""

    protocol = "away"

    def info(self, path, **settings):
        raise RuntimeError("could not connect")

    def _open(self, path, *_, **settings):
        self.info(path)


@pytest.fixture(params=["memory://bucket/folder", "file"])
def folder(request, tmp_path):
    found = place(request.param if "://" in request.param else f"file://{tmp_path}/bucket/folder")
    yield make_folder(found)
    found.fs.rm(found.path, recursive=True)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_paths_and_urls(tmp_path, monkeypatch):
    assert place("a/b") == type(tmp_path)("a/b") and not remote_files.is_remote(place("a/b"))
    assert remote_files.is_remote(place("memory://a/b")) and str(place("memory://a/b") / "c") == "memory://a/b/c"
    with pytest.raises(VfsearchError, match=r"qq://a cannot be used as a folder: .*qq"):
        place("qq://a")
    monkeypatch.setitem(__import__("sys").modules, "upath", None)
    with pytest.raises(MissingExtraError, match=r"s3://a is a URL, and .* pip install 'vfsearch\[url\]'"):
        place("s3://a")


def test_lists_of_names_are_not_kept():
    fsspec.register_implementation("strict", Strict)
    assert place("memory://a").fs.dircache.use_listings_cache is False
    with warnings.catch_warnings(action="ignore"):
        assert place("strict://a").fs.protocol == "strict"


def test_a_storage_that_does_not_answer():
    fsspec.register_implementation("away", Away)
    said = r"away://a cannot be reached: could not connect; are address and credentials right\?"
    with warnings.catch_warnings(action="ignore"), pytest.raises(VfsearchError, match=said) as caught:
        place("away://a")
    assert not remote_files.raised_by_storage(caught.value)
    with pytest.raises(RuntimeError) as caught:
        Away().head("a")
    assert remote_files.raised_by_storage(caught.value)


def test_a_bucket_is_never_made(tmp_path):
    bucket = SimpleNamespace(drive="bucket")
    make_folder(bucket)
    folder = make_folder(place(f"file://{tmp_path}/a/b"))
    assert folder.is_dir()


def test_a_file_is_whole_or_not_there(folder):
    write_file(folder / "a", b"one")
    write_file(folder / "a", b"two")
    move_file(folder / "a", folder / "b")
    assert names(folder) == ["b"] and read_file(folder / "b", "file") == b"two"
    with pytest.raises(RuntimeError):
        remote_files.write_whole(folder / "b", lambda write: (_ for _ in ()).throw(RuntimeError()))
    assert names(folder) == ["b"] and read_file(folder / "b", "file") == b"two"
    (folder / ".vfsearch.0123abcd.partial").write_bytes(b"")
    remove_temporaries(folder)
    assert names(folder) == ["b"]
    with pytest.raises(VfsearchError, match=r"cannot read the file .*/c: \S"):
        read_file(folder / "c", "file")


def test_one_writer(folder, monkeypatch):
    monkeypatch.setattr(remote_files, "RENEWED_SECONDS", 0.05)
    with writer_lock(folder):
        begun = json.loads((folder / "LOCK").read_bytes())[1]
        time.sleep(0.3)
        assert json.loads((folder / "LOCK").read_bytes())[1] > begun
        with (
            pytest.raises(LockedError, match=r"is being written by process \d+ on .*60 s after it was stopped"),
            writer_lock(folder),
        ):
            pass
    assert names(folder) == []
    # One that was killed.
    (folder / "LOCK").write_bytes(json.dumps(["process 1 on elsewhere x", time.time() - 61]).encode())
    with writer_lock(folder):
        pass
    (folder / "LOCK").write_bytes(b"half a lo")
    with writer_lock(folder):
        pass


def test_one_that_was_taken_over_says_so(folder, monkeypatch):
    monkeypatch.setattr(remote_files, "RENEWED_SECONDS", 0.05)
    other = json.dumps(["process 1 on elsewhere x", time.time()]).encode()
    with pytest.raises(LockedError, match=r"was taken over by another process.*run the command again"):
        with writer_lock(folder):
            (folder / "LOCK").write_bytes(other)
            time.sleep(0.3)
        pytest.fail("nobody said so")
    assert (folder / "LOCK").read_bytes() == other


def test_two_that_come_at_the_same_time(folder):
    held, refused = [], []

    def take():
        try:
            with writer_lock(folder):
                held.append(1)
                time.sleep(1.0)
        except LockedError:
            refused.append(1)

    threads = [threading.Thread(target=take) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(held), len(refused)) == (1, 2)


def test_a_store(folder, tmp_path):
    write_manifest(tmp_path / "w")
    here = Workspace(folder=tmp_path / "w", embeddings=tmp_path / "here")
    there = Workspace(folder=tmp_path / "w", embeddings=folder)
    with pytest.raises(ArtefactError, match=r"no store at .*://.*MANIFEST\.json does not exist"):
        open_store(folder)
    for each in (here, there):
        report = embed_manifest(each, frozen=ID_HASH, decoding=IN_PROCESS, rows_per_part=7)
    assert report.added == 120 and embed_manifest(there, frozen=ID_HASH, decoding=IN_PROCESS).added == 0
    wanted = {name.partition("/")[2]: data for name, data in contents(tmp_path / "here").items()}
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        name: data for name, data in wanted.items() if name != "LOCK"
    }
    assert verify(folder)["problems"] == [] and open_store(folder).digest == open_store(tmp_path / "here").digest
    built = [build_indices(each, ["face"], overwrite=True)[0] for each in (here, there)]
    assert built[0].rows == built[1].rows == 60
    victim = next(path for path in folder.iterdir() if path.name.startswith("face"))
    victim.write_bytes(victim.read_bytes()[:-1])
    with pytest.raises(DamagedError, match=r"://.* is damaged"):
        open_store(folder).load("face")
