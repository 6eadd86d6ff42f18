import numpy as np
import pytest
from builders import contents, make_embeddings, make_failure, make_space

from vfsearch.data.shard import Origins, Shard
from vfsearch.errors import MismatchError, SettingsError, SpaceMismatchError
from vfsearch.store.inspect import verify
from vfsearch.store.merging import merge_stores
from vfsearch.store.store import open_store
from vfsearch.store.writer import StoreWriter, writing


def make(folder, *shards, dtype="float32"):
    about = {"spaces": {each.embeddings.modality: each.embeddings.space.to_json() for each in shards}, "model": None,
             "rows_per_part": 9, "list": folder.name}  # fmt: skip
    names = [f"{each.embeddings.modality}-{number:05d}-{number:012x}.h5" for number, each in enumerate(shards)]
    with writing(folder, about, dtype) as writer:
        for name, shard in zip(names, shards, strict=True):
            writer.add(name, shard)
        writer.finish(names)
    return folder


def shard(n, start=0, failures=(), split="test", seed=0, **more):
    rows = make_embeddings(n, seed=seed, **more)
    keys = np.arange(16 * n, dtype=np.uint8).reshape(n, 16)
    ids = [f"{rows.modality}-{start + row}" for row in range(n)]
    origins = Origins(rows=keys, failures=np.zeros((len(failures), 16), np.uint8), changed_by="size")
    return Shard(
        embeddings=type(rows)(**{**vars(rows), "ids": ids}), failures=tuple(failures), split=split, origins=origins
    )  # fmt: skip


def test_rows_failures_and_columns_of_both(tmp_path):
    one = make(tmp_path / "one", shard(4, note=["x"] * 4), shard(3, modality="face"))
    two = make(tmp_path / "two", shard(5, 10, [make_failure("bad")], "train", seed=1), shard(2, 20, seed=2))
    report = merge_stores([one, two], tmp_path / "both")
    assert report.rows == {"voice": 11, "face": 3} and report.failures == {"voice": 1, "face": 0}
    both = open_store(tmp_path / "both")
    voices = both.load("voice")
    assert voices.ids == [f"voice-{row}" for row in (0, 1, 2, 3, 20, 21, 10, 11, 12, 13, 14)]
    np.testing.assert_array_equal(voices.vectors[:4], open_store(one).load("voice").vectors)
    assert voices.columns["note"] == ["x"] * 4 + [""] * 7 and both.splits("voice") == ("test", "train")
    part = both.parts("voice", "train")[0]
    assert len(both.shard(part).origins.rows) == 5 and both.failures("voice") == [make_failure("bad")]
    assert not verify(tmp_path / "both")["problems"]
    before = contents(tmp_path / "both")
    merge_stores([one, two], tmp_path / "both")
    assert contents(tmp_path / "both") == before


@pytest.mark.parametrize(("rule", "wanted"), [("first", 0), ("last", 1)])
def test_which_of_two_rows(tmp_path, rule, wanted):
    stores = [make(tmp_path / "a", shard(4)), make(tmp_path / "b", shard(3, 2, seed=1))]
    with pytest.raises(MismatchError, match=r"the voice row 'voice-2' of .*b is in another of the stores too; say"):
        merge_stores(stores, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    report = merge_stores(stores, tmp_path / "out", rule)
    assert report.dropped == 2 and report.rows == {"voice": 5}
    rows, of = open_store(tmp_path / "out").load("voice"), open_store(stores[wanted]).load("voice")
    np.testing.assert_array_equal(rows.vectors[rows.ids.index("voice-3")], of.vectors[of.ids.index("voice-3")])


def test_the_same_row_twice(tmp_path):
    stores = [make(tmp_path / "a", shard(4)), make(tmp_path / "b", shard(4))]
    assert merge_stores(stores, tmp_path / "out", "same").rows == {"voice": 4}
    other = make(tmp_path / "c", shard(4, seed=1))
    with pytest.raises(MismatchError, match="is in another of the stores with another vector"):
        merge_stores([stores[0], other], tmp_path / "out2", "same")


def test_a_row_mends_a_failure(tmp_path):
    failures = [make_failure("voice-1"), make_failure("gone")]
    stores = [make(tmp_path / "a", shard(1, 9, failures)), make(tmp_path / "b", shard(2, 0, failures[1:]))]
    report = merge_stores(stores, tmp_path / "out")
    assert report.repaired == 1 and report.failures == {"voice": 1}
    assert [each.id for each in open_store(tmp_path / "out").failures("voice")] == ["gone"]


def test_stores_that_do_not_go_together(tmp_path):
    one, two = make(tmp_path / "a", shard(2)), make(tmp_path / "b", shard(2, 5, space=make_space("other")))
    with pytest.raises(SpaceMismatchError, match=r"the voice rows of .*a is in the space toy.*, the voice rows of"):
        merge_stores([one, two], tmp_path / "out")
    half = make(tmp_path / "c", shard(2, 5), dtype="float16")
    with pytest.raises(MismatchError, match="the stores hold float16 and float32: say with --dtype"):
        merge_stores([one, half], tmp_path / "out")
    assert merge_stores([one, half], tmp_path / "out", dtype="float16").rows == {"voice": 4}
    for wrong, said in (([one], "1 store is nothing to merge"), ([one, two], "is one of the stores to be merged")):
        with pytest.raises(SettingsError, match=said):
            merge_stores(wrong, one)
    with pytest.raises(SettingsError, match="on_duplicate is 'x'"):
        merge_stores([one, two], tmp_path / "out", "x")


def test_a_stopped_merge_goes_on(tmp_path, monkeypatch):
    stores = [make(tmp_path / "a", shard(4), shard(3, 10)), make(tmp_path / "b", shard(3, 20, seed=1))]
    merge_stores(stores, tmp_path / "whole")
    add, calls = StoreWriter.add, []

    def stopping(self, part, what):
        calls.append(part)
        if len(calls) == 2:
            raise KeyboardInterrupt
        add(self, part, what)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(StoreWriter, "add", stopping)
        merge_stores(stores, tmp_path / "stopped")
    merge_stores(stores, tmp_path / "stopped")
    assert list(contents(tmp_path / "stopped").values()) == list(contents(tmp_path / "whole").values())
