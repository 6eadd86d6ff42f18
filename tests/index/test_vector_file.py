import numpy as np
import pytest
from builders import unit_rows

from vfsearch.errors import DamagedError
from vfsearch.index.vector_file import VectorFile, npy_header

ROWS = unit_rows(50, 8, 3)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "vectors.npy"
    path.write_bytes(npy_header(ROWS.shape) + ROWS.tobytes())
    return VectorFile(path)


def test_numpy_reads_what_is_written(file):
    assert np.array_equal(np.load(file.path), ROWS) and np.array_equal(file.mapped(), ROWS)
    assert file.shape == (50, 8) and len(file) == 50


@pytest.mark.parametrize(("start", "stop"), [(0, 50), (7, 9), (49, 60), (50, 60), (3, 3)])
def test_pieces(file, start, stop):
    assert np.array_equal(file.read(start, stop), ROWS[start:stop])


@pytest.mark.parametrize("rows", [1, 7, 50, 60])
def test_blocks(file, rows):
    starts, pieces = zip(*file.blocks(rows), strict=True)
    assert np.array_equal(np.concatenate(pieces), ROWS) and starts == tuple(range(0, 50, rows))


def test_a_sample_is_of_rows_from_all_over_in_their_order(file):
    sample = file.sample(20, seed=1)
    places = [int(np.flatnonzero((row == ROWS).all(axis=1))[0]) for row in sample]
    assert places == sorted(set(places)) and len(places) == 20 and places[-1] > 40 and places[0] < 10
    assert np.array_equal(sample, file.sample(20, seed=1)) and not np.array_equal(sample, file.sample(20, seed=2))
    assert np.array_equal(file.sample(50, 1), ROWS) and np.array_equal(file.sample(500, 1), ROWS)


@pytest.mark.parametrize("rows", [ROWS.astype(np.float64), np.asfortranarray(ROWS), ROWS[0]])
def test_other_arrays(tmp_path, rows):
    np.save(tmp_path / "a.npy", rows)
    with pytest.raises(DamagedError, match=r"a.npy holds .*, wanted float32 rows"):
        VectorFile(tmp_path / "a.npy")


def test_no_array(tmp_path):
    (tmp_path / "a.npy").write_bytes(b"nothing of the kind")
    with pytest.raises(DamagedError, match=r"a.npy holds no rows"):
        VectorFile(tmp_path / "a.npy")


def test_a_file_that_was_cut_after_it_was_opened(file):
    file.path.write_bytes(file.path.read_bytes()[:-1])
    with pytest.raises(DamagedError, match="shorter than its header says"):
        file.read(40, 50)
