import pytest
from hypothesis import given
from hypothesis import strategies as st
from training_media import Workers, tasks

from vfsearch.errors import MediaError
from vfsearch.train.decoded_items import DecodedItems
from vfsearch.train.sample_source import MediaSource
from vfsearch.train.sampling import PairSampler

NAMES = ["a", "b", "c"] * 3  # rows of a: 0 3 6, of b: 1 4 7, of c: 2 5 8
NONE_OF_B = (
    "none of the 3 voice items of the identity 'b' can be decoded, {row} for one: broken {row}; without one it cannot "
    "be trained on: mend the files, or take the identity out of the manifest"
)


def items(bad=()) -> DecodedItems:
    source = MediaSource(tasks(len(NAMES)), Workers(bad))
    return DecodedItems(modality="voice", sampler=PairSampler(NAMES, NAMES, 4, 1), source=source)


@pytest.mark.parametrize(
    ("bad", "drawn", "taken"),
    [([], 3, 3), ([3], 3, 6), ([6], 6, 0), ([3, 6], 3, 0), ([0, 6], 6, 3), ([0], 3, 3)],
)
def test_the_next_of_the_identity_takes_its_place(bad, drawn, taken):
    (sample,) = items(bad).samples([drawn], [0])
    assert sample[0] == taken


@given(st.sets(st.integers(0, 8)), st.lists(st.integers(0, 8), max_size=6))
def test_against_a_plain_loop(bad, rows):
    wanted = []
    for row in rows:
        own = [(row + 3 * further) % 9 for further in range(3)]
        good = [each for each in own if each not in bad]
        wanted.append(good[0] if good else None)
    found = items(bad)
    if None in wanted:
        with pytest.raises(MediaError, match="can be decoded"):
            found.samples(rows, [row % 3 for row in rows])
    else:
        assert [sample[0] for sample in found.samples(rows, [row % 3 for row in rows])] == wanted


def test_what_failed_is_known_afterwards():
    found = items(bad=[3, 6, 8])
    found.samples([3, 1, 2], [0, 1, 2])
    assert {row: failure.reason for row, failure in found.source.failures.items()} == {3: "broken 3", 6: "broken 6"}


def test_an_identity_with_nothing_left_is_named_with_an_item_and_the_reason():
    with pytest.raises(MediaError) as raised:
        items(bad=[1, 4, 7]).samples([0, 4], [0, 1])
    assert str(raised.value) == NONE_OF_B.format(row=4)


def test_identities_that_cannot_be_trained_on_are_found_beforehand():
    seen, found = [], items(bad=[1, 4, 7, 2])
    assert found.undecodable_identities(lambda *call: seen.append(call)) == {"b": NONE_OF_B.format(row=1)}
    assert seen == [("identities with a voice", 3, 3)]
    assert sorted(found.source.failures) == [1, 2, 4, 7]
    assert items().undecodable_identities() == {}
