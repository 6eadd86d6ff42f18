import numpy as np
import pytest
from builders import make_space, unit_rows

from vfsearch.embed.batches import Sample
from vfsearch.embed.encoding import encoded
from vfsearch.errors import VfsearchError


class OutOfMemoryError(Exception):
    """As torch has one."""


class Small:
    """An encoder whose device holds so many samples at once."""

    space = make_space()

    def __init__(self, most):
        self.most, self.batches = most, []

    def encode(self, samples):
        if len(samples) > self.most:
            raise OutOfMemoryError
        self.batches.append(len(samples))
        return np.stack(samples)


BATCH = [Sample(place=place, suffix="", sample=row, note="") for place, row in enumerate(unit_rows(10))]


def test_a_batch_that_does_not_fit_is_halved():
    encoder = Small(3)
    found = encoded(BATCH, encoder, halve=True)
    assert encoder.batches == [2, 3, 2, 3] and [place for place, _ in found] == list(range(10))
    np.testing.assert_array_equal([row.vector for _, row in found], unit_rows(10))


def test_unasked_it_ends_the_run():
    with pytest.raises(VfsearchError, match=r"stopped at a batch of 10: OutOfMemoryError .*smaller --batch-size"):
        encoded(BATCH, Small(3))
    with pytest.raises(VfsearchError, match="stopped at a batch of 1: OutOfMemoryError"):
        encoded(BATCH, Small(0), halve=True)
