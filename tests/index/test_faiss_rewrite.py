from pathlib import Path

import numpy as np
import pytest
from faiss_galleries import STORE, built, faces_and_voices, found_share, source

from vfsearch.index import faiss_build, faiss_rewrite
from vfsearch.index.backends import open_index, opened
from vfsearch.index.base import Index
from vfsearch.index.building import about_index, write_rows
from vfsearch.index.faiss_cpu import FaissIndex
from vfsearch.index.layout import VECTORS, read_index_artefact
from vfsearch.index.vector_file import VectorFile
from vfsearch.index.writer import writing_index
from vfsearch.progress import silent

IN_PLACE = ["IVF16,Flat", "IVF16,SQ8", "IVF16,PQ4x4", "IVF16,RaBitQ", "PCA8,IVF16,SQ8", "IVF16_HNSW8,Flat"]
MADE_ANEW = ["Flat", "SQ8", "IVF16,PQ8x4fs", "PQ8x4fs", "PQ4x4", "IVF16,RaBitQfs", "IVF16,SQ8,RFlat"]


@pytest.fixture
def few_hide(monkeypatch):
    """Galleries of tests count as large."""
    monkeypatch.setattr(faiss_rewrite, "FEWEST_TO_HIDE_IN", 100)


def rewritten(folder: Path, keep: np.ndarray, added: np.ndarray) -> tuple[Index, str]:
    """The index with some rows less and others more, and how that was done."""
    old = opened(read_index_artefact(folder))
    rows = np.concatenate([old.vectors[keep], added])
    about = about_index(old.made_with, source(rows), len(rows))
    with writing_index(folder, about) as writer:
        write_rows([source(rows)], writer, silent)
        file = VectorFile(writer.path(VECTORS))
        how = FaissIndex.rewrite(old, keep, len(added), file, old.made_with, writer, "cpu", silent)
        writer.finish(about)
    return open_index(folder), how


def kept(n: int, seed: int = 3) -> np.ndarray:
    """Most of the rows."""
    return np.random.default_rng(seed).random(n) > 0.3


def answers_as_it_should(index: Index, probes: np.ndarray) -> None:
    """Every row has its entry, and searches find them."""
    assert index.inspect() == []
    if index.exhaustive is not None:
        index.use({**index.exhaustive, **({"refine": 64} if "refine" in index.settings else {})})
    assert found_share(index, probes) >= 0.97


@pytest.mark.parametrize("factory", IN_PLACE + MADE_ANEW)
def test_rows_leave_and_come_without_learning_anew(tmp_path, few_hide, factory):
    vectors, probes = faces_and_voices(1500)
    more, _ = faces_and_voices(300, seed=2)
    built(tmp_path / "a", vectors, factory)
    index, how = rewritten(tmp_path / "a", kept(1500), more)
    assert how.startswith("in place: lists" if factory in IN_PLACE else "codes made anew")
    assert len(index) == kept(1500).sum() + 300
    answers_as_it_should(index, probes)


@pytest.mark.parametrize("factory", [*IN_PLACE, *MADE_ANEW, "HNSW8,Flat", "HNSW8,SQ8", "SQ8,RFlat"])
def test_adding_alone(tmp_path, factory):
    vectors, probes = faces_and_voices(1500)
    more, _ = faces_and_voices(300, seed=2)
    built(tmp_path / "a", vectors, factory)
    index, how = rewritten(tmp_path / "a", np.ones(1500, bool), more)
    assert how.startswith(("in place", "added in place"))
    answers_as_it_should(index, probes)


@pytest.mark.parametrize("factory", [*IN_PLACE, *MADE_ANEW])
def test_what_was_added_and_removed_again_leaves_no_byte(tmp_path, few_hide, factory):
    vectors, _ = faces_and_voices(1500)
    more, _ = faces_and_voices(300, seed=2)
    built(tmp_path / "a", vectors, factory)
    (before,) = (tmp_path / "a").glob("*-index.faiss")
    wanted = before.read_bytes()
    rewritten(tmp_path / "a", np.ones(1500, bool), more)
    rewritten(tmp_path / "a", np.arange(1800) < 1500, more[:0])
    (after,) = (tmp_path / "a").glob("*-index.faiss")
    assert after.read_bytes() == wanted


def test_rows_leave_a_graph_by_building_it_anew(tmp_path):
    vectors, probes = faces_and_voices(1500)
    built(tmp_path / "a", vectors, "HNSW8,Flat")
    index, how = rewritten(tmp_path / "a", kept(1500), vectors[:0])
    assert how == "built anew: faiss cannot take rows out of a graph"
    answers_as_it_should(index, probes)


@pytest.mark.parametrize("factory", ["IVF16,Flat", "PQ8x4fs"])
def test_what_few_rows_taught_is_forgotten_with_them(tmp_path, factory):
    vectors, _ = faces_and_voices(400)
    built(tmp_path / "a", vectors, factory)
    _, how = rewritten(tmp_path / "a", kept(400), vectors[:0])
    assert how.startswith("built anew: what is learned from fewer than 10000 rows may show the removed ones")


def test_the_number_of_lists_that_was_asked_for_does_not_outlive_the_rows(tmp_path):
    vectors, probes = faces_and_voices(400)
    built(tmp_path / "a", vectors, "IVF16,Flat")
    index, _ = rewritten(tmp_path / "a", np.arange(400) < 3, vectors[:0])
    assert len(index) == 3 and index.inspect() == []
    assert index.search(probes, 3).rows[:, 0].min() >= 0


@pytest.mark.parametrize("factory", ["IVF64,Flat", "IVF64_HNSW8,Flat"])
def test_a_centre_of_removed_rows_alone_is_forgotten(tmp_path, few_hide, factory):
    vectors, _ = faces_and_voices(1500)
    lone = -vectors[:1500].mean(axis=0, keepdims=True)
    lone /= np.linalg.norm(lone)
    everyone = np.concatenate([vectors, np.repeat(lone, 300, axis=0)]).astype(np.float32)
    built(tmp_path / "a", everyone, factory)
    (path,) = (tmp_path / "a").glob("*-index.faiss")
    assert everyone[-1].tobytes() in path.read_bytes()
    index, how = rewritten(tmp_path / "a", np.arange(1800) < 1500, everyone[:0])
    assert how.startswith("in place")
    (path,) = (tmp_path / "a").glob("*-index.faiss")
    data = path.read_bytes()
    assert everyone[-1].tobytes() not in data
    centres = index._shape.inner.quantizer.reconstruct_n(0, 64)
    assert (np.abs(centres @ lone[0]) < 0.999).all() and (centres == 0).all(axis=1).any()


def test_rows_that_come_in_several_parts(tmp_path, few_hide, monkeypatch):
    vectors, probes = faces_and_voices(1000)
    more, _ = faces_and_voices(700, seed=2)
    for name in ("a", "b"):
        built(tmp_path / name, vectors, "IVF16,SQ8")
    rewritten(tmp_path / "a", kept(1000), more)
    monkeypatch.setattr(faiss_build, "ROWS_AT_ONCE", 50)
    monkeypatch.setattr(faiss_build, "PART_ROWS", 200)
    index, _ = rewritten(tmp_path / "b", kept(1000), more)
    answers_as_it_should(index, probes)
    assert index.gallery.store == STORE
