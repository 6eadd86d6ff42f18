import faiss
import numpy as np
import pytest
from builders import contents
from faiss_galleries import built, faces_and_voices, source

from vfsearch import devices
from vfsearch.errors import VfsearchError
from vfsearch.index import faiss_build
from vfsearch.index.building import build_index
from vfsearch.index.presets import PRESETS
from vfsearch.index.writer import IndexWriter

KINDS = ["Flat", "SQ8", "IVF8,Flat", "IVF8,SQ8", "IVF8,PQ8x4fs", "IVF8,PQ4x4", "IVF8,RaBitQ", "HNSW8,Flat",
         "PCA8,IVF8,SQ8", "PQ8x4fs", "IVF8,SQ8,RFlat", "IVF8_HNSW8,Flat", "IVF8,RaBitQfs", "HNSW8,SQ8"]  # fmt: skip


@pytest.fixture
def small_parts(monkeypatch):
    """Parts of 300 rows, added in pieces of 100."""
    monkeypatch.setattr(faiss_build, "ROWS_AT_ONCE", 100)
    monkeypatch.setattr(faiss_build, "PART_ROWS", 300)


def index_bytes(folder) -> bytes:
    (path,) = folder.glob("*-index.faiss")
    return path.read_bytes()


@pytest.mark.parametrize("factory", KINDS)
def test_parts_put_together_are_what_faiss_writes_itself(tmp_path, factory, small_parts):
    vectors, _ = faces_and_voices(1000)
    built(tmp_path / "a", vectors, factory)
    again = faiss.read_index(str(next((tmp_path / "a").glob("*-index.faiss"))))
    faiss.write_index(again, str(tmp_path / "again"))
    assert (tmp_path / "again").read_bytes() == index_bytes(tmp_path / "a")


@pytest.mark.parametrize("factory", [kind for kind in KINDS if "HNSW8," not in kind or "IVF" in kind])
def test_several_parts_give_the_bytes_of_one(tmp_path, factory, small_parts, monkeypatch):
    vectors, _ = faces_and_voices(1000)
    built(tmp_path / "a", vectors, factory)
    monkeypatch.setattr(faiss_build, "PART_ROWS", 10_000)
    built(tmp_path / "b", vectors, factory)
    assert index_bytes(tmp_path / "a") == index_bytes(tmp_path / "b")


@pytest.mark.parametrize("factory", ["IVF8,Flat", "IVF8,PQ8x4fs", "HNSW8,Flat", "PQ4x4", "IVF64_HNSW8,SQ8"])
def test_the_number_of_threads_changes_nothing(tmp_path, factory, monkeypatch):
    vectors, _ = faces_and_voices(1000)
    built(tmp_path / "a", vectors, factory)
    monkeypatch.setattr(devices, "threads", lambda: 3)
    built(tmp_path / "b", vectors, factory)
    assert contents(tmp_path / "a") == {
        name.replace("b/", "a/", 1): data for name, data in contents(tmp_path / "b").items()
    }


def test_another_seed_is_another_index(tmp_path):
    vectors, _ = faces_and_voices(1000)
    built(tmp_path / "a", vectors, "IVF8,Flat", seed=1)
    built(tmp_path / "b", vectors, "IVF8,Flat", seed=2)
    assert index_bytes(tmp_path / "a") != index_bytes(tmp_path / "b")


class Killed(BaseException):
    """What stands for the end of a process."""


def killed_after(monkeypatch, steps: int) -> None:
    """End the build once the writer has done so many things."""
    left = [steps]

    def counting(method):
        def counted(self, *rest, **more):
            if not left[0]:
                raise Killed
            left[0] -= 1
            return method(self, *rest, **more)

        return counted

    for name in ("add", "add_streamed", "drop", "finish"):
        monkeypatch.setattr(IndexWriter, name, counting(getattr(IndexWriter, name)))


@pytest.mark.parametrize("factory", ["Flat", "IVF8,SQ8", "IVF8,PQ8x4fs", "HNSW8,Flat", "PCA8,IVF8,Flat"])
def test_a_build_killed_after_any_step_goes_on_to_the_same_bytes(tmp_path, factory, small_parts, monkeypatch):
    vectors, _ = faces_and_voices(1000)
    built(tmp_path / "a", vectors, factory)
    wanted, steps = contents(tmp_path / "a"), 0
    while True:
        with monkeypatch.context() as patch:
            killed_after(patch, steps)
            try:
                built(tmp_path / "b" / str(steps) / "a", vectors, factory)
                break
            except Killed:
                pass
        built(tmp_path / "b" / str(steps) / "a", vectors, factory)
        assert contents(tmp_path / "b" / str(steps) / "a") == wanted
        steps += 1
    assert steps >= (5 if factory == "Flat" else 9)


def test_what_is_done_is_not_done_again(tmp_path, small_parts, monkeypatch):
    vectors, _ = faces_and_voices(1000)
    with monkeypatch.context() as patch:
        killed_after(patch, 5)
        with pytest.raises(Killed):
            built(tmp_path / "a", vectors, "IVF8,SQ8")
    said = []
    settings = PRESETS["ivf-sq8"].settings({"factory": "IVF8,SQ8"})
    build_index(tmp_path / "a", source(vectors), settings, progress=lambda *more: said.append(more))
    assert [done for what, done, _ in said if what == "rows indexed"] == [700, 800, 900, 1000]
    assert "rows learned from" not in [what for what, _, _ in said]


@pytest.mark.parametrize("factory", ["Flat", "IVF8,SQ8", "IVF8,PQ8x4fs", "HNSW8,Flat"])
def test_a_full_disk_at_any_piece_is_noticed(tmp_path, factory, monkeypatch):
    import errno
    import os

    vectors, _ = faces_and_voices(600)
    write, budget = os.write, 0

    def full(descriptor, data):
        nonlocal budget
        if not budget:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        budget -= 1
        return write(descriptor, data)

    for pieces in range(200):
        budget = pieces
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full)
            try:
                built(tmp_path / "a", vectors, factory)
                break
            except VfsearchError as error:
                assert "No space left on device; free some space" in str(error)
    assert pieces > 8
    assert np.array_equal(built(tmp_path / "a", vectors, factory).vectors, vectors)


def test_parts_of_long_codes_have_fewer_rows():
    assert [(first, stop) for _, first, stop in faiss_build.parts(0, 10**6, 512)] == [
        (0, 458752), (458752, 917504), (917504, 10**6),
    ]  # fmt: skip
    assert [stop for _, _, stop in faiss_build.parts(5, 2 * 10**6, 16)] == [5 + 2**20, 2 * 10**6]


@pytest.mark.parametrize("factory", [kind for kind in KINDS if "IVF" in kind and "RFlat" not in kind])
def test_lists_are_what_faiss_makes_of_them(tmp_path, factory):
    vectors, _ = faces_and_voices(1000)
    index = built(tmp_path / "a", vectors, factory)
    (path,) = (tmp_path / "a").glob("*-index.faiss")
    theirs = faiss.read_index(str(path))
    theirs.reset()
    theirs.add(vectors)
    assert faiss.serialize_index(theirs).tobytes() == path.read_bytes()
    assert index.inspect() == []
