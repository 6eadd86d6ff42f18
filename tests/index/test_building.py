from dataclasses import replace

import numpy as np
import pytest
from builders import contents, make_embeddings, make_space
from lossy_index import BACKEND

from vfsearch.data.embeddings import Embeddings
from vfsearch.data.row_source import RowSource, rows_in_memory
from vfsearch.errors import InputError, MismatchError, SettingsError, SpaceMismatchError, UnknownNameError, VectorError
from vfsearch.index.backends import open_index
from vfsearch.index.building import build_index
from vfsearch.index.settings import BuildSettings
from vfsearch.index.writer import BUILDING

EXACT = BuildSettings(backend="exact")
COLUMNS = {5: {"path": list("abcde")}, 0: {}, 3: {"age": ["", "4", "5"]}}


def block(n: int, name: str, **more) -> Embeddings:
    """Rows with ids of their own."""
    return replace(make_embeddings(n, 8, n, **{"modality": "face", **more}), ids=[f"{name}{row}" for row in range(n)])


BLOCKS = [block(n, f"{n}/", identities=[f"p{n}"] * n, **COLUMNS[n]) for n in COLUMNS]


def source(blocks=BLOCKS, **changes) -> RowSource:
    about = {"modality": "face", "space": make_space(), "origin": "a1" * 32, "sizes": [len(each) for each in blocks],
             "read": lambda number: blocks[number]}  # fmt: skip
    return RowSource(**{**about, **changes})


def same(first, second) -> bool:
    return list(contents(first).values()) == list(contents(second).values())


def test_rows_come_block_by_block(tmp_path):
    told = []
    artefact = build_index(tmp_path / "face", source(), EXACT, progress=lambda *each: told.append(each), split="test")
    index = open_index(tmp_path / "face")
    assert np.array_equal(index.vectors, np.concatenate([each.vectors for each in BLOCKS]))
    assert index.gallery.identities == ["p5"] * 5 + ["p3"] * 3
    assert index.gallery.columns == {"path": [*"abcde", "", "", ""], "age": [""] * 6 + ["4", "5"]}
    assert artefact.about["rows"] == 8 and artefact.about["split"] == "test"
    assert told == [("rows read", 5, 8), ("rows read", 5, 8), ("rows read", 8, 8)]


def test_one_block_or_several_give_the_same_bytes(tmp_path):
    rows = make_embeddings(9, 8, 1, modality="face")
    build_index(tmp_path / "one", rows_in_memory(rows, "a1" * 32), EXACT)
    build_index(tmp_path / "three", source([rows.take(np.arange(start, start + 3)) for start in (0, 3, 6)]), EXACT)
    assert same(tmp_path / "one", tmp_path / "three")


def test_reading_that_fails_goes_on_later(tmp_path):
    def read(number: int):
        if number == 2:
            raise InputError("the wire is cut")
        return BLOCKS[number]

    with pytest.raises(InputError, match="wire"):
        build_index(tmp_path / "face", source(read=read), EXACT)
    assert not list(tmp_path.rglob("*.partial"))
    build_index(tmp_path / "face", source(), EXACT)
    build_index(tmp_path / "again", source(), EXACT)
    assert same(tmp_path / "face", tmp_path / "again")


def test_rows_that_are_kept_are_not_read_again(tmp_path, monkeypatch):
    def fail(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("lossy_index.LossyIndex.write", fail)
        build_index(tmp_path / "face", source(), BuildSettings(backend=BACKEND))
    assert (tmp_path / "face" / BUILDING / "items.safetensors").exists()
    build_index(tmp_path / "face", source(read=None), BuildSettings(backend=BACKEND))
    assert len(open_index(tmp_path / "face")) == 8


@pytest.mark.parametrize("bad", [np.nan, 0.0, 1.01])
def test_bad_rows_are_refused_with_their_id(tmp_path, bad):
    rows = make_embeddings(4, 8, 1, modality="face")
    rows.vectors[2] *= np.float32(bad)
    with pytest.raises(VectorError, match="1 of 4 rows are not unit rows: 'face-2' is"):
        build_index(tmp_path / "face", source([rows]), EXACT)
    assert [path.name for path in tmp_path.rglob("*")] == ["face", "LOCK"]


def test_an_id_that_is_there_twice(tmp_path):
    with pytest.raises(VectorError, match="two face rows have the id '5/0': an answer could not say which"):
        build_index(tmp_path / "face", source([*BLOCKS, block(4, "5/")]), EXACT)
    assert [path.name for path in tmp_path.rglob("*")] == ["face", "LOCK"]


@pytest.mark.parametrize(
    ("changes", "kind", "said"),
    [
        ({"sizes": [5, 0, 4]}, MismatchError, "block 2 has 3 face rows, its source says 4 face rows"),
        ({"modality": "voice"}, MismatchError, "block 0 has 5 face rows, its source says 5 voice rows"),
        ({"space": make_space("other")}, SpaceMismatchError, "block 0 is in the space toy.*, its source in other"),
        ({"space": make_space(dimension=9)}, SpaceMismatchError, r"block 0 is in the space .* \(8-d\)"),
    ],
    ids=["rows", "modality", "fingerprint", "dimension"],
)
def test_blocks_that_are_not_what_the_source_says(tmp_path, changes, kind, said):
    with pytest.raises(kind, match=said):
        build_index(tmp_path / "face", source(**changes), EXACT)
    assert not list(tmp_path.rglob("*vectors.npy"))


def test_unknown_settings(tmp_path):
    with pytest.raises(SettingsError, match="the back end exact has no build setting 'lists'; it has: none"):
        build_index(tmp_path / "face", source(), BuildSettings(backend="exact", parameters={"lists": 4}))
    with pytest.raises(UnknownNameError, match="no index back end is named 'quantum'"):
        build_index(tmp_path / "face", source(), BuildSettings(backend="quantum"))
    with pytest.raises(UnknownNameError, match=r"'os:path' is no index back end: wanted a subclass of .*base.Index"):
        build_index(tmp_path / "face", source(), BuildSettings(backend="os:path"))
    assert not (tmp_path / "face").exists()


def test_a_device_that_a_back_end_cannot_search_on(tmp_path):
    with pytest.raises(
        SettingsError, match=r"lossy_index:LossyIndex searches on cpu, not on cuda: give --device cpu, or take"
    ):
        build_index(tmp_path / "face", source(), BuildSettings(backend=BACKEND), "cuda")
    assert not (tmp_path / "face").exists()
    build_index(tmp_path / "face", source(), BuildSettings(backend=BACKEND))
    with pytest.raises(SettingsError, match=r"lossy_index:LossyIndex searches on cpu, not on cuda:0"):
        open_index(tmp_path / "face", "cuda:0")


def test_search_settings_that_are_saved_are_in_force(tmp_path):
    artefact = build_index(tmp_path / "face", source(), BuildSettings(backend=BACKEND))
    assert open_index(tmp_path / "face").settings == {"seen": 7}
    artefact.about["search"] = {"seen": 3}
    artefact.write()
    assert open_index(tmp_path / "face").settings == {"seen": 3}
