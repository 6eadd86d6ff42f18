"""Indices of templates: what they hold, when they are kept, what cannot be done with them."""

import numpy as np
import pytest
from builders import ID_HASH, IN_PROCESS, make_embeddings, write_manifest

from vfsearch.data.pooling import Pooling, pooling_by
from vfsearch.data.templates import pool
from vfsearch.errors import SettingsError
from vfsearch.index.backends import open_index
from vfsearch.index.layout import read_index_artefact
from vfsearch.pipeline.embed import embed_manifest
from vfsearch.pipeline.engine import SEEN_COLUMN
from vfsearch.pipeline.index import IndexRequest, build_indices
from vfsearch.pipeline.index_info import FRESH, index_infos, verify_indices
from vfsearch.pipeline.pooled_rows import pooled
from vfsearch.pipeline.update_index import add_to_index, followers, remove_from_index
from vfsearch.store.store import open_store

POOLED = IndexRequest(pooling=Pooling())


@pytest.fixture
def place(workspace):
    """A store of several shards."""
    embed_manifest(workspace, ID_HASH, IN_PROCESS, rows_per_part=7)
    return workspace


def test_an_index_of_templates(place):
    (made,) = build_indices(place, ["face"], [POOLED])
    assert (made.folder.name, made.rows, made.built_now) == ("face-pooled", 12, True)
    index, store = open_index(made.folder), open_store(place.store_folder)
    wanted = pool(store.load("face"), Pooling()).rows
    assert np.array_equal(index.vectors, wanted.vectors) and list(index.gallery.ids) == list(wanted.ids)
    assert set(index.gallery.columns["items"]) == {"5"}
    assert read_index_artefact(made.folder).about["pooling"] == Pooling().to_json()
    assert not build_indices(place, ["face"], [POOLED])[0].built_now


def test_other_pooling_is_another_index(place):
    build_indices(place, ["face"], [POOLED])
    for pooling, name in (
        (Pooling(items=2), "face-pooled"),
        (Pooling(items=2, seed=2), "face-pooled"),
        (pooling_by("identity+split"), "face-pooled-split"),
        (None, "face"),
    ):
        for built_now in (True, False):
            (made,) = build_indices(place, ["face"], [IndexRequest(pooling=pooling)])
            assert (made.folder.name, made.built_now) == (name, built_now)
    (made,) = build_indices(place, ["face"], [IndexRequest(preset="ivf", parameters={"lists": 2}, pooling=Pooling())])
    assert (made.folder.name, made.rows) == ("face-ivf-pooled", 12)
    # One name for both: neither is taken for the other.
    named = [IndexRequest(name="x"), IndexRequest(name="x", pooling=Pooling()), IndexRequest(name="x")]
    assert [build_indices(place, ["face"], [each])[0].rows for each in named] == [60, 12, 60]


def test_the_shards_change_no_byte(place):
    (first,) = build_indices(place, ["face"], [POOLED])
    vectors = np.array(open_index(first.folder).vectors)
    embed_manifest(place, ID_HASH, IN_PROCESS, rows_per_part=50, overwrite=True)
    (second,) = build_indices(place, ["face"], [POOLED])
    assert second.built_now and np.array_equal(open_index(second.folder).vectors, vectors)


def test_a_split_alone(place):
    (made,) = build_indices(place, ["face"], [POOLED], split="test")
    assert made.rows == 6 and set(open_index(made.folder).gallery.columns["split"]) == {"test"}


def test_people_in_two_splits_are_refused(place):
    text = write_manifest(place.folder).read_text().replace("0/0.png,face,p0,train", "0/0.png,face,p0,test")
    (place.folder / "manifest.csv").write_text(text)
    embed_manifest(place, ID_HASH, IN_PROCESS, overwrite=True)
    with pytest.raises(SettingsError, match="items of 'p0' are of the splits 'test' and 'train'"):
        build_indices(place, ["face"], [POOLED])
    assert not place.index_folder("face-pooled").exists()


def test_nothing_is_added_to_templates(place):
    build_indices(place, ["face"], [IndexRequest(), POOLED])
    with pytest.raises(SettingsError, match=r"holds templates \(identity\).*--modality face --pool identity"):
        add_to_index(place, "face-pooled")
    folders, warnings = followers(place)
    assert [folder.name for folder in folders] == ["face"] and "holds templates" in warnings[0]
    assert [folder.name for folder in followers(place, ["face-pooled"])[0]] == ["face-pooled"]


def test_a_person_can_be_removed_and_is_gone(place):
    build_indices(place, ["face"], [POOLED])
    (before,) = verify_indices(place, ["face-pooled"], identities=["p4"])
    assert "vectors.npy holds numbers of 1 removed rows, the first is 'p4'" in before.faults[-1]
    assert remove_from_index(place, "face-pooled", ["p4"]).rows == 11
    (after,) = verify_indices(place, ["face-pooled"], identities=["p4"])
    assert not after.faults


def test_what_is_said_of_it(place):
    build_indices(place, ["face"], [POOLED])
    (info,) = index_infos(place)
    assert info.state == FRESH and info.to_json()["pooling"]["by"] == ["identity"]


def test_one_seen_item_makes_a_seen_template():
    rows = make_embeddings(identities=list("aabbcc"), **{SEEN_COLUMN: ["", "item", "identity", "", "", ""]})
    assert pooled(rows, Pooling()).rows.columns[SEEN_COLUMN] == ["item", "identity", ""]
