import numpy as np
import pytest
from faiss_galleries import built, faces_and_voices

from vfsearch.index import faiss_pages
from vfsearch.index.backends import open_index


@pytest.fixture(scope="module")
def gallery():
    return faces_and_voices(4000, 32)


def test_answers_are_the_same_while_pages_are_given_back(tmp_path, gallery, monkeypatch):
    vectors, probes = gallery
    index = built(tmp_path / "a", vectors, "IVF32,Flat")
    before = index.search(probes, 5)
    assert index._pages is None
    given = []
    monkeypatch.setattr(faiss_pages, "MOST_BYTES", 200_000)
    monkeypatch.setattr(
        faiss_pages.MappedLists, "give_back",
        lambda pages, before=faiss_pages.MappedLists.give_back: given.append(before(pages)),
    )  # fmt: skip
    again = open_index(tmp_path / "a")
    assert len(given) == 1
    found = again.search(probes, 5)
    assert len(given) == 1 + len(probes)
    assert np.array_equal(found.rows, before.rows) and np.array_equal(found.scores, before.scores)
    among = again.search(probes, 5, np.arange(2000))
    assert (among.rows < 2000).all() and again.inspect() == []


def test_pages_that_are_given_back_are_not_held(tmp_path, gallery, monkeypatch):
    index = built(tmp_path / "a", gallery[0], "IVF32,Flat")
    lists = faiss_pages.MappedLists(index._shape.lists)
    index.use(index.exhaustive)
    index.search(gallery[1], 5)
    monkeypatch.setattr(faiss_pages, "MOST_BYTES", 0)
    held = faiss_pages.held_bytes()
    lists.give_back()
    assert held - faiss_pages.held_bytes() > 4000 * 32 * 4 // 2


def test_few_queries_at_once_where_lists_are_long(tmp_path, gallery):
    index = built(tmp_path / "a", gallery[0], "IVF32,Flat")
    lists = faiss_pages.MappedLists(index._shape.lists)
    assert not lists.may_fill_memory
    lists.list_bytes = 2**20
    assert [lists.queries_at_once(nprobe) for nprobe in (1, 100, 10_000)] == [512, 5, 1]
