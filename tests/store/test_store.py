import json
import shutil

import numpy as np
import pytest
from builders import contents, make_embeddings, make_failure, make_shard, make_space

from vfsearch.data.shard import Shard
from vfsearch.errors import ArtefactError, DamagedError, MismatchError, SettingsError
from vfsearch.store.inspect import describe, verify
from vfsearch.store.store import open_store
from vfsearch.store.writer import require_same_store, writing

ABOUT = {"spaces": {name: make_space().to_json() for name in ("voice", "face")}, "list": "one"}
PARTS = ["voice-00000-00000000.h5", "voice-00001-00000001.h5", "face-00000-00000002.h5"]
SHARDS = {
    PARTS[0]: Shard(embeddings=make_embeddings(4, split=["test"] * 4), failures=(make_failure(),), split="test"),
    PARTS[1]: make_shard(2, (), "train", seed=1, note=["a", "b"]),
    PARTS[2]: Shard(embeddings=make_embeddings(3, modality="face"), failures=(), split="test"),
}


def fill(folder, parts=PARTS, **more):
    with writing(folder, {**ABOUT, **more.pop("about", {})}, "float32", **more) as writer:
        for part in parts:
            if not writer.holds(part):
                writer.add(part, SHARDS[part])
        if not writer.complete and len(parts) == len(PARTS):
            writer.finish(PARTS)
    return folder


def test_what_was_put_in_comes_out(tmp_path):
    store = open_store(fill(tmp_path))
    voices = store.load("voice")
    np.testing.assert_array_equal(
        voices.vectors, np.concatenate([SHARDS[part].embeddings.vectors for part in PARTS[:2]])
    )
    assert voices.columns == {"split": ["test"] * 4 + [""] * 2, "note": [""] * 4 + ["a", "b"]}
    assert store.splits("voice") == ("test", "train") and store.parts("voice", "train") == [PARTS[1]]
    assert len(store.load("voice", "train")) == 2 and len(store.load("face")) == 3
    assert store.failures("voice") == [make_failure()] and store.failures("voice", "train") == []
    assert (store.count("rows", "voice"), store.count("failures", "voice")) == (6, 1)
    assert b"bad,bad.wav,voice,p0,decode,no such file\n" in (tmp_path / "failures.csv").read_bytes()


def test_the_order_of_adding_and_of_stopping_leaves_the_same_bytes(tmp_path):
    fill(tmp_path / "at once")
    fill(tmp_path / "in parts", PARTS[2:])
    fill(tmp_path / "in parts", PARTS[1:2])
    fill(tmp_path / "in parts")
    fill(tmp_path / "in parts")
    assert list(contents(tmp_path / "in parts").values()) == list(contents(tmp_path / "at once").values())
    assert open_store(tmp_path / "in parts").digest == open_store(tmp_path / "at once").digest


def test_an_unfinished_store(tmp_path):
    fill(tmp_path, PARTS[:1])
    with pytest.raises(ArtefactError, match="is not finished; go on with `vfsearch embed`"):
        open_store(tmp_path)
    assert len(open_store(tmp_path, complete=False).load("voice")) == 4


def test_what_a_killed_writer_left_goes(tmp_path):
    fill(tmp_path, PARTS[:1])
    for name in ("face-00009-0123abcd.h5", ".vfsearch.0123abcd.partial", "failures.csv"):
        (tmp_path / name).write_bytes(b"half")
    assert list(contents(fill(tmp_path)).values()) == list(contents(fill(tmp_path.with_name("other"))).values())


def test_the_same_parts_of_another_list(tmp_path):
    fill(tmp_path)
    with writing(tmp_path, {**ABOUT, "list": "two"}, "float32", PARTS[1:], may_differ=("list",)) as writer:
        assert not writer.complete
        assert [writer.holds(part) for part in PARTS] == [False, True, True]
        assert not (tmp_path / "failures.csv").exists()
        assert writer.outdated("voice") == [(PARTS[0], True)] and writer.outdated("face") == []
        assert len(writer.shard(PARTS[0])) == 5
        stale = open_store(tmp_path, complete=False)
        assert stale.parts("voice") == PARTS[1:2] and stale.stale_parts() == PARTS[:1]
        assert not verify(tmp_path)["problems"]
        writer.finish(PARTS[1:])
    assert not (tmp_path / PARTS[0]).exists()
    assert list(open_store(tmp_path).artefact.files) == [*PARTS[1:], "failures.csv"]


def test_a_list_that_comes_back_finds_its_parts(tmp_path):
    before = contents(fill(tmp_path))
    with writing(tmp_path, {**ABOUT, "list": "two"}, "float32", PARTS[1:], may_differ=("list",)):
        pass
    with writing(tmp_path, ABOUT, "float32", PARTS, may_differ=("list",)) as writer:
        assert all(map(writer.holds, PARTS))
        writer.finish(PARTS)
    assert contents(tmp_path) == before


def test_what_failed_is_looked_at_again(tmp_path):
    before = contents(fill(tmp_path))
    for retry in (True, False):  # a run that was stopped goes on with it
        with writing(tmp_path, ABOUT, "float32", PARTS, retry_failed=retry) as writer:
            assert [writer.holds(part) for part in PARTS] == [False, True, True] and not writer.complete
            assert writer.outdated("voice") == [(PARTS[0], False)]
    with writing(tmp_path, ABOUT, "float32", PARTS) as writer:
        writer.add(PARTS[0], SHARDS[PARTS[0]])
        writer.finish(PARTS)
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("about", "dtype", "wanted"),
    [
        ({"list": "two"}, "float32", r"\(list: one there, two now\)"),
        ({}, "float16", r"\(dtype: float32 there, float16 now\)"),
        ({"more": 1}, "float32", r"\(more: None there, 1 now\)"),
    ],
)
def test_another_list_or_setting_is_refused(tmp_path, about, dtype, wanted):
    before = contents(fill(tmp_path))
    for ask in (lambda: require_same_store(tmp_path, {**ABOUT, **about}, dtype),
                lambda: writing(tmp_path, {**ABOUT, **about}, dtype).__enter__()):  # fmt: skip
        with pytest.raises(MismatchError, match=f"was made otherwise {wanted}; give --overwrite to make"):
            ask()
    assert contents(tmp_path) == before
    with writing(tmp_path, {**ABOUT, **about}, dtype, overwrite=True) as writer:
        assert not writer.holds(PARTS[0]) and not (tmp_path / PARTS[0]).exists()


def test_a_dtype_that_is_none(tmp_path):
    with pytest.raises(SettingsError, match="stored as float32 or float16, not as 'int8'"):
        fill_ = writing(tmp_path / "new", ABOUT, "int8")
        fill_.__enter__()
    assert not (tmp_path / "new").exists()


def test_no_rows_of_what_is_asked_for(tmp_path):
    store = open_store(fill(tmp_path))
    with pytest.raises(ArtefactError, match=r"has no face rows with split=x: it holds voice \(6 rows\), face \(3"):
        store.load("face", "x")
    with pytest.raises(ArtefactError, match="has no song rows: it holds"):
        store.load("song")


def test_a_shard_of_another_place(tmp_path):
    """Bytes whose digest is right under a manifest that says otherwise of them."""
    fill(tmp_path)
    artefact = open_store(tmp_path).artefact
    artefact.files[PARTS[0]] = {**artefact.files[PARTS[0]], "rows": 5}
    artefact.write()
    with pytest.raises(DamagedError, match=r"does not fit its store's manifest: {'rows': \(4, 5\)}"):
        open_store(tmp_path).load("voice")
    assert len(verify(tmp_path)["problems"]) == 1


def test_looking_from_outside(tmp_path):
    found = describe(fill(tmp_path))
    assert json.loads(json.dumps(found)) == found and found["complete"] and found["shards"] == 3
    assert [(part["modality"], part["split"], part["rows"], part["failures"]) for part in found["contents"]] == [
        ("voice", "test", 4, 1), ("voice", "train", 2, 0), ("face", "test", 3, 0)
    ]  # fmt: skip
    assert verify(tmp_path) == {"store": str(tmp_path), "files": 4, "problems": [], "unlisted": []}
    (tmp_path / "mine.txt").touch()
    (tmp_path / PARTS[2]).unlink()
    shutil.copy(tmp_path / PARTS[0], tmp_path / PARTS[1])
    done = []
    found = verify(tmp_path, lambda *progress: done.append(progress))
    assert found["unlisted"] == ["mine.txt"] and len(found["problems"]) == 2
    assert PARTS[1] in found["problems"][0] and PARTS[2] in found["problems"][1]
    assert done == [("files", number, 4) for number in range(1, 5)]
