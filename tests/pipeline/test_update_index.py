import pytest
from builders import ID_HASH, IN_PROCESS, contents, write_manifest

from vfsearch.errors import ArtefactError, SettingsError, SpaceMismatchError
from vfsearch.index.backends import open_index
from vfsearch.index.layout import read_index_artefact
from vfsearch.pipeline.embed import embed_manifest
from vfsearch.pipeline.index import IndexRequest, build_indices
from vfsearch.pipeline.index_info import index_infos
from vfsearch.pipeline.query import QuerySettings, query
from vfsearch.pipeline.update_index import add_to_index, index_folders, remove_from_index
from vfsearch.store.store import open_store


def embed(place, identities: int = 12, items: int = 5, **more) -> None:
    """The store of so many people."""
    write_manifest(place.folder, identities, items)
    embed_manifest(place, ID_HASH, IN_PROCESS, overwrite=True, **more)


@pytest.fixture
def place(workspace):
    """A store of 12 people, 5 photos each, and an index of the photos."""
    embed(workspace)
    build_indices(workspace, ["face"])
    return workspace


def about(place, name="face"):
    return read_index_artefact(place.index_folder(name)).about


def test_rows_that_the_index_lacks_are_added(place):
    embed(place, identities=14)
    dry = add_to_index(place, "face", dry_run=True)
    assert (dry.rows_before, dry.rows, dry.added, dry.written) == (60, 70, 10, False)
    assert len(open_index(place.index_folder("face"))) == 60
    found = add_to_index(place, "face")
    assert (found.rows, found.added, found.replaced, found.removed, found.written) == (70, 10, 0, 0, True)
    store = open_store(place.store_folder)
    rows, index = store.load("face"), open_index(place.index_folder("face"))
    order = [rows.ids.index(id_) for id_ in index.gallery.ids]
    assert sorted(order) == list(range(70)) and (index.vectors == rows.vectors[order]).all()
    assert index.gallery.columns["split"] == [rows.columns["split"][row] for row in order]
    assert about(place)["store"] == store.digest
    again = add_to_index(place, "face")
    assert not again.written and again.added == 0 and again.how == ""


def test_a_query_takes_the_index_after_each_change(workspace):
    embed(workspace)
    build_indices(workspace)
    shared = QuerySettings(probe="face", gallery="face", n=(2,), k=3)
    embed(workspace, identities=14)
    add_to_index(workspace, "face")
    assert query(workspace, shared).outcome.counts["index_rows"] == 70
    remove_from_index(workspace, "face", ["p1"])
    assert query(workspace, shared, overwrite=True).outcome.counts["index_rows"] == 65


def test_rows_that_the_store_has_otherwise_are_replaced(place):
    embed_manifest(place, ID_HASH, IN_PROCESS, dtype="float16", overwrite=True)
    found = add_to_index(place, "face")
    assert (found.added, found.replaced, found.removed, found.rows) == (0, 60, 0, 60)
    rows, index = open_store(place.store_folder).load("face"), open_index(place.index_folder("face"))
    order = [rows.ids.index(id_) for id_ in index.gallery.ids]
    assert (index.vectors == rows.vectors[order]).all()


def test_removed_rows_do_not_come_back_by_building(place):
    remove_from_index(place, "face", ["p1"])
    with pytest.raises(SettingsError, match=r"5 rows were removed from the index .*face: built anew .* --overwrite"):
        build_indices(place, ["face"])
    assert len(open_index(place.index_folder("face"))) == 55
    assert index_infos(place)[0].state == "the store as it is, less 5 rows"
    build_indices(place, ["face"], overwrite=True)
    assert len(open_index(place.index_folder("face"))) == 60
    (kept,) = build_indices(place, ["face"])
    assert not kept.built_now


def test_a_person_with_another_name_is_replaced(place):
    text = place.manifest_path.read_text().replace(",p3,", ",somebody,")
    place.manifest_path.write_text(text)
    embed_manifest(place, ID_HASH, IN_PROCESS, overwrite=True)
    found = add_to_index(place, "face")
    assert (found.added, found.replaced) == (0, 5)
    assert open_index(place.index_folder("face")).gallery.identities.count("p3") == 0


def test_rows_that_the_store_has_no_more(place):
    before = about(place)["store"]
    embed(place, identities=10)
    found = add_to_index(place, "face")
    assert (found.not_in_store, found.removed, found.rows, found.written) == (10, 0, 60, False)
    assert len(found.named) == 5 and found.named[0] == "f/11/0.png"
    assert "10 rows of the index" in found.warnings[0] and "--prune removes them" in found.warnings[0]
    assert about(place)["store"] == before
    pruned = add_to_index(place, "face", prune=True)
    assert (pruned.not_in_store, pruned.removed, pruned.rows, pruned.written) == (0, 10, 50, True)
    assert about(place)["store"] == open_store(place.store_folder).digest and not pruned.warnings


def test_only_the_store_is_another(place):
    before = contents(place.index_folder("face"))
    embed(place, rows_per_part=7)
    found = add_to_index(place, "face")
    assert found.written and found.added == 0 and about(place)["store"] == open_store(place.store_folder).digest
    after = contents(place.index_folder("face"))
    assert [name for name in before if before[name] != after[name]] == ["face/MANIFEST.json"]


def test_an_index_of_one_split_gets_rows_of_that_split(workspace):
    embed(workspace)
    build_indices(workspace, ["face"], [IndexRequest(name="trained")], split="train")
    embed(workspace, identities=16)
    found = add_to_index(workspace, "trained")
    assert (found.rows_before, found.added, found.not_in_store) == (30, 10, 0)
    assert set(open_index(workspace.index_folder("trained")).gallery.columns["split"]) == {"train"}


def test_a_store_of_another_model(place, built):
    with pytest.raises(SpaceMismatchError, match=r"the store .*embeddings is in the space joint.*index/face"):
        add_to_index(_with_index(built, place), "face")


def _with_index(store_of, index_of):
    return type(store_of)(folder=store_of.folder, index=index_of.indices_folder)


def test_people_and_rows_are_removed(place):
    dry = remove_from_index(place, "face", ["p2"], ["f/4/1.png"], dry_run=True)
    assert (dry.rows_before, dry.rows, dry.removed, dry.written) == (60, 54, 6, False)
    assert len(open_index(place.index_folder("face"))) == 60
    found = remove_from_index(place, "face", ["p2", "p2"], ["f/4/1.png", "f/2/0.png"])
    assert (found.rows, found.removed, found.written) == (54, 6, True)
    index = open_index(place.index_folder("face"))
    assert "p2" not in list(index.gallery.identities) and "f/4/1.png" not in list(index.gallery.ids)
    (warning,) = found.warnings
    assert f"this changes the index {place.index_folder('face')} alone: {place.store_folder}, " in warning
    assert "`vfsearch index add` and `index build --overwrite` bring back what the store has" in warning
    assert add_to_index(place, "face").added == 6


def test_what_is_not_there_removes_nothing(place):
    before = contents(place.index_folder("face"))
    for people, ids, said in [
        (["p2", "p999"], [], r"has no row of the identity 'p999'; nothing was removed"),
        (["p2"], ["x", "y"], r"has no row of the id 'x' \(and 1 more that were named\)"),
        (["p"], [], "no row of the identity 'p'"),
        ([], [], "nothing is named to be removed"),
        ([f"p{number}" for number in range(12)], [], "no row of the index .* would be left; remove the folder"),
    ]:
        with pytest.raises(SettingsError, match=said) as error:
            remove_from_index(place, "face", people, ids)
        assert error.value.exit_code == 2
        assert contents(place.index_folder("face")) == before


def test_a_removal_that_was_killed_at_its_very_end(place):
    """Its manifest is in place, the old files are there still; nobody of that name is in the index."""
    folder = place.index_folder("face")
    old = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in (".npy", ".safetensors")}
    remove_from_index(place, "face", ["p2"])
    for name, data in old.items():
        (folder / name).write_bytes(data)
    with pytest.raises(SettingsError, match="no row of the identity 'p2'"):
        remove_from_index(place, "face", ["p2"], dry_run=True)
    assert (folder / next(iter(old))).exists()
    with pytest.raises(SettingsError, match="no row of the identity 'p2'"):
        remove_from_index(place, "face", ["p2"])
    assert not any((folder / name).exists() for name in old)


def test_which_indices(place, workspace):
    build_indices(place, ["voice"])
    assert [folder.name for folder in index_folders(place)] == ["face", "voice"]
    face = place.index_folder("face")
    assert index_folders(place, ["face"]) == index_folders(place, [str(face)]) == [face]
    with pytest.raises(ArtefactError, match=r"no index is named 'foot' .* there are face, voice"):
        index_folders(place, ["foot"])
    one = type(place)(folder=place.folder, index=face)
    assert index_folders(one) == [face]
    with pytest.raises(ArtefactError, match=r"there is no index in .*nowhere; build one"):
        index_folders(type(place)(folder=place.folder / "nowhere", index=place.folder / "nowhere"))
