"""Every writing call fails once: a clear error, the state before is whole, no temporary file, the next run ends well.

VFSEARCH_LONG_TESTS=1 fails each call of a whole run; else every third.
"""

import errno
import os
import shutil
from pathlib import Path

import pytest
from builders import ID_HASH, IN_PROCESS, contents, make_shard, rounds, write_manifest

from vfsearch import files
from vfsearch.errors import VfsearchError
from vfsearch.index.backends import open_index
from vfsearch.networks.heads import HeadSettings
from vfsearch.pipeline.embed import embed_manifest
from vfsearch.pipeline.index import IndexRequest, build_indices
from vfsearch.pipeline.train import train_model
from vfsearch.pipeline.workspace import Workspace
from vfsearch.store.inspect import verify
from vfsearch.store.store import open_store
from vfsearch.store.writer import writing
from vfsearch.train.settings import TrainSettings

TRAINING = TrainSettings(head=HeadSettings(dimension=16, hidden=0), stages=("retrain",), steps=5, batch_size=2,
                         checkpoint_steps=2)  # fmt: skip


class Failing:
    """A system call that fails at one of its calls; `calls` counts them."""

    def __init__(self, call, at: int, code: int) -> None:
        self.call, self.at, self.code, self.calls = call, at, code, 0

    def __call__(self, *arguments):
        self.calls += 1
        if self.calls == self.at:
            raise OSError(self.code, os.strerror(self.code))
        return self.call(*arguments)


CALLS = {
    "write": (files.os, "write", errno.ENOSPC),
    "write-eio": (files.os, "write", errno.EIO),
    "fsync": (files.os, "fsync", errno.EIO),
    "open": (files.os, "open", errno.ENOSPC),
    "replace": (Path, "replace", errno.EDQUOT),
    "lock": (files.os, "pwrite", errno.ENOSPC),
}


def failing(monkeypatch, name: str, at: int) -> Failing:
    owner, attribute, code = CALLS[name]
    call = getattr(owner, attribute)
    one = Failing(call, at, code)
    # a plain function, so that it is bound when it stands for a method
    monkeypatch.setattr(owner, attribute, lambda *arguments, **more: one(*arguments, **more))
    return one


def work(place: Workspace) -> None:
    embed_manifest(place, ID_HASH, IN_PROCESS, rows_per_part=15)
    build_indices(place)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    write_manifest(folder, identities=3)
    work(Workspace(folder=folder))
    return list(contents(folder).values())


@pytest.fixture(scope="module")
def undisturbed_index(tmp_path_factory):
    """A workspace with an exact index, the kind of index that is to replace it, and the bytes once it has."""
    folder = tmp_path_factory.mktemp("undisturbed-index")
    before, after = Workspace(folder=folder / "before"), Workspace(folder=folder / "after")
    write_manifest(before.folder, identities=3)
    work(before)
    kind = IndexRequest(preset="ivf", parameters={"lists": 2}, name="face")
    shutil.copytree(before.folder, after.folder)
    build_indices(after, ["face"], [kind])
    return before, kind, list(contents(after.folder).values())


@pytest.mark.parametrize("name", CALLS)
def test_every_call_of_embed_and_index(name, undisturbed, tmp_path, monkeypatch):
    made = 0
    for at in range(1, 400, rounds(3, 1)):
        place = Workspace(folder=tmp_path / str(at))
        write_manifest(place.folder, identities=3)
        with monkeypatch.context() as patch:
            failed = failing(patch, name, at)
            try:
                work(place)
            except VfsearchError as error:
                said = str(error)
            else:
                said = ""
        if not said:
            assert failed.calls < at
            break
        made += 1
        assert os.strerror(failed.code) in said and str(place.folder) in said
        if said.startswith("cannot write"):
            assert ("free some space" in said) == (failed.code != errno.EIO)
        assert not list(place.folder.rglob(f"*{files.TEMPORARY_SUFFIX}"))
        for store in (place.features_folder, place.store_folder):
            if (store / "MANIFEST.json").exists():
                assert not verify(store)["problems"]
        work(place)
        assert list(contents(place.folder).values()) == undisturbed
        shutil.rmtree(place.folder)
    assert made >= (2 if name == "lock" else 6)


@pytest.mark.parametrize("name", CALLS)
def test_every_call_of_a_build_over_an_index(name, undisturbed_index, tmp_path, monkeypatch):
    before, kind, wanted = undisturbed_index
    old = contents(before.folder)
    for at in range(1, 100, rounds(2, 1)):
        place = Workspace(folder=tmp_path / str(at) / before.folder.name)
        shutil.copytree(before.folder, place.folder)
        with monkeypatch.context() as patch:
            failed = failing(patch, name, at)
            try:
                build_indices(place, ["face"], [kind])
            except VfsearchError as error:
                said = str(error)
            else:
                said = ""
        if not said:
            assert failed.calls < at
            break
        assert os.strerror(failed.code) in said and str(place.index_folder("face")) in said
        # The index before is whole, or, when it is the very last call that failed, the new one.
        assert len(open_index(place.index_folder("face"))) == 15
        assert not list(place.folder.rglob(f"*{files.TEMPORARY_SUFFIX}"))
        now, manifest = contents(place.folder), "before/index/face/MANIFEST.json"
        assert now[manifest] != old[manifest] or old.items() <= now.items()
        build_indices(place, ["face"], [kind])
        assert list(contents(place.folder).values()) == wanted
        shutil.rmtree(place.folder)
    assert at > (1 if name == "lock" else 8)


def test_every_file_of_a_training(tmp_path, monkeypatch):
    whole = Workspace(folder=tmp_path / "whole")
    write_manifest(whole.folder, identities=4)
    train_model(whole, TRAINING, ID_HASH)
    for at in range(1, 100):
        place = Workspace(folder=tmp_path / str(at))
        shutil.copytree(whole.folder, place.folder, ignore=shutil.ignore_patterns("model"))
        with monkeypatch.context() as patch:
            failed = failing(patch, "replace", at)
            try:
                train_model(place, TRAINING, ID_HASH)
            except VfsearchError:
                stopped = True
            else:
                stopped = False
        train_model(place, TRAINING, ID_HASH)
        assert list(contents(place.model_folder).values()) == list(contents(whole.model_folder).values())
        shutil.rmtree(place.folder)
        if not stopped:
            assert failed.calls < at
            break
    # Checkpoints with their curves, then each file of the finished model and its manifest.
    assert at > 15


def test_a_store_that_is_added_to_keeps_what_it_holds(tmp_path, monkeypatch):
    with writing(tmp_path, {"spaces": {}}, "float32") as writer:
        writer.add("voice-00000-00000000.h5", make_shard())
        before = contents(tmp_path)
        for name in ("write", "write-eio", "fsync", "open", "replace"):
            with monkeypatch.context() as patch:
                failing(patch, name, 1)
                with pytest.raises(VfsearchError, match=r"cannot write .*voice-00001-00000000\.h5: "):
                    writer.add("voice-00001-00000000.h5", make_shard())
            assert contents(tmp_path) == before
    assert list(open_store(tmp_path, complete=False).artefact.files) == ["voice-00000-00000000.h5"]


def test_a_disk_that_takes_only_a_few_bytes_at_a_time(tmp_path, monkeypatch):
    write = os.write
    monkeypatch.setattr(files.os, "write", lambda descriptor, data: write(descriptor, data[:7]))
    files.write_file(tmp_path / "a", bytes(range(100)))
    assert (tmp_path / "a").read_bytes() == bytes(range(100))


def test_a_real_full_disk():
    with pytest.raises(VfsearchError, match=r"cannot write /dev/full/x: Not a directory"):
        files.write_file(Path("/dev/full/x"), b"1")
