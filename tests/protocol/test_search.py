import numpy as np
import pytest
from builders import make_embeddings

from vfsearch.index.exact import ExactIndex
from vfsearch.protocol.comparison import compare
from vfsearch.protocol.search import Search


@pytest.mark.parametrize("same", [True, False])
def test_gives_the_rows_of_the_index_and_never_the_probe_itself(same):
    everyone = make_embeddings(20, 8, seed=1, modality="face")
    rows = np.array([2, 3, 5, 8, 13])
    probes = everyone.take(rows) if same else make_embeddings(6, 8, seed=2)
    comparison = compare(probes, everyone.take(rows))
    result = Search(index=ExactIndex.build(everyone, "0" * 64), rows=rows, k=5).run(comparison)
    found = result.raw["rows"]
    assert found.shape == (len(probes), 5)
    assert np.isin(found, [*rows, -1]).all()
    if same:
        assert (found != rows[:, None]).all() and (found[:, -1] == -1).all()
    assert result.measurement.values == {} and result.measurement.candidates == 5
