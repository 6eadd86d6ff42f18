import numpy as np
import pytest

from vfsearch.embed.batches import Batching, Sample, batches
from vfsearch.errors import SettingsError


def samples(*lengths):
    return [
        Sample(place=place, suffix="", sample=np.zeros((length, 2)), note="") for place, length in enumerate(lengths)
    ]


def test_samples_of_about_one_length_go_together():
    found = [[each.place for each in batch] for batch in batches(samples(5, 1, 3, 1, 5, 2, 3), 3)]
    assert found == [[1, 3, 5], [2, 6, 0], [4]]
    assert list(batches([], 3)) == []


def test_samples_without_a_length_keep_their_order():
    texts = [Sample(place=place, suffix="", sample=text, note="") for place, text in enumerate(["aaa", "b", "cc"])]
    assert [[each.place for each in batch] for batch in batches(texts, 2)] == [[0, 1], [2]]
    scalars = [Sample(place=place, suffix="", sample=np.float32(1), note="") for place in range(3)]
    assert len(list(batches(scalars, 3))) == 1


def test_a_batch_of_nothing_is_refused():
    with pytest.raises(SettingsError, match="a batch has 0 samples, it must have at least 1"):
        Batching(size=0)
