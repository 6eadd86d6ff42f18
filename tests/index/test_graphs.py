import numpy as np
import pytest
from builders import unit_rows

from vfsearch.errors import VfsearchError
from vfsearch.index.graphs import fill_gaps, ladder, require_written
from vfsearch.kernels.topk import topk


@pytest.mark.parametrize(("low", "high"), [(8, 2000), (10, 1000), (10, 12)])
def test_a_ladder_climbs_by_about_a_fifth_within_its_range(low, high):
    values = ladder(low, high, 10_000)
    assert values[0] == low and values[-1] == high
    steps = np.array(values[1:]) / np.array(values[:-1])
    assert (steps > 1.09).all() and (steps < 1.3).all()


def test_a_ladder_of_few_rows_ends_at_them_and_is_never_empty():
    assert max(ladder(10, 1000, 40)) <= 40
    assert ladder(10, 1000, 3) == (10,)


def test_queries_that_lack_a_row_are_answered_exactly_and_no_others():
    rows, queries = unit_rows(30), unit_rows(3, seed=1)
    found = np.array([[9, 8, 7], [1, 2, -1], [-1, -1, -1]])
    scores = np.zeros((3, 3), np.float32)
    fill_gaps(queries, rows, found, scores)
    wanted = topk(queries, rows, 3)
    assert found.tolist() == [[9, 8, 7], *wanted.rows[1:].tolist()]
    assert np.allclose(scores, [[0, 0, 0], *wanted.scores[1:]])


def test_a_file_that_is_short_is_refused_and_removed(tmp_path):
    short = tmp_path / "short"
    short.write_bytes(b"123")
    message = r"cannot write index.x: hnswlib wrote 3 of 4,000 bytes; free some space"
    with pytest.raises(VfsearchError, match=message):
        require_written(short, 4000, "index.x", "hnswlib")
    assert not short.exists()
    with pytest.raises(VfsearchError, match="wrote 0 of 4 bytes"):
        require_written(short, 4, "index.x", "hnswlib")
