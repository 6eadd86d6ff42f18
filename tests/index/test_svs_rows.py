import numpy as np
import pytest
from builders import unit_rows

from vfsearch.index.svs_rows import RowFormat
from vfsearch.index.vector_file import VectorFile


def fitted(tmp_path, rows) -> RowFormat:
    np.save(tmp_path / "rows.npy", rows)
    return RowFormat.fitting("int8", VectorFile(tmp_path / "rows.npy"), 1)


@pytest.mark.parametrize("compression", ["none", "float16", "int8"])
def test_what_is_asked_gives_scores_that_are_near_the_true_ones(tmp_path, compression):
    rows, queries = unit_rows(200, 32), unit_rows(5, 32, 1)
    form = fitted(tmp_path, rows) if compression == "int8" else RowFormat(compression=compression)
    asked, scales = form.encode_queries(queries)
    scores = asked.astype(np.float64) @ form.encode(rows).T.astype(np.float64)
    assert np.abs(scores * (1 if scales is None else scales) - queries @ rows.T).max() < 0.01


def test_one_row_of_great_numbers_does_not_coarsen_the_others(tmp_path):
    rows = unit_rows(2000, 64)
    lone = np.eye(64, dtype=np.float32)[:1]
    form = fitted(tmp_path, np.concatenate([rows, lone]))
    assert form.scale > 127 and form.encode(lone).max() == 127
    assert np.abs(form.encode(rows) / form.scale - rows).mean() < 0.25 / 127


def test_a_query_of_noughts_or_nearly_so_asks_with_noughts():
    form = RowFormat(compression="int8", scale=100.0)
    for query in (np.zeros((1, 4), np.float32), np.full((1, 4), 1e-40, np.float32)):
        asked, scales = form.encode_queries(query)
        assert not asked.any() and np.isfinite(scales).all()
