import faiss
import pytest
from faiss_galleries import built, faces_and_voices

from vfsearch.artefact import read_artefact
from vfsearch.index.backends import open_index
from vfsearch.index.layout import SCHEMA


def spoilt(folder, factory, spoil, tail=b""):
    """What `inspect` says of an index whose file was made anew, wrong, and properly sealed."""
    built(folder, faces_and_voices(500)[0], factory)
    artefact = read_artefact(folder, "index", SCHEMA, "test")
    (name,) = [name for name, facts in artefact.files.items() if facts["role"] == "index.faiss"]
    index = faiss.read_index(str(folder / name))
    spoil(index)
    artefact.add(name, faiss.serialize_index(index).tobytes() + tail, role="index.faiss")
    artefact.write()
    return open_index(folder).inspect()


def renumbered(index, old: int, new: int) -> None:
    """Give an entry another number."""
    lists = faiss.downcast_InvertedLists(index.invlists)
    for number in range(index.nlist):
        ids = faiss.rev_swig_ptr(lists.get_ids(number), lists.list_size(number))
        ids[ids == old] = new


@pytest.mark.parametrize("factory", ["IVF8,Flat", "IVF8,PQ8x4fs"])
def test_entries_that_are_not_those_of_the_rows(tmp_path, factory):
    (doubled, missing) = spoilt(tmp_path / "a", factory, lambda index: renumbered(index, 7, 8))[::-1]
    assert "1 rows without an entry, the first is row 7" in missing
    assert "1 rows with several entries, the first is row 8" in doubled
    (gone, missing) = spoilt(tmp_path / "b", factory, lambda index: renumbered(index, 7, 500))
    assert "1 entries of no row" in gone and "row 7" in missing


@pytest.mark.parametrize("factory", ["Flat", "IVF8,PQ8x4fs", "HNSW8,Flat"])
def test_bytes_that_belong_to_nothing(tmp_path, factory):
    (fault,) = spoilt(tmp_path / "a", factory, lambda index: None, tail=b"somebody")
    assert "what it holds takes" in fault


def test_lists_that_are_not_at_the_end(tmp_path):
    (fault,) = spoilt(tmp_path / "a", "IVF8,Flat", lambda index: None, tail=bytes(72))
    assert "is at byte" in fault


@pytest.mark.parametrize(
    "factory", ["Flat", "SQ8", "IVF8,Flat", "IVF8,RaBitQfs", "PCA8,IVF8,SQ8", "HNSW8,SQ8", "PQ4x4"]
)
def test_nothing_is_wrong_in_what_was_built(tmp_path, factory):
    assert spoilt(tmp_path / "a", factory, lambda index: None) == []
