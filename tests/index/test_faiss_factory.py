import pytest

from vfsearch.errors import SettingsError
from vfsearch.index.faiss_cpu import FaissIndex
from vfsearch.index.faiss_factory import untrained
from vfsearch.index.settings import BuildSettings


def prepared(factory: str, rows: int = 5000, dimension: int = 16, **parameters: object) -> dict:
    """What a factory string becomes."""
    settings = BuildSettings(backend="faiss", parameters={"factory": factory, **parameters})
    return dict(FaissIndex.prepared(settings, rows, dimension).parameters)


def test_what_depends_on_the_size_is_chosen_and_written_down():
    chosen = prepared("IVF{lists},PQ{half}x4fs", 100_000)
    assert chosen["factory"] == "IVF1024,PQ8x4fs"
    assert (chosen["lists"], chosen["train_rows"]) == (1024, 65_536)
    assert FaissIndex.prepared(
        BuildSettings(backend="faiss", parameters=chosen), 100_000, 16
    ).parameters == chosen  # fmt: skip


def test_what_is_asked_for_goes_before():
    chosen = prepared("IVF{lists},Flat", lists=7, train_rows=500, train_rounds=3)
    assert (chosen["factory"], chosen["train_rows"], chosen["train_rounds"]) == ("IVF7,Flat", 500, 3)
    assert prepared("HNSW32,Flat", lists=7)["lists"] is None


@pytest.mark.parametrize(
    ("factory", "word"),
    [
        ("nonsense", "could not parse"),
        ("IVF16,PQ5", "d % M == 0"),
        ("LSH", "metric == METRIC_L2"),
        ("IDMap,Flat", "leave out IDMap"),
        ("IVF16,FlatDedup", "leave out IDMap and Dedup"),
        ("IVF9000,Flat", r"asks for 9000 lists, there are 5000 rows; write \{lists\}"),
    ],
)
def test_bad_factory_strings_are_refused_with_the_word_of_faiss(factory, word):
    with pytest.raises(SettingsError, match=word) as caught:
        prepared(factory)
    assert factory in str(caught.value) and "/project/" not in str(caught.value)


def test_a_setting_that_is_not_known():
    with pytest.raises(SettingsError, match="has no build setting 'nprobe'; it has: factory, lists"):
        prepared("Flat", nprobe=3)


def test_every_random_choice_is_decided():
    settings = BuildSettings(backend="faiss", parameters=prepared("IVF{lists},PQ8"), seed=5)
    inner = untrained(settings, 16).inner
    assert (inner.cp.seed, inner.pq.cp.seed, inner.cp.niter, inner.do_polysemous_training) == (5, 5, 10, False)
    graph = BuildSettings(backend="faiss", parameters=prepared("HNSW16,Flat", ef_construction=33))
    assert untrained(graph, 16).inner.hnsw.efConstruction == 33
