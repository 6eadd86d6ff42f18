import dataclasses

import numpy as np
import pytest
from builders import ID_HASH, IN_PROCESS, contents
from lossy_index import BACKEND

from vfsearch.data.neighbors import NO_ROW
from vfsearch.errors import ArtefactError, MissingExtraError, SettingsError, UnknownNameError
from vfsearch.index.backends import BACKENDS, open_index
from vfsearch.index.layout import read_index_artefact
from vfsearch.index.writer import BUILDING
from vfsearch.pipeline.embed import embed_manifest
from vfsearch.pipeline.index import IndexRequest, build_indices
from vfsearch.registry import Entry
from vfsearch.store.store import open_store

IVF = IndexRequest(preset="ivf", parameters={"lists": 4})


def folders(built) -> list[str]:
    return [f"{each.folder.name} {each.built_now}" for each in built]


@pytest.fixture
def place(workspace):
    """A workspace with a store of several shards."""
    embed_manifest(workspace, ID_HASH, IN_PROCESS, rows_per_part=7)
    return workspace


def test_an_index_holds_the_rows_of_the_store(place):
    store = open_store(place.store_folder)
    for made in build_indices(place):
        index, wanted = open_index(made.folder), store.load(made.modality)
        assert np.array_equal(index.vectors, wanted.vectors) and index.gallery.ids == wanted.ids
        assert index.gallery.identities == wanted.identities and index.gallery.store == store.digest
        assert index.gallery.columns == wanted.columns
        assert (made.backend, made.preset, made.rows, made.dimension) == ("exact", "exact", 60, 64)
        files = [path.stat().st_size for path in made.folder.glob("*-*")]
        assert made.size_bytes == sum(files) and made.built_now and made.peak_memory_bytes > 2**20


def test_several_kinds_at_once(place):
    wanted = (IndexRequest(), IVF, IndexRequest(preset=BACKEND))
    assert folders(build_indices(place, ["face"], wanted)) == [
        "face True", "face-ivf True", "face-lossy_index.LossyIndex True",
    ]  # fmt: skip
    kept = build_indices(place, ["face"], wanted)
    assert folders(kept) == ["face False", "face-ivf False", "face-lossy_index.LossyIndex False"]
    assert {each.seconds for each in kept} == {0.0} and kept[1].backend == "faiss"
    index = open_index(place.index_folder("face-ivf"))
    found = index.search(np.array(index.vectors), 3)
    assert (found.rows != NO_ROW).all() and index.made_with.parameters["lists"] == 4


def test_what_an_up_to_date_index_is(place):
    build_indices(place, ["face"], [IVF])
    build_indices(place, ["voice"])
    for change in (
        {"wanted": [IVF], "seed": 2},
        {"wanted": [dataclasses.replace(IVF, parameters={"lists": 5})]},
        {"wanted": [IVF], "split": "test"},
        {"wanted": [IVF], "overwrite": True},
        {"wanted": [IndexRequest(name="face-ivf")]},
    ):
        assert folders(build_indices(place, ["face"], **change)) == ["face-ivf True"], change
    assert folders(build_indices(place, ["face"], [IndexRequest(name="voice")])) == ["voice True"]
    assert read_index_artefact(place.index_folder("voice")).about["modality"] == "face"


def test_settings_given_as_what_they_are_without_are_the_same(place):
    build_indices(place, ["face"], [IndexRequest(preset="ivf")])
    lists = read_index_artefact(place.index_folder("face-ivf")).about["settings"]["parameters"]["lists"]
    again = IndexRequest(preset="faiss", parameters={"factory": "IVF{lists},Flat", "lists": lists}, name="face-ivf")
    assert folders(build_indices(place, ["face"], [again])) == ["face-ivf False"]


def test_an_index_that_is_damaged_or_of_another_store_is_built_anew(place):
    build_indices(place, ["face"], [IVF])
    wanted = contents(place.indices_folder)
    (path,) = place.index_folder("face-ivf").glob("*-vectors.npy")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert folders(build_indices(place, ["face"], [IVF])) == ["face-ivf True"]
    assert contents(place.indices_folder) == wanted
    embed_manifest(place, ID_HASH, IN_PROCESS, rows_per_part=7, dtype="float16", overwrite=True)
    assert folders(build_indices(place, ["face"], [IVF])) == ["face-ivf True"]


def test_one_split(place):
    store = open_store(place.store_folder)
    build_indices(place, ["face"], split="test")
    index = open_index(place.index_folder("face"))
    assert index.gallery.ids == store.load("face", "test").ids
    assert read_index_artefact(place.index_folder("face")).about["split"] == "test"
    assert folders(build_indices(place, ["face"], split="test")) == ["face False"]
    with pytest.raises(ArtefactError, match="has no face rows with split=dev"):
        build_indices(place, ["face"], split="dev")


def test_a_build_that_was_killed_goes_on(place, monkeypatch):
    build_indices(place, ["face"], [IVF])
    wanted, folder = contents(place.indices_folder), place.index_folder("face-ivf")

    def fail(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("vfsearch.index.faiss_cpu.FaissIndex.write", fail)
        build_indices(place, ["face"], [IVF], overwrite=True)
    assert (folder / BUILDING / "items.safetensors").exists() and len(open_index(folder)) == 60
    monkeypatch.setattr("vfsearch.store.store.unpack_shard", fail)
    build_indices(place, ["face"], [IVF], overwrite=True)
    assert contents(place.indices_folder) == wanted


def test_leftovers_beside_an_index_that_is_kept_are_cleared_away(place):
    build_indices(place, ["face"])
    wanted = contents(place.indices_folder)
    (place.index_folder("face") / BUILDING).mkdir()
    (place.index_folder("face") / BUILDING / "step-trained").write_bytes(b"of another day")
    assert folders(build_indices(place, ["face"])) == ["face False"]
    assert contents(place.indices_folder) == wanted and not (place.index_folder("face") / BUILDING).exists()


def test_progress_ends_with_all_rows(place):
    told = []
    for _ in range(2):
        build_indices(place, ["face"], progress=lambda *each: told.append(each))
        assert told[-1][1:] == (60, 60)


@pytest.mark.parametrize(
    ("modalities", "wanted"),
    [((), [IndexRequest(name="mine")]), (["face"], [IndexRequest(name="mine"), dataclasses.replace(IVF, name="mine")]),
     (["face", "face"], [IndexRequest()])],
    ids=["modalities", "presets", "the same"],
)  # fmt: skip
def test_a_name_is_for_one_index(place, modalities, wanted):
    with pytest.raises(SettingsError, match=r"two indices would be .*index/(mine|face); a name is for one modality"):
        build_indices(place, modalities, wanted)
    assert not place.indices_folder.exists()


def test_kinds_that_cannot_be_built_are_refused_before_any_is(place, monkeypatch):
    with pytest.raises(UnknownNameError, match="no kind of index is named 'hsnw'"):
        build_indices(place, ["face"], [IndexRequest(), IndexRequest(preset="hsnw")])
    monkeypatch.setitem(BACKENDS._entries, "hnswlib", Entry(
        target="no.such:Index", requires=("no_such_module",), pip_line="pip install 'vfsearch[hnswlib]'",
    ))  # fmt: skip
    with pytest.raises(MissingExtraError, match=r"pip install 'vfsearch\[hnswlib\]'"):
        build_indices(place, ["face"], [IndexRequest(), IndexRequest(preset="hnswlib")])
    assert not place.indices_folder.exists()


def test_a_back_end_that_knows_the_cpu_alone_builds_there(place):
    assert folders(build_indices(place, ["face"], [IndexRequest(preset=BACKEND)], device="cuda:1"))[0].endswith(" True")


def test_a_store_without_rows(workspace):
    with pytest.raises(ArtefactError, match="make it with `vfsearch embed`"):
        build_indices(workspace)
