import faiss
import numpy as np
import pytest
from faiss_galleries import built, faces_and_voices, found_share, source, unit

from vfsearch.artefact import read_artefact
from vfsearch.errors import DamagedError, SettingsError, VectorError
from vfsearch.index.backends import open_index
from vfsearch.index.building import build_index
from vfsearch.index.faiss_cpu import FaissIndex
from vfsearch.index.layout import SCHEMA
from vfsearch.index.presets import PRESETS

OURS = [name for name, preset in PRESETS.items() if preset.backend == "faiss"]
FLOORS = {"flat": 1.0, "sq8": 1.0, "hnsw": 0.98, "hnsw-sq8": 0.97, "ivf-rabitq": 0.5}


@pytest.fixture(scope="module")
def gallery():
    return faces_and_voices()


@pytest.mark.parametrize("name", OURS)
def test_every_preset_finds_what_it_should(tmp_path, name):
    vectors, probes = faces_and_voices(d=64)
    preset = PRESETS[name]
    build_index(tmp_path / "a", source(vectors), preset.settings())
    index = open_index(tmp_path / "a")
    assert found_share(index, probes) >= FLOORS.get(name, 0.9)
    if index.exhaustive is not None:
        index.use({**index.exhaustive, **({"refine": 64} if index.settings.get("refine") else {})})
        assert found_share(index, probes) >= 0.98
    assert index.inspect() == []
    assert index.memory_bytes() <= sum(
        facts["size"] for facts in read_artefact(tmp_path / "a", "index", SCHEMA, "").files.values()
    )


@pytest.mark.parametrize("factory", ["Flat", "IVF16,Flat", "IVF16_HNSW8,Flat", "RR16,IVF16,Flat"])
def test_all_lists_of_whole_rows_are_exact(tmp_path, gallery, factory):
    vectors, probes = gallery
    index = built(tmp_path / "a", vectors, factory)
    index.use(index.exhaustive)
    found = index.search(probes, 20)
    scores = probes @ vectors.T
    assert found.scores == pytest.approx(-np.sort(-scores, axis=1)[:, :20], abs=1e-5)
    assert np.take_along_axis(scores, found.rows, axis=1) == pytest.approx(found.scores, abs=1e-5)


@pytest.mark.parametrize("factory", ["IVF16,Flat", "IVF16,SQ8", "IVF16,PQ4x4", "IVF16,RaBitQ", "PCA8,IVF16,SQ8"])
def test_lists_of_rows_and_codes_stay_on_disk(tmp_path, gallery, factory):
    index = built(tmp_path / "a", gallery[0], factory)
    lists = faiss.downcast_InvertedLists(faiss.extract_index_ivf(index._shape.index).invlists)
    assert type(lists) is faiss.OnDiskInvertedLists and lists.read_only
    assert lists.prefetch_nthread == 0
    assert index.memory_bytes() < lists.compute_ntotal() * (lists.code_size + 8)


def test_lists_scanned_in_registers_are_in_memory(tmp_path, gallery):
    index = built(tmp_path / "a", gallery[0], "IVF16,PQ8x4fs")
    assert isinstance(index._shape.lists, faiss.BlockInvertedLists)
    assert index.memory_bytes() == next((tmp_path / "a").glob("*-index.faiss")).stat().st_size


@pytest.mark.parametrize(
    ("factory", "knobs"),
    [
        ("Flat", {}), ("SQ8", {"refine": 2}), ("SQfp16", {"refine": 1}), ("PQ4x4", {"refine": 16}),
        ("IVF16,Flat", {"nprobe": 8}), ("IVF16,SQ4", {"nprobe": 8, "refine": 8}),
        ("IVF16,RaBitQ", {"nprobe": 8, "qb": 4, "refine": 8}), ("HNSW8,Flat", {"ef": 128}),
        ("HNSW8,SQ8", {"ef": 128, "refine": 2}), ("PCA8,IVF16,Flat", {"nprobe": 8, "refine": 1}),
    ],
)  # fmt: skip
def test_knobs_are_those_of_the_parts(tmp_path, gallery, factory, knobs):
    index = built(tmp_path / "a", gallery[0], factory)
    assert index.settings == knobs
    for knob in index.knobs:
        assert (
            list(knob.ladder) == sorted(set(knob.ladder)) and knob.low <= knob.ladder[0] <= knob.ladder[-1] <= knob.high
        )
    if knobs:
        with pytest.raises(SettingsError, match=f"{next(iter(knobs))} is -1, it must be"):
            index.use({next(iter(knobs)): -1})


@pytest.mark.parametrize("factory", ["IVF64,Flat", "IVF64_HNSW8,SQ8", "HNSW8,Flat", "PCA8,IVF64,SQ8", "IVF64,PQ8x4fs"])
def test_more_of_a_knob_finds_more(tmp_path, gallery, factory):
    vectors, probes = gallery
    index = built(tmp_path / "a", vectors, factory)
    knob = index.knobs[0]
    shares = []
    # A graph looks at ten candidates for ten neighbours, however few are asked for.
    for value in (1, 16 if knob.name == "ef" else 8, 64):
        index.use({knob.name: value, **({"refine": 16} if "refine" in index.settings else {})})
        shares.append(found_share(index, probes))
    assert shares[0] < shares[1] < shares[2] + 1e-9 and shares[2] > 0.9


@pytest.mark.parametrize(
    "factory",
    ["Flat", "SQ8", "PQ4x4", "PQ8x4fs", "IVF16,Flat", "IVF16,PQ8x4fs", "IVF16,RaBitQ", "RaBitQ", "HNSW8,Flat",
     "PCA8,IVF16,SQ8", "SQ8,RFlat", "IVF16,RaBitQfs"],
)  # fmt: skip
@pytest.mark.parametrize("step", [2, 7, 40])
def test_a_search_among_some_rows_gives_those_alone(tmp_path, gallery, factory, step):
    vectors, probes = gallery
    index = built(tmp_path / "a", vectors, factory)
    if "nprobe" in index.settings:
        index.use({**index.exhaustive, **({"refine": 64} if "refine" in index.settings else {})})
    rows = np.arange(1, len(vectors), step)
    found = index.search(probes, 5, rows, exclude=np.full(len(probes), 1))
    assert np.isin(found.rows, rows[1:]).all()
    best = np.sort(probes @ vectors[rows[1:]].T, axis=1)[:, :-6:-1]
    assert (found.scores >= best[:, -1:] - 1e-4).mean() > (0.7 if "RaBitQ" in factory else 0.9)


@pytest.mark.parametrize("factory", ["HNSW16,Flat", "HNSW16,SQ8"])
def test_a_graph_finds_as_many_as_are_wanted(tmp_path, gallery, factory):
    vectors, probes = gallery
    index = built(tmp_path / "a", vectors, factory)
    index.use({"ef": 4})
    before = index.search(probes[:20], 3)
    assert (index.search(probes[:20], 150).rows >= 0).all()
    assert (index.search(probes[:20], 150, np.arange(0, len(vectors), 2)).rows >= 0).all()
    assert np.array_equal(index.search(probes[:20], 3).rows, before.rows)


@pytest.mark.parametrize("n", [1, 2, 5, 40, 300])
@pytest.mark.parametrize("name", OURS)
def test_small_galleries(tmp_path, n, name):
    vectors, probes = faces_and_voices(n, queries=5)
    build_index(tmp_path / "a", source(vectors), PRESETS[name].settings())
    index = open_index(tmp_path / "a")
    found = index.search(probes, 7)
    assert found.rows.shape == (5, 7) and index.inspect() == []
    assert (found.rows[:, 0] >= 0).all() and ((found.rows >= 0) == np.isfinite(found.scores)).all()
    if index.exhaustive is not None:
        index.use(index.exhaustive)
        assert ((index.search(probes, 7).rows >= 0).sum(axis=1) == min(n, 7)).all()


def test_rows_that_are_all_the_same(tmp_path):
    vectors = np.repeat(unit(np.ones((1, 16))), 100, axis=0)
    for number, factory in enumerate(["IVF4,Flat", "IVF4,PQ8x4fs", "IVF4,RaBitQ", "SQ8"]):
        found = built(tmp_path / str(number), vectors, factory).search(vectors[:2], 3)
        assert found.scores == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("dimension", [1, 2, 7, 33])
def test_odd_dimensions(tmp_path, dimension):
    vectors, probes = faces_and_voices(200, dimension, queries=5)
    for name in ("ivf-pq", "ivf-pq-disk", "ivf-rabitq", "hnsw-sq8"):
        build_index(tmp_path / name, source(vectors), PRESETS[name].settings())
        assert open_index(tmp_path / name).search(probes, 3).rows.min() >= 0


def test_bad_queries(tmp_path, gallery):
    index = built(tmp_path / "a", gallery[0], "IVF16,Flat")
    with pytest.raises(VectorError, match=r"the queries have the shape \(2, 9\), the index wants \(q, 16\)"):
        index.search(np.ones((2, 9), np.float32), 3)
    with pytest.raises(VectorError, match=r"query 1.* is not finite"):
        index.search(np.array([gallery[1][0], np.full(16, np.nan)], np.float32), 3)


def resealed_with(folder, change) -> None:
    """Write another index into the file, under a proper seal."""
    artefact = read_artefact(folder, "index", SCHEMA, "test")
    (name,) = [name for name, facts in artefact.files.items() if facts["role"] == "index.faiss"]
    index = change(faiss.read_index(str(folder / name)))
    artefact.add(name, faiss.serialize_index(index).tobytes(), role="index.faiss")
    artefact.write()


def of_fewer(index):
    index.remove_ids(np.array([3]))
    return index


def of_metric(_):
    index = faiss.IndexFlatL2(16)
    index.add(faces_and_voices()[0])
    return index


@pytest.mark.parametrize(
    ("change", "message"),
    [(of_fewer, "holds 1999 rows of 16 dimensions, metric 0; the index says 2000 of 16"),
     (of_metric, "holds 2000 rows of 16 dimensions, metric 1; .* metric 0"),
     (lambda _: faiss.IndexFlatIP(9), "holds 0 rows of 9 dimensions")],
)  # fmt: skip
def test_a_file_of_other_rows_is_refused(tmp_path, gallery, change, message):
    built(tmp_path / "a", gallery[0], "Flat")
    resealed_with(tmp_path / "a", change)
    with pytest.raises(DamagedError, match=message):
        open_index(tmp_path / "a")


def test_a_file_that_is_none_of_faiss_is_refused(tmp_path, gallery):
    built(tmp_path / "a", gallery[0], "Flat")
    artefact = read_artefact(tmp_path / "a", "index", SCHEMA, "test")
    (name,) = [name for name, facts in artefact.files.items() if facts["role"] == "index.faiss"]
    artefact.add(name, b"not an index at all", role="index.faiss")
    artefact.write()
    with pytest.raises(DamagedError, match=r"cannot be read by faiss .*; make the index anew"):
        open_index(tmp_path / "a")


def test_an_open_index_keeps_its_answers_while_another_is_built(tmp_path, gallery):
    vectors, probes = gallery
    index = built(tmp_path / "a", vectors, "IVF16,Flat")
    before = index.search(probes, 5)
    built(tmp_path / "a", vectors[:500], "IVF16,Flat")
    assert np.array_equal(index.search(probes, 5).rows, before.rows)


def test_it_is_registered():
    from vfsearch.index.backends import BACKENDS

    assert BACKENDS.load("faiss") is FaissIndex
