import faiss
import numpy as np
import pytest

from vfsearch.index.faiss_knobs import candidates_for, ladder, nprobe_knob
from vfsearch.index.faiss_shape import FaissShape


@pytest.mark.parametrize(("low", "high"), [(1, 1), (1, 2), (1, 16384), (8, 800)])
def test_a_ladder_reaches_both_ends_in_small_steps(low, high):
    values = np.array(ladder(low, high))
    assert (values[0], values[-1]) == (low, high)
    large = values[:-1] >= 8
    assert (np.diff(values) > 0).all()
    assert (values[1:][large] / values[:-1][large] < 1.3).all()


def test_lists_that_are_looked_at_unless_tuned():
    assert [nprobe_knob(lists).default for lists in (1, 4, 1024, 16384)] == [1, 4, 64, 256]


@pytest.mark.parametrize(
    ("factory", "candidates"),
    [("SQfp16", 1), ("SQ8", 2), ("SQ6", 8), ("SQ4", 8), ("PQ64x4fs", 16), ("IVF8,RaBitQ", 16), ("HNSW8,SQ8", 2),
     ("IVF8,RaBitQ4", 8)],
)  # fmt: skip
def test_coarser_codes_have_more_candidates(factory, candidates):
    assert candidates_for(FaissShape.of(faiss.index_factory(128, factory, faiss.METRIC_INNER_PRODUCT))) == candidates
