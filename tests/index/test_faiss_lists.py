import numpy as np
import pytest

from vfsearch.index.faiss_lists import KeptLists, ListsInFile, SortedLists, pieces_of_lists


def some_lists(count: int = 50, lists: int = 7, seed: int = 1) -> SortedLists:
    random = np.random.default_rng(seed)
    codes = random.integers(0, 256, (count, 3), np.uint8)
    return SortedLists(random.integers(0, lists, count), codes, 100 * seed + np.arange(count), lists)


def entries(lists) -> list[dict[int, bytes]]:
    """Number and code of each entry of each list."""
    return [
        {int(id_): code.tobytes() for id_, code in zip(lists.ids(number), lists.codes(number), strict=True)}
        for number in range(len(lists.sizes))
    ]


def test_rows_are_in_their_lists_in_their_order():
    near, codes = np.array([2, 0, 2, 2]), np.arange(8, dtype=np.uint8).reshape(4, 2)
    lists = SortedLists(near, codes, np.array([5, 6, 7, 8]), 4)
    assert lists.sizes.tolist() == [1, 0, 3, 0] and len(lists) == 4
    assert lists.ids(2).tolist() == [5, 7, 8] and lists.codes(2).tolist() == [[0, 1], [4, 5], [6, 7]]
    assert lists.ids(1).tolist() == [] and lists.codes(1).shape == (0, 2)


@pytest.mark.parametrize("head", [b"", b"something before"])
def test_what_is_written_is_what_is_read(tmp_path, head):
    lists = some_lists()
    (tmp_path / "lists").write_bytes(b"".join(pieces_of_lists(head, [lists])))
    read = ListsInFile(tmp_path / "lists", 7, 3, 50)
    assert read.sizes.tolist() == lists.sizes.tolist() and entries(read) == entries(lists)


def test_lists_of_several_sources_follow_one_another(tmp_path):
    parts = [some_lists(50), some_lists(0, seed=3), some_lists(20, seed=2)]
    (tmp_path / "lists").write_bytes(b"".join(pieces_of_lists(b"", parts)))
    read = ListsInFile(tmp_path / "lists", 7, 3, 70)
    for number in range(7):
        assert read.ids(number).tolist() == [id_ for part in parts for id_ in part.ids(number).tolist()]
        assert np.array_equal(read.codes(number), np.concatenate([part.codes(number) for part in parts]))


def test_rows_that_stay_get_new_numbers():
    source, keep = some_lists(), np.ones(200, bool)
    keep[[0, 3, 100, 101, 149]] = False
    kept = KeptLists(source, keep, without=np.array([6]))
    new = {int(old): place for place, old in enumerate(np.flatnonzero(keep))}
    wanted = [{new[id_]: code for id_, code in each.items() if id_ in new} for each in entries(source)]
    assert entries(kept)[:6] == wanted[:6]
    assert kept.sizes.tolist() == [len(each) for each in wanted[:6]] + [0]
