import os

import pytest

from vfsearch.data.manifest import Item, Manifest
from vfsearch.embed.marks import changed_ns, file_mark, file_marks, item_keys
from vfsearch.embed.plan import plan_parts
from vfsearch.errors import SettingsError


def item(path="a.wav", **more):
    return Item(**{"id": path, "path": path, "modality": "voice", "identity": "p", **more})


def test_what_shows_that_a_file_is_another_one(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(b"one")
    os.utime(path, ns=(5, 10**18))
    before = {by: file_mark(path, by) for by in ("size", "time", "digest")}
    assert before["size"] == 3 and before["time"] == f"3 bytes at {10**18} ns"
    path.write_bytes(b"two")
    os.utime(path, ns=(5, 10**18))
    after = {by: file_mark(path, by) for by in before}
    assert [after[by] == before[by] for by in before] == [True, True, False]
    os.utime(path, ns=(5, 10**18 + 1))
    assert file_mark(path, "time") != before["time"] and file_mark(path, "digest") == after["digest"]


@pytest.mark.parametrize("by", ["size", "time", "digest"])
def test_files_that_cannot_be_looked_at(tmp_path, by):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("nowhere")
    items = [item(name) for name in ("none", "link", "a\0b", "pipe", "folder")]
    marks = file_marks(tmp_path, items, by)
    assert marks[:3] == [-1, -1, -1] and -1 not in marks[3:]
    assert changed_ns(tmp_path, items[0]) == 0 < changed_ns(tmp_path, items[4])


def test_a_key_holds_what_decides_a_row():
    one = item(start_seconds=1.0, end_seconds=2.0)
    ends = {"start_seconds": 1.0, "end_seconds": 2.0}
    others = [item(start_seconds=1.0), item(**{**ends, "end_seconds": 2.5}), item(**ends, id="b")]
    keys = {key.tobytes() for key in item_keys([one, *others], [3] * 4)}
    assert len(keys) == 4
    renamed = item(start_seconds=1.0, end_seconds=2.0, identity="q", columns={"split": "test"})
    assert item_keys([renamed], [3]).tobytes() == item_keys([one], [3]).tobytes()
    assert len({item_keys([one], [mark], by).tobytes() for mark in (3, 4) for by in ("fp32", "bf16")}) == 4
    assert item_keys([], []).shape == (0, 16)


def test_a_word_that_says_nothing(tmp_path):
    with pytest.raises(SettingsError, match="changed_by is 'name', wanted one of size, time, digest"):
        plan_parts(Manifest([item()], tmp_path), {}, changed_by="name")
