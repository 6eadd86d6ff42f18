import gc
import tempfile

import numpy as np
import pytest
from builders import rounds

from vfsearch.errors import VfsearchError
from vfsearch.protocol.parted_rows import PartedRows, TemporaryPlace

ROW = np.dtype([("number", "<i8"), ("value", "<f8")])


def rows_of(numbers) -> np.ndarray:
    rows = np.zeros(len(numbers), ROW)
    rows["number"], rows["value"] = numbers, np.sqrt(numbers)
    return rows


def test_each_part_has_its_rows_in_the_order_in_which_they_came(tmp_path):
    for seed in range(rounds(10, 100)):
        random = np.random.default_rng(seed)
        parted, wanted = PartedRows(tmp_path, f"{seed}", ROW), np.empty(0, ROW)
        for _ in range(3):
            rows = rows_of(random.integers(0, 50, random.integers(0, 40)))
            parted.add(rows, rows["number"] % 5)
            wanted = np.concatenate([wanted, rows])
        for part in range(6):
            mine = wanted[wanted["number"] % 5 == part]
            assert np.array_equal(parted.take(part), mine) and (part in parted) == (len(mine) > 0)
        parted.remove()
        assert not list(tmp_path.iterdir()) and 0 not in parted


def test_a_disk_that_takes_no_more(tmp_path):
    parted = PartedRows(tmp_path / "gone", "scores", ROW)
    with pytest.raises(VfsearchError, match=r"cannot keep 2 trials in .*scores-0: .*; free some space, or set TMPDIR"):
        parted.add(rows_of([1, 2]), np.zeros(2, dtype=int))


def test_a_place_goes_with_its_owner_or_before(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    place, other = TemporaryPlace(), TemporaryPlace()
    (place.folder / "file").write_text("")
    place.close()
    assert not place.folder.exists() and other.folder.parent == tmp_path
    del other
    gc.collect()
    assert not list(tmp_path.iterdir())
