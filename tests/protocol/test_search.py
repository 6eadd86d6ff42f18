import numpy as np
import pytest
from builders import make_embeddings
from lossy_index import LossyIndex

from vfsearch.data.embeddings import Embeddings
from vfsearch.index.base import Opened
from vfsearch.index.exact import exact_in_memory
from vfsearch.index.settings import BuildSettings
from vfsearch.kernels.topk import topk
from vfsearch.protocol.comparison import compare
from vfsearch.protocol.search import Search

STORE = "0" * 64


def lossy(rows: Embeddings, seen: int) -> LossyIndex:
    exact = exact_in_memory(rows, STORE)
    made_with = BuildSettings(backend="lossy")
    index = LossyIndex(
        Opened(folder=exact.folder, paths={}, gallery=exact.gallery, vectors=exact.vectors, made_with=made_with,
               device="cpu")
    )  # fmt: skip
    index.use({"seen": seen})
    return index


@pytest.mark.parametrize("same", [True, False])
def test_gives_the_rows_of_the_index_and_never_the_probe_itself(same):
    everyone = make_embeddings(20, 8, seed=1, modality="face")
    rows = np.array([2, 3, 5, 8, 13])
    probes = everyone.take(rows) if same else make_embeddings(6, 8, seed=2)
    comparison = compare(probes, everyone.take(rows))
    result = Search(index=exact_in_memory(everyone, STORE), rows=rows, k=5).run(comparison)
    found = result.raw["rows"]
    assert found.shape == (len(probes), 5)
    assert np.isin(found, [*rows, -1]).all()
    if same:
        assert (found != rows[:, None]).all() and (found[:, -1] == -1).all()
    assert result.measurement.values == {} and result.measurement.candidates == 5
    assert result.measurement.lost == {} and "exact-rows" not in result.raw


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("same", [True, False])
def test_recall_is_the_share_of_the_true_neighbours_that_are_seen(seed, same):
    random = np.random.default_rng(seed)
    everyone = make_embeddings(60, 8, seed=seed, modality="face")
    rows = np.where(random.random(40) < 0.8, random.permutation(60)[:40], -1)
    gallery = random.permutation(60)[:40]
    gallery[rows >= 0] = rows[rows >= 0]
    gallery[rows < 0] = np.setdiff1d(np.arange(60), rows)[: (rows < 0).sum()]
    probes = everyone.take(gallery[:15]) if same else make_embeddings(15, 8, seed=seed + 100)
    comparison = compare(probes, everyone.take(gallery))
    index = lossy(everyone, 7)
    result = Search(index=index, rows=rows, k=4, true=exact_in_memory(everyone, STORE)).run(comparison)

    held = np.sort(rows[rows >= 0])
    itself = np.append(rows, -1)[comparison.sides.itself]
    shares = []
    for probe, out in zip(probes.vectors, itself, strict=True):
        among = held[held != out]
        truth = among[topk(probe[None], everyone.vectors[among], 4).rows[0]]
        shares.append((truth % 10 < 7).mean())
    assert result.raw["recall"].tolist() == shares
    assert result.measurement.values["R@4 of exact"].value == pytest.approx(np.mean(shares))
    assert np.array_equal(result.raw["gallery-rows"], rows)
    assert not ((result.raw["rows"] == itself[:, None]) & (itself[:, None] >= 0)).any()
    assert (result.raw["rows"] % 10 < 7)[result.raw["rows"] >= 0].all()


def test_an_index_that_sees_all_loses_nothing():
    everyone, probes = make_embeddings(50, 8, seed=1, modality="face"), make_embeddings(20, 8, seed=2)
    true = exact_in_memory(everyone, STORE)
    result = Search(index=lossy(everyone, 10), rows=np.arange(50), k=5, true=true).run(compare(probes, everyone))
    values, lost = result.measurement.values, result.measurement.lost
    assert list(values) == ["R@5 of exact", "R@1", "R@1 exact", "mAP@5", "mAP@5 exact"]
    assert values["R@5 of exact"].value == values["R@5 of exact"].high == 1.0
    assert {name: each.value for name, each in lost.items()} == {"R@1": 0.0, "mAP@5": 0.0}
    assert values["R@1"] == values["R@1 exact"] and values["mAP@5"] == values["mAP@5 exact"]
    assert np.array_equal(result.raw["rows"], result.raw["exact-rows"])


def test_less_memory_gives_the_same():
    everyone, probes = make_embeddings(50, 8, seed=1, modality="face"), make_embeddings(20, 8, seed=2)
    search = Search(index=lossy(everyone, 5), rows=np.arange(50), k=5, true=exact_in_memory(everyone, STORE))
    one, other = (search.run(compare(probes, everyone, max_memory=most)) for most in (None, 2**25))
    assert one.measurement.values == other.measurement.values and one.measurement.lost == other.measurement.lost


def test_the_interval_widens_with_the_people_not_the_probes():
    everyone = make_embeddings(200, 8, seed=1, modality="face")
    many, few = (make_embeddings(60, 8, seed=2, identities=[f"p{row % people}" for row in range(60)])
                 for people in (60, 6))  # fmt: skip
    search = Search(index=lossy(everyone, 7), rows=np.arange(200), k=5, true=exact_in_memory(everyone, STORE))
    values = [search.run(compare(probes, everyone)).measurement.values["R@5 of exact"] for probes in (many, few)]
    assert values[0].value == values[1].value
    assert all(value.low < value.value < value.high for value in values)
