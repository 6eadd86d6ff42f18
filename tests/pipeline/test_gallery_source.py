import numpy as np
import pytest
from builders import ID_HASH, IN_PROCESS, write_manifest

from vfsearch.errors import ArtefactError
from vfsearch.pipeline.embed import embed_manifest
from vfsearch.pipeline.gallery_source import store_source
from vfsearch.pipeline.workspace import Workspace
from vfsearch.store.shard import unpack_shard
from vfsearch.store.store import open_store


@pytest.fixture
def store(tmp_path):
    write_manifest(tmp_path, identities=8)
    embed_manifest(Workspace(folder=tmp_path), ID_HASH, IN_PROCESS, rows_per_part=6)
    return open_store(tmp_path / "embeddings")


@pytest.mark.parametrize("split", [None, "test"])
def test_the_rows_of_the_store_in_its_order(store, split):
    source, wanted = store_source(store, "face", split), store.load("face", split)
    blocks = list(source.blocks())
    assert np.array_equal(np.concatenate([block.vectors for block in blocks]), wanted.vectors)
    assert [id_ for block in blocks for id_ in block.ids] == wanted.ids
    assert source.origin == store.digest and source.space == store.spaces["face"]
    assert list(source.sizes) == [len(block) for block in blocks] and len(source) == len(wanted)
    assert max(source.sizes) <= 6


def test_a_shard_is_read_when_its_turn_comes(store, monkeypatch):
    read = []
    monkeypatch.setattr("vfsearch.store.store.unpack_shard", lambda *rest: read.append(1) or unpack_shard(*rest))
    source = store_source(store, "face")
    assert not read
    next(source.blocks())
    assert len(read) == 1


def test_shards_without_rows_are_passed_over(store):
    part = store.parts("face")[1]
    store.artefact.files[part].update(rows=0, failures=6)
    assert len(store_source(store, "face")) == 34


def test_nothing_to_read(store):
    with pytest.raises(ArtefactError, match=r"no face rows with split=dev: it holds voice \(40 rows\), .*'test', 'tra"):
        store_source(store, "face", "dev")
    for part in store.parts("face"):
        store.artefact.files[part]["rows"] = 0
    with pytest.raises(ArtefactError, match=r"has no face rows: it holds .*face \(0 rows\)"):
        store_source(store, "face")
