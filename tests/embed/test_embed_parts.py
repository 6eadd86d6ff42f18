from types import SimpleNamespace

import numpy as np
import pytest
from builders import make_space, unit_rows

from vfsearch.data.manifest import Item, Manifest
from vfsearch.embed.batches import Batching
from vfsearch.embed.plan import plan_parts
from vfsearch.embed.run import Running, embed_parts
from vfsearch.errors import MediaError, MissingExtraError, SettingsError, VectorError, VfsearchError
from vfsearch.media.preparation import Failure
from vfsearch.store.shard import pack_shard

SPACE = make_space()


def items(n, modality="voice", **columns):
    return [
        Item(id=f"{modality}{row}", path=f"{row}.x", modality=modality, identity=f"p{row % 3}", columns=dict(columns))
        for row in range(n)
    ]


def row_of(id_):
    return unit_rows(1, seed=int(id_.removeprefix("voice")))[0]


class Encoder:
    """The row of an id; something else, or an error, for the ids that say so."""

    space = SPACE

    def __init__(self, odd=None):
        self.odd, self.batches = odd or {}, []

    def encode(self, samples):
        self.batches.append(list(samples))
        rows = []
        for id_ in samples:
            value = self.odd.get(id_, row_of(id_))
            if isinstance(value, Exception):
                raise value
            rows.append(value)
        return np.stack(rows)


class Memory:
    """A store in memory."""

    def __init__(self, held=()):
        self.shards = dict(held)

    def holds(self, part):
        return part in self.shards

    def add(self, part, shard):
        self.shards[part] = shard


def prepare(broken=(), notes=None):
    def prepared(items):
        for item in items:
            if item.id in broken:
                yield Failure(stage="decode", reason="no such file")
            else:
                yield SimpleNamespace(sample=item.id, note=(notes or {}).get(item.id, ""))

    return prepared


def embed(listed, encoder, prepare_, rows_per_part=10, batch_size=4, writer=None, folder=None, tmp=None):
    parts = plan_parts(Manifest(listed, tmp), {"voice": SPACE}, rows_per_part)
    writer = writer or Memory()
    embed_parts(parts, encoder, prepare_, writer, Running(batching=Batching(size=batch_size)))
    return parts, writer


ODD = {
    "raises": (ValueError("too short"), "ValueError: too short"),
    "refuses": (MediaError("silent"), "MediaError: silent"),
    "NaN": (np.full(8, np.nan, np.float32), "the encoder's row is not finite"),
    "infinite": (np.full(8, np.inf, np.float32), "the encoder's row is not finite"),
    "zero": (np.zeros(8, np.float32), "the encoder's row is of length 0"),
    "long": (np.full(8, 1, np.float32), "the encoder's row is of length 2.82843"),
    "shape": (np.zeros(9, np.float32), "the encoder toy gave rows (1, 9) for (1, 8)"),
}


@pytest.mark.parametrize(("value", "reason"), ODD.values(), ids=ODD)
def test_an_odd_item_costs_itself_only(tmp_path, value, reason):
    encoder = Encoder({"voice2": value, "voice7": value})
    _, writer = embed(items(10), encoder, prepare(broken=["voice5"]), tmp=tmp_path)
    (shard,) = writer.shards.values()
    assert shard.embeddings.ids == [f"voice{row}" for row in (0, 1, 3, 4, 6, 8, 9)] and len(shard) == 10
    assert [(failure.id, failure.stage) for failure in shard.failures] == [
        ("voice2", "encode"), ("voice5", "decode"), ("voice7", "encode")
    ]  # fmt: skip
    assert reason in shard.failures[0].reason and shard.failures[1].reason == "no such file"
    for id_, vector in zip(shard.embeddings.ids, shard.embeddings.vectors, strict=True):
        np.testing.assert_array_equal(vector, row_of(id_))


def test_a_missing_package_ends_the_run(tmp_path):
    with pytest.raises(MissingExtraError, match="pip install"):
        embed(items(3), Encoder({"voice1": MissingExtraError("pip install")}), prepare(), tmp=tmp_path)


def test_all_items_may_fail(tmp_path):
    _, writer = embed(items(3), Encoder(), prepare(broken=["voice0", "voice1", "voice2"]), tmp=tmp_path)
    (shard,) = writer.shards.values()
    assert len(shard.embeddings) == 0 and len(shard.failures) == 3


def test_notes_and_columns_stay_with_their_rows(tmp_path):
    listed = items(6, gender="f")
    _, writer = embed(listed, Encoder(), prepare(["voice1"], {"voice4": "no face found"}), tmp=tmp_path)
    (shard,) = writer.shards.values()
    assert shard.embeddings.columns == {
        "gender": ["f"] * 5,
        "path": ["0.x", "2.x", "3.x", "4.x", "5.x"],
        "media_note": ["", "", "", "no face found", ""]
    }  # fmt: skip
    assert shard.failures[0].columns == {"gender": "f"}


def test_batches_and_bytes_depend_on_the_part_alone(tmp_path):
    broken, whole = prepare(["voice3", "voice12"]), Encoder({"voice9": ValueError("no")})
    parts, at_once = embed(items(25), whole, broken, tmp=tmp_path)
    for held in range(len(parts)):
        again = Encoder({"voice9": ValueError("no")})
        kept = {part.name: at_once.shards[part.name] for part in parts[:held]}
        _, resumed = embed(items(25), again, broken, writer=Memory(kept), tmp=tmp_path)
        assert again.batches == whole.batches[len(whole.batches) - len(again.batches) :]
        for name, shard in at_once.shards.items():
            assert pack_shard(resumed.shards[name], "float32") == pack_shard(shard, "float32")
    _, other = embed(items(25), whole, broken, batch_size=7, tmp=tmp_path)
    assert [pack_shard(shard, "float32") for shard in other.shards.values()] == [
        pack_shard(shard, "float32") for shard in at_once.shards.values()
    ]


def test_progress_counts_what_is_there(tmp_path):
    said = []
    parts = plan_parts(Manifest(items(12), tmp_path), {"voice": SPACE}, 5)
    writer = Memory({parts[0].name: SimpleNamespace()})
    running = Running(batching=Batching(size=4))
    embed_parts(parts, Encoder(), prepare(), writer, running, lambda *progress: said.append(progress))
    assert said == [("voice items", done, 12) for done in (9, 10, 12)]


def test_parts_come_from_the_list_alone(tmp_path):
    listed = [*items(7, split="a"), *items(3, "face", split="a")]
    listed += [Item(id=f"x{row}", path="x", modality="voice", identity="p", columns={"split": "b"}) for row in range(4)]
    spaces = {"voice": SPACE, "face": make_space("face")}
    parts = plan_parts(Manifest(listed, tmp_path), spaces, 5)
    assert [(part.modality, part.split, len(part.items)) for part in parts] == [
        ("voice", "a", 5), ("voice", "a", 2), ("voice", "b", 4), ("face", "a", 3)
    ]  # fmt: skip
    assert [item.id for part in parts for item in part.items if part.modality == "face"] == ["face0", "face1", "face2"]
    names = [part.name for part in parts]
    assert names == [part.name for part in plan_parts(Manifest(listed, tmp_path), spaces, 5)]
    grown = plan_parts(Manifest([*listed, *items(1, "face", split="z")[:0]], tmp_path), spaces, 5)
    assert [part.name for part in grown] == names
    (tmp_path / "6.x").write_bytes(b"now it is there")
    changed = [part.name for part in plan_parts(Manifest(listed, tmp_path), spaces, 5)]
    assert [old == new for old, new in zip(names, changed, strict=True)] == [True, False, True, True]
    other = plan_parts(Manifest(listed, tmp_path), {**spaces, "face": make_space("new")}, 5)
    assert [part.name == name for part, name in zip(other, changed, strict=True)] == [True, True, True, False]
    with pytest.raises(SettingsError, match="a shard holds 0 rows, it must be at least 1"):
        plan_parts(Manifest(listed, tmp_path), spaces, 0)


def test_an_encoder_that_is_wrong_alone_is_named():
    from vfsearch.embed.encoding import _encoded

    with pytest.raises(VectorError, match=r"the encoder toy gave rows \(2, 9\) for \(2, 8\)"):
        _encoded(["voice1", "voice2"], Encoder({f"voice{row}": np.zeros(9) for row in (1, 2)}))


def test_want_of_memory_is_no_fault_of_the_items(tmp_path):
    with pytest.raises(VfsearchError, match=r"stopped at a batch of 4: MemoryError no room; .* smaller --batch-size"):
        embed(
            items(20), Encoder({"voice13": MemoryError("no room")}), prepare(), tmp=tmp_path, writer=(kept := Memory())
        )
    assert len(kept.shards) == 1
