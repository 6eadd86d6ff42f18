import faiss
import numpy as np
import pytest
from faiss_galleries import faces_and_voices, unit

from vfsearch.index.faiss_centres import assigner, has_plain_centres, learned_centres, nearest
from vfsearch.index.faiss_shape import FaissShape


def plain_k_means(rows: np.ndarray, centres: np.ndarray, rounds: int) -> np.ndarray:
    """A loop over rows."""
    for _ in range(rounds):
        near = [int(np.argmax([row @ centre for centre in centres])) for row in rows]
        centres = unit(np.array([sum(row for row, at in zip(rows, near, strict=True) if at == number)
                                 for number in range(len(centres))]))  # fmt: skip
    return centres


def test_centres_are_those_of_a_plain_loop():
    rows, _ = faces_and_voices(300)
    start = rows[np.sort(np.random.default_rng(4).choice(300, 5, replace=False))]
    assert learned_centres(rows, 5, 3, seed=4) == pytest.approx(plain_k_means(rows, start, 3), abs=1e-5)


def test_rows_are_nearer_to_their_centres_after_each_round():
    rows, _ = faces_and_voices(2000)
    closeness = [float((rows @ learned_centres(rows, 20, rounds, 1).T).max(axis=1).mean()) for rounds in (0, 1, 4, 10)]
    assert closeness == sorted(closeness) and closeness[-1] > closeness[0] + 0.02


def test_as_close_as_the_centres_of_faiss():
    rows, _ = faces_and_voices(2000)
    theirs = faiss.Kmeans(16, 20, niter=10, spherical=True, seed=1)
    theirs.train(rows)
    ours = learned_centres(rows, 20, 10, 1)
    assert (rows @ ours.T).max(axis=1).mean() > (rows @ theirs.centroids.T).max(axis=1).mean() - 0.01


@pytest.mark.parametrize("different", [1, 2, 5])
def test_fewer_different_rows_than_centres(different):
    rows = np.repeat(faces_and_voices(different)[0], 10, axis=0)
    centres = learned_centres(rows, 6, 10, 1)
    assert np.linalg.norm(centres, axis=1) == pytest.approx(1, abs=1e-5)


def test_rows_that_cancel_out():
    rows = np.array([[1, 0], [-1, 0], [1, 0], [-1, 0]], np.float32)
    assert np.isfinite(learned_centres(rows, 1, 3, 1)).all()


def test_every_row_gets_the_nearest_list(monkeypatch):
    monkeypatch.setattr("vfsearch.index.faiss_centres.ROWS_AT_ONCE", 300)
    rows, _ = faces_and_voices(1000)
    assert np.array_equal(nearest(rows, rows[:7]), np.argmax(rows.astype(float) @ rows[:7].T.astype(float), axis=1))


@pytest.mark.parametrize(
    ("factory", "plain"),
    [
        ("IVF8,Flat", True),
        ("IVF8,PQ8x4fs", True),
        ("PCA8,IVF8,Flat", False),
        ("IVF8_HNSW8,Flat", True),
        ("Flat", False),
    ],
)
def test_whose_centres_are_learned_here(factory, plain):
    assert has_plain_centres(FaissShape.of(faiss.index_factory(16, factory, faiss.METRIC_INNER_PRODUCT))) is plain


def test_lists_are_those_that_faiss_chooses():
    rows, _ = faces_and_voices(1000)
    for factory in ("IVF8,Flat", "IVF8_HNSW8,Flat"):
        index = faiss.index_factory(16, factory, faiss.METRIC_INNER_PRODUCT)
        index.train(rows)
        assert np.array_equal(assigner(FaissShape.of(index))(rows), index.quantizer.search(rows, 1)[1][:, 0])
