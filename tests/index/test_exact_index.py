import dataclasses

import numpy as np
import pytest
from builders import make_embeddings, make_space, unit_rows

from vfsearch.artefact import read_artefact
from vfsearch.data.embeddings import Embeddings
from vfsearch.data.row_source import rows_in_memory
from vfsearch.errors import ArtefactError, DamagedError, LockedError, SettingsError, UnknownNameError, VectorError
from vfsearch.files import writer_lock
from vfsearch.index.backends import BACKENDS, open_index
from vfsearch.index.building import build_index
from vfsearch.index.exact import ExactIndex, exact_in_memory
from vfsearch.index.layout import SCHEMA
from vfsearch.index.settings import BuildSettings
from vfsearch.kernels.search_gallery import search_gallery
from vfsearch.kernels.topk import topk

STORE, OTHER_STORE = "a1" * 32, "b2" * 32


def faces(n: int = 20, seed: int = 1) -> Embeddings:
    split = ["train" if row < n // 2 else "test" for row in range(n)]
    return make_embeddings(n, 8, seed, modality="face", split=split)


def index(n: int = 20) -> ExactIndex:
    return exact_in_memory(faces(n), STORE)


def save(folder, n: int = 20, seed: int = 1, store: str = STORE) -> None:
    build_index(folder, rows_in_memory(faces(n, seed), store), BuildSettings(backend="exact"))


@pytest.fixture
def saved(tmp_path):
    save(tmp_path / "face")
    return tmp_path / "face"


def test_what_is_saved_is_what_is_opened(saved):
    built, opened = index(), open_index(saved)
    assert np.array_equal(opened.vectors, built.vectors)
    assert all(getattr(opened.gallery, field.name) == getattr(built.gallery, field.name)
               for field in dataclasses.fields(built.gallery))  # fmt: skip
    assert len(opened) == 20 and opened.backend == "exact"
    queries = unit_rows(5, 8, 7)
    for found in (opened.search(queries, 4), topk(queries, built.vectors, 4)):
        assert np.array_equal(found.rows, built.search(queries, 4).rows)
        assert np.array_equal(found.scores, built.search(queries, 4).scores)


def test_space_and_store_are_recorded(saved):
    about = read_artefact(saved, "index", SCHEMA, "test").about
    assert about == {
        "backend": "exact", "modality": "face", "space": make_space().to_json(), "store": STORE, "split": None,
        "rows": 20, "settings": {"backend": "exact", "parameters": {}, "seed": 1}, "search": {}, "tuned": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    "rows", [[3], [4, 5, 6, 7], [0, 2, 9, 19], list(range(20)), []],
    ids=["one", "a stretch", "scattered", "all", "none"],
)  # fmt: skip
@pytest.mark.parametrize("excluding", [False, True])
def test_a_search_among_some_rows_is_one_of_their_own(rows, excluding):
    rows, everyone, queries = np.array(rows, np.int64), index(), unit_rows(5, 8, 7)
    exclude = np.array([-1, 3, 4, 9, 12]) if excluding else None
    found = everyone.search(queries, 3, rows, exclude)
    for query in range(5):
        allowed = [row for row in rows.tolist() if exclude is None or row != exclude[query]]
        scores = everyone.vectors[allowed].astype(float) @ queries[query]
        wanted = [allowed[place] for place in np.argsort(-scores, kind="stable")[:3]]
        assert found.rows[query].tolist() == wanted + [-1] * (3 - len(wanted))
        assert found.scores[query, : len(wanted)] == pytest.approx(np.sort(scores)[::-1][:3], abs=1e-6)
        assert np.isneginf(found.scores[query, len(wanted) :]).all()


def test_an_open_index_keeps_its_answers_while_another_is_saved(saved):
    queries, opened = unit_rows(5, 8, 7), open_index(saved)
    before = opened.search(queries, 4)
    for store, seed in ((OTHER_STORE, 2), (OTHER_STORE, 3)):
        save(saved, 30, seed, store)
        again = opened.search(queries, 4)
        assert np.array_equal(again.rows, before.rows) and np.array_equal(again.scores, before.scores)
    renewed = open_index(saved)
    assert len(renewed) == 30 and renewed.gallery.store == OTHER_STORE
    assert len({path.name.split("-")[0] for path in saved.glob("*-*")}) == 1


def test_searching_leaves_the_file_as_it_is(saved):
    before = {path.name: path.read_bytes() for path in saved.iterdir()}
    open_index(saved).search(unit_rows(3, 8), 2)
    assert {path.name: path.read_bytes() for path in saved.iterdir()} == before


def test_the_same_index_saved_twice_is_the_same_bytes(saved, tmp_path):
    save(tmp_path / "again")
    for path in saved.iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("name", ["vectors.npy", "items.safetensors", "MANIFEST.json"])
def test_a_flipped_bit_is_refused_by_name(saved, name):
    (path,) = saved.glob(f"*{name}")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)
    with pytest.raises(DamagedError, match=name):
        open_index(saved)


@pytest.mark.parametrize("name", ["vectors.npy", "items.safetensors"])
def test_a_file_that_is_gone_or_cut_is_refused(saved, name):
    (path,) = saved.glob(f"*{name}")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DamagedError, match=f"{name} is damaged: .* bytes"):
        open_index(saved)
    path.unlink()
    with pytest.raises(ArtefactError, match="make the index anew"):
        open_index(saved)


def reseal(folder, **about) -> None:
    """Say something else of the same files, sealed properly."""
    artefact = read_artefact(folder, "index", SCHEMA, "test")
    artefact.about.update(about)
    artefact.write()


def test_rows_that_do_not_fit_their_list_are_refused(saved):
    reseal(saved, space=make_space(dimension=9).to_json())
    with pytest.raises(DamagedError, match=r"holds \(20, 8\), .*items.safetensors 20 rows of toy"):
        open_index(saved)


def test_a_back_end_that_is_not_known_here(saved):
    reseal(saved, backend="quantum")
    with pytest.raises(UnknownNameError, match=r"quantum.*exact"):
        open_index(saved)


def test_a_file_of_a_role_missing_from_the_list(saved):
    artefact = read_artefact(saved, "index", SCHEMA, "test")
    del artefact.files[next(name for name in artefact.files if name.endswith("-vectors.npy"))]
    artefact.write()
    with pytest.raises(DamagedError, match=r"has no vectors.npy; make it anew with `vfsearch index build`"):
        open_index(saved)


def test_nothing_there(tmp_path):
    with pytest.raises(ArtefactError, match="make it with `vfsearch index build`"):
        open_index(tmp_path / "none")


def test_an_index_without_rows(tmp_path):
    with pytest.raises(ArtefactError, match="there are no face rows to index"):
        save(tmp_path / "face", 0)
    assert not (tmp_path / "face").exists()


def test_another_writer(saved):
    with writer_lock(saved), pytest.raises(LockedError, match="is being written"):
        save(saved)


def test_answers_are_the_same_before_and_after_rows_are_prepared(monkeypatch):
    made, searched, queries = [], index(200), unit_rows(10, 8, 7)
    monkeypatch.setattr(
        "vfsearch.kernels.search_gallery.search_gallery",
        lambda *rest, **more: made.append(more) or search_gallery(*rest),
    )
    wanted = [topk(queries, searched.vectors, 4), topk(queries, searched.vectors[10:50], 4)]
    for _ in range(2):
        first = searched.search(queries[:8], 4)
        assert not len(made) % 2
        second = searched.search(queries, 4, max_memory=2**20)
        assert len(made) % 2 and np.array_equal(first.rows, wanted[0].rows[:8])
        assert np.array_equal(second.rows, wanted[0].rows) and np.array_equal(second.scores, wanted[0].scores)
        assert np.array_equal(searched.search(queries, 4, np.arange(10, 50)).rows, wanted[1].rows + 10)
    assert made == [{"max_memory": 2**19}, {"max_memory": 2**29}] * 2


def test_rows_that_change_in_place_are_other_rows():
    rows, searched, queries = np.arange(3), index(), unit_rows(2, 8, 7)
    before = searched.search(queries, 3, rows)
    rows += 10
    after = searched.search(queries, 3, rows)
    assert np.isin(before.rows, [0, 1, 2]).all() and np.isin(after.rows, [10, 11, 12]).all()


def test_queries_of_a_wrong_dimension_or_length():
    with pytest.raises(SettingsError, match=r"the gallery wants \(q, 8\)"):
        index().search(unit_rows(2, 9), 3)
    with pytest.raises(VectorError, match="not finite"):
        index().search(np.full((1, 8), np.nan, np.float32), 3)


def test_the_back_ends_by_name():
    assert BACKENDS.load("exact") is ExactIndex
