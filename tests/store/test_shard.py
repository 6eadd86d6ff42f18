import random

import numpy as np
import pytest
from builders import make_failure, make_shard, rounds, unit_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from vfsearch.errors import DamagedError, InputError
from vfsearch.store.shard import DTYPES, pack_shard, unpack_shard

texts = st.text(st.characters(exclude_characters="\0"), max_size=12)


def equal(left, right) -> bool:
    one, other = left.embeddings, right.embeddings
    return (
        (list(one.ids), list(one.identities), one.modality, one.space, one.columns, left.failures, left.split)
        == (list(other.ids), list(other.identities), other.modality, other.space, other.columns, right.failures,
            right.split)
        and np.array_equal(one.vectors, other.vectors)
    )  # fmt: skip


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 5), st.lists(texts, max_size=3), texts, texts)
def test_written_and_read(n, reasons, name, split):
    failures = [make_failure(f"bad {row}", reason=text, columns={name: text}) for row, text in enumerate(reasons)]
    shard = make_shard(n, failures, split, **{f"x{name}": [split] * n})
    for dtype in DTYPES:
        data = pack_shard(shard, dtype)
        assert data == pack_shard(shard, dtype)
        found = unpack_shard(data, "here")
        assert len(found) == n + len(reasons) and found.embeddings.vectors.dtype == np.float32
        if dtype == "float32":
            assert equal(found, shard)


def test_half_precision_is_brought_back_to_unit_length():
    shard = make_shard(100, d=256)
    found = unpack_shard(pack_shard(shard, "float16"), "here").embeddings.vectors
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(found, shard.embeddings.vectors, atol=5e-4)
    assert len(pack_shard(shard, "float16")) < 0.75 * len(pack_shard(shard, "float32"))


def test_flipped_bits_that_no_digest_caught():
    """Texts of variable length read back otherwise here, or sent the HDF5 library into an endless loop."""
    shard = make_shard(20, [make_failure()], split="test", note=["x"] * 20)
    good, random_ = pack_shard(shard, "float32"), random.Random(4)
    for _ in range(rounds(300, 10_000)):
        bad = bytearray(good)
        bad[random_.randrange(len(bad))] ^= 1 << random_.randrange(8)
        try:
            assert equal(unpack_shard(bytes(bad), "a.h5"), shard)
        except InputError as error:
            assert "a.h5" in str(error)


@pytest.mark.parametrize("data", [b"", b"{}", pack_shard(make_shard(), "float32")[:-1]])
def test_no_shard(data):
    with pytest.raises(DamagedError, match=r"a\.h5 cannot be read as what it should be"):
        unpack_shard(data, "a.h5")


def test_a_row_that_is_not_of_unit_length_is_not_stored_unnoticed():
    shard = make_shard()
    shard.embeddings.vectors[1] = 2 * unit_rows(1)
    with pytest.raises(InputError, match="'voice-1' is of length 2"):
        unpack_shard(pack_shard(shard, "float32"), "a.h5")
