import pytest
from builders import contents

from vfsearch.artefact import Artefact
from vfsearch.errors import ArtefactError, LockedError
from vfsearch.index.layout import read_index_artefact
from vfsearch.index.writer import BUILDING, remove_leftovers, writing_index

PLAN = {"backend": "toy", "rows": 2}


class Killed(BaseException):
    """What a process feels when it is killed, nearly."""


def begin(folder, plan=None) -> None:
    """A build that is killed after its first file."""
    with pytest.raises(Killed), writing_index(folder, plan or PLAN) as writer:
        writer.add("vectors.npy", [b"ab", b"cd"], rows=2)
        writer.temporary().write_bytes(b"half of a fi")
        writer.temporary().mkdir()
        raise Killed


def finish(folder, data: bytes = b"graph") -> Artefact:
    with writing_index(folder, PLAN) as writer:
        if not writer.has("vectors.npy"):
            writer.add("vectors.npy", [b"abcd"], rows=2)
        writer.add("step-trained", [b"scratch"])
        writer.add("index.toy", [data])
        return writer.finish({"backend": "toy", "data": data.decode()})


def test_what_is_finished_is_the_index(tmp_path):
    artefact = finish(tmp_path / "a")
    assert read_index_artefact(tmp_path / "a") == artefact
    assert sorted(name[9:] for name in artefact.files) == ["index.toy", "vectors.npy"]
    assert artefact.read(next(iter(artefact.files))) == b"abcd"
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == sorted(
        [*artefact.files, "LOCK", "MANIFEST.json"]
    )
    assert all(path.stat().st_mode & 0o77 == 0 for path in (tmp_path / "a").iterdir())


def test_a_killed_build_goes_on(tmp_path):
    begin(tmp_path / "a")
    with writing_index(tmp_path / "a", PLAN) as writer:
        assert writer.has("vectors.npy") and writer.path("vectors.npy").read_bytes() == b"abcd"
        assert writer.facts("vectors.npy")["rows"] == 2
        assert sorted(path.name for path in (tmp_path / "a" / BUILDING).iterdir()) == ["MANIFEST.json", "vectors.npy"]
    finish(tmp_path / "a")
    finish(tmp_path / "b")
    assert list(contents(tmp_path / "a").values()) == list(contents(tmp_path / "b").values())


def test_work_of_another_plan_is_given_up(tmp_path):
    begin(tmp_path / "a", {"backend": "other"})
    with writing_index(tmp_path / "a", PLAN) as writer:
        assert not writer.has("vectors.npy")


@pytest.mark.parametrize("change", ["flip", "cut", "gone", "manifest"])
def test_damaged_work_is_given_up(tmp_path, change):
    begin(tmp_path / "a")
    path = tmp_path / "a" / BUILDING / ("MANIFEST.json" if change == "manifest" else "vectors.npy")
    if change == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-1] + (b"" if change == "cut" else b"x"))
    with writing_index(tmp_path / "a", PLAN) as writer:
        assert not writer.has("vectors.npy")


def test_the_index_before_stays_until_the_new_one_is_whole(tmp_path):
    before = finish(tmp_path / "a")
    begin(tmp_path / "a")
    assert read_index_artefact(tmp_path / "a") == before
    before.verify()
    after = finish(tmp_path / "a", b"another")
    assert not set(before.files) & set(after.files) and not any(
        (tmp_path / "a" / name).exists() for name in before.files
    )


def test_leftovers_beside_a_finished_index(tmp_path):
    finish(tmp_path / "a")
    wanted = contents(tmp_path / "a")
    begin(tmp_path / "a")
    (tmp_path / "a" / "0123abcd-index.toy").write_bytes(b"of a killed finish")
    (tmp_path / "a" / "notes.txt").write_bytes(b"mine")
    remove_leftovers(tmp_path / "a")
    assert contents(tmp_path / "a") == {**wanted, "a/notes.txt": b"mine"}


def test_files_that_a_library_writes(tmp_path):
    with writing_index(tmp_path / "a", PLAN) as writer:
        temporary = writer.temporary()
        temporary.write_bytes(b"by a library")
        writer.adopt("index.toy", temporary, entries=3)
        assert not temporary.exists() and writer.path("index.toy").read_bytes() == b"by a library"
        assert writer.facts("index.toy")["entries"] == 3 and writer.path("index.toy").stat().st_mode & 0o777 == 0o600
        writer.drop("index.toy")
        assert not writer.has("index.toy") and not writer.path("index.toy").exists()


def test_one_writer_at_a_time(tmp_path):
    with (
        writing_index(tmp_path / "a", PLAN),
        pytest.raises(LockedError, match="is being written by process"),
        writing_index(tmp_path / "a", PLAN),
    ):
        pass


def test_other_artefacts_are_left_alone(tmp_path):
    Artefact(folder=tmp_path, kind="store", schema=1, about={}).write()
    with (
        pytest.raises(ArtefactError, match="is a store, which an index does not replace"),
        writing_index(tmp_path, PLAN),
    ):
        pass
