import pytest

from vfsearch.errors import SettingsError
from vfsearch.index.faiss_sizes import filled, lists_for, pieces_for, train_rows_for


def test_lists_are_a_power_of_two_near_four_square_roots():
    assert [lists_for(rows) for rows in (10_000, 100_000, 1_000_000, 10_000_000)] == [256, 1024, 4096, 16384]


@pytest.mark.parametrize("rows", [1, 2, 38, 39, 100, 5_000, 123_456, 10**9, 10**12])
def test_lists_have_rows_enough(rows):
    lists = lists_for(rows)
    assert lists == 1 or lists * 39 <= rows
    assert lists <= 65_536 and lists & (lists - 1) == 0


def test_no_more_rows_are_learned_from_than_there_are():
    assert train_rows_for(1, 7) == 7
    assert train_rows_for(4096, 10**6) == 48 * 4096


@pytest.mark.parametrize(
    ("dimension", "half", "quarter"), [(128, 64, 32), (6, 3, 1), (7, 1, 1), (1, 1, 1), (30, 15, 6)]
)
def test_pieces_divide_the_dimension(dimension, half, quarter):
    assert (pieces_for(dimension, 2), pieces_for(dimension, 4)) == (half, quarter)


def test_places_are_filled_in():
    assert filled("RR{dimension},IVF{lists},PQ{quarter}", 64, 32) == "RR32,IVF64,PQ8"
    assert filled("HNSW32,Flat", 64, 32) == "HNSW32,Flat"


@pytest.mark.parametrize("factory", ["IVF{list},Flat", "IVF{,Flat", "IVF}"])
def test_other_places_are_refused(factory):
    with pytest.raises(SettingsError, match=r"is not clear at '.*it may have \{lists\}, \{half\}"):
        filled(factory, 64, 32)
