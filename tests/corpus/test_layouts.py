import os
from pathlib import Path

import pytest

from vfsearch.corpus.layouts import LAYOUTS, layout
from vfsearch.corpus.media_kinds import media_kind
from vfsearch.corpus.splitting import draw_splits
from vfsearch.corpus.tree import Leftovers, media_files
from vfsearch.errors import InputError, SettingsError, UnknownNameError

PLACES = [
    ("folders", "voice/Ann/a/1.wav", ("Ann", {})),
    ("folders", "Ann/1.wav", ("Ann", {})),
    ("folders", "1.wav", None),
    ("voxceleb1", "vox1_dev_wav/wav/id10001/1zcIwhmdeo4/00001.wav", ("id10001", {"source": "1zcIwhmdeo4"})),
    ("voxceleb1", "unzippedFaces/id10001/1.6/1zcIwhmdeo4/0000375.jpg", ("id10001", {"source": "1zcIwhmdeo4"})),
    ("voxceleb1", "CCH_Pounder/00000001.jpg", ("CCH_Pounder", {})),
    ("voxceleb1", "other/00000001.jpg", None),
    ("voxceleb2", "dev/aac/id00012/21Uxsk56VDQ/00001.m4a", ("id00012", {"source": "21Uxsk56VDQ"})),
    ("mav-celeb", "voices/id0001/English/abc/1.wav", ("id0001", {"language": "English", "source": "abc"})),
]


@pytest.mark.parametrize(("name", "path", "wanted"), PLACES)
def test_whose_a_file_is(name, path, wanted):
    assert layout(name).place(path.split("/"), {"CCH_Pounder"}) == wanted


def test_an_unknown_layout_is_named():
    with pytest.raises(
        UnknownNameError, match="no layout is named 'x'; known: folders, voxceleb1, voxceleb2, mav-celeb"
    ):
        layout("x")
    assert all(each.description for each in LAYOUTS.values())


def test_files_below_a_folder(tmp_path):
    for name in ("b/2.wav", "b/1.WAV", "a\n,/x.jpg", "notes.txt", "README", ".hidden/a.wav", ".DS_Store", "c/d/v.mp4"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "b" / "loop").symlink_to(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path / "b")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/b/\xff.wav")).touch()
    left = Leftovers()
    assert list(media_files(tmp_path, left)) == [
        (("a\n,", "x.jpg"), "photo"), (("b", "1.WAV"), "audio"), (("b", "2.wav"), "audio"),
        (("b", "\udcff.wav"), "audio"),
        (("c", "d", "v.mp4"), "video"), (("link", "1.WAV"), "audio"), (("link", "2.wav"), "audio"),
        (("link", "\udcff.wav"), "audio"),
    ]  # fmt: skip
    assert left.unknown == {".txt": 1, "(none)": 1} and left.empty == [str(tmp_path / "empty")]


@pytest.mark.skipif(os.geteuid() == 0, reason="everything is readable for root")
def test_a_folder_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "a").mkdir(mode=0)
    left = Leftovers()
    assert list(media_files(tmp_path, left)) == [] and left.unreadable == [f"{tmp_path / 'a'}: Permission denied"]


def test_no_folder(tmp_path):
    with pytest.raises(InputError, match=r"no folder .*none: name the one that the corpus is in"):
        list(media_files(tmp_path / "none", Leftovers()))


def test_people_are_divided_the_same_in_any_order():
    names = [f"p{number}" for number in range(100)]
    drawn = draw_splits(names, 0.3, 0.1, seed=1)
    assert draw_splits(reversed(names), 0.3, 0.1, seed=1) == drawn != draw_splits(names, 0.3, 0.1, seed=2)
    assert [list(drawn.values()).count(split) for split in ("test", "val", "train")] == [30, 10, 60]
    with pytest.raises(SettingsError, match=r"shares of 0\.8 and 0.3 to test and val: want 0 or more, 1 at most"):
        draw_splits(names, 0.8, 0.3, seed=1)


def test_kinds():
    assert [media_kind(name) for name in ("a.M4A", "a.jpeg", "a.webm", "a", "a.csv")] == [
        "audio", "photo", "video", "", ""
    ]  # fmt: skip
