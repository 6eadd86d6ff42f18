import numpy as np
import pytest
import torch
from builders import unit_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from vfsearch.networks.heads import HeadSettings
from vfsearch.networks.joint import JointNetworks
from vfsearch.pipeline.projection import Projection

WIDE = 256


def projection(hidden: int = 32) -> Projection:
    torch.manual_seed(1)
    heads = JointNetworks({}, {"voice": WIDE, "face": 12}, HeadSettings(dimension=16, hidden=hidden))
    return Projection(heads.double().eval(), "cpu")


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 70), st.integers(1, 70), st.sampled_from([0, 32]))
def test_a_row_depends_on_its_features_alone(rows, at_once, hidden):
    project, features = projection(hidden), unit_rows(rows, WIDE, rows)
    together = project("voice", features)
    parts = [project("voice", features[start : start + at_once]) for start in range(0, rows, at_once)]
    assert together.dtype == np.float32 and together.shape == (rows, 16)
    assert np.array_equal(np.concatenate(parts), together)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("rows", [2, 3, 5, 7, 61])
def test_equal_features_get_equal_rows(rows, threads):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        found = projection()("voice", np.repeat(unit_rows(1, WIDE), rows, axis=0))
    finally:
        torch.set_num_threads(before)
    assert (found == found[0]).all()


def test_no_rows():
    assert projection()("face", np.zeros((0, 12), np.float32)).shape == (0, 16)
