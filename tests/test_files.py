import errno
import json
import stat

import pytest
from builders import ID_HASH, IN_PROCESS
from hypothesis import given, settings
from hypothesis import strategies as st

from vfsearch import files
from vfsearch.errors import InputError, VfsearchError
from vfsearch.pipeline.embed import embed_manifest


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_written_whole_and_private(tmp_path):
    path = tmp_path / "a" / "b" / "file"
    files.make_folder(path.parent)
    for data in (b"first", b"", b"\0" * 3_000_000):
        files.write_file(path, data)
        assert path.read_bytes() == data
    assert [entry.name for entry in path.parent.iterdir()] == ["file"]
    assert (mode(path), mode(path.parent), mode(path.parent.parent)) == (0o600, 0o700, 0o700)


def test_written_piece_by_piece(tmp_path):
    facts = files.write_pieces(tmp_path / "a", iter([b"one ", b"", b"two"]))
    assert (tmp_path / "a").read_bytes() == b"one two"
    assert facts == {"size": 7, "sha256": files.sha256(b"one two")}


def test_pieces_that_fail_leave_what_was_there(tmp_path):
    def pieces():
        yield b"new"
        raise ValueError("no more")

    files.write_file(tmp_path / "a", b"old")
    with pytest.raises(ValueError, match="no more"):
        files.write_pieces(tmp_path / "a", pieces())
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


def test_what_can_be_made_anew_is_written_whole_and_private_too(tmp_path, monkeypatch):
    for data in (b"first", b"second"):
        files.write_cached(tmp_path / "a", data)
    assert (tmp_path / "a").read_bytes() == b"second" and mode(tmp_path / "a") == 0o600

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.Path, "replace", full)
    with pytest.raises(VfsearchError, match=r"cannot write .*a: No space left on device; free some space"):
        files.write_cached(tmp_path / "a", b"third")
    assert [path.name for path in tmp_path.iterdir()] == ["a"] and (tmp_path / "a").read_bytes() == b"second"


def test_a_library_that_wants_a_path(tmp_path):
    found = files.write_with(tmp_path / "a", lambda path: path.write_bytes(b"by a library"))
    assert found == {"size": 12, "sha256": files.sha256(b"by a library")} and mode(tmp_path / "a") == 0o600

    def fails(path):
        path.write_bytes(b"half")
        raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        files.write_with(tmp_path / "a", fails)
    assert [path.name for path in tmp_path.iterdir()] == ["a"] and (tmp_path / "a").read_bytes() == b"by a library"


def test_an_open_reader_keeps_the_old_file(tmp_path):
    files.write_file(tmp_path / "a", b"old")
    with (tmp_path / "a").open("rb") as reader:
        files.write_file(tmp_path / "a", b"new")
        assert reader.read() == b"old"


def test_everything_in_a_workspace_is_private(built):
    made = [path for path in built.folder.rglob("*") if path.name != "manifest.csv"]
    assert {mode(path) for path in made if path.is_file()} == {0o600}
    assert {mode(path) for path in made if path.is_dir()} == {0o700}


def test_a_folder_that_is_there_keeps_its_mode(tmp_path):
    (tmp_path / "open").mkdir(mode=0o755)
    before = mode(tmp_path / "open")
    files.make_folder(tmp_path / "open" / "new")
    assert mode(tmp_path / "open") == before and mode(tmp_path / "open" / "new") == 0o700


def test_refusals(tmp_path):
    (tmp_path / "file").write_bytes(b"1")
    with pytest.raises(VfsearchError, match=r"cannot make the folder .*file/in: (Not a directory|File exists)"):
        files.make_folder(tmp_path / "file" / "in")
    with pytest.raises(VfsearchError, match=r"cannot write .*none/a: No such file or directory"):
        files.write_file(tmp_path / "none" / "a", b"")
    with pytest.raises(VfsearchError, match=r"cannot remove .*: Is a directory"):
        files.remove_file(tmp_path)
    with pytest.raises(InputError, match=r"cannot read the list .*none: No such file or directory"):
        files.read_file(tmp_path / "none", "list")
    with pytest.raises(InputError, match=r"cannot look for .*: File name too long"):
        files.is_there(tmp_path / ("a" * 300))
    files.remove_file(tmp_path / "none")


def test_only_our_own_leftovers_go(tmp_path):
    ours, others = (
        ".vfsearch.0123abcd.partial",
        [".a.h5.0123abcd.partial", ".download.partial", "x.0123abcd.partial", ".vfsearch.0123ABCD.partial"],
    )
    for name in (ours, *others):
        (tmp_path / name).touch()
    files.remove_temporaries(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(others)


@pytest.mark.parametrize("name", ["mine.h5", "voice.h5", "notes.csv", "manifest.csv", "weights.csv", "a-b"])
def test_a_store_among_files_of_the_user_leaves_them(workspace, name):
    store = workspace.store_folder
    store.mkdir()
    (store / name).write_bytes(b"mine")
    for _ in range(2):
        embed_manifest(workspace, ID_HASH, IN_PROCESS, overwrite=True)
        assert (store / name).read_bytes() == b"mine"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=60)
@given(json_values)
def test_canonical_json_is_one_spelling(value):
    text = files.canonical_json(value)
    assert files.canonical_json(json.loads(text)) == text
    if isinstance(value, dict):
        assert files.canonical_json(dict(reversed(value.items()))) == text


def test_digests():
    assert files.canonical_json({"b": [1, None], "a": "é\udcff"}) == b'{"a":"\xc3\xa9\xed\xb3\xbf","b":[1,null]}'
    assert files.digest({}) == files.sha256(b"{}")
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.digest(float("nan"))
