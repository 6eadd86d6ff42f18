import numpy as np

from vfsearch.encoders.constant import ConstantFace, ConstantVoice


def test_every_row_is_the_same_unit_row():
    rows = ConstantVoice().encode(["a", "b", "c"])
    np.testing.assert_array_equal(rows, np.full((3, 64), 0.125, np.float32))
    assert ConstantVoice().encode([]).shape == (0, 64)


def test_voice_and_face_are_two_spaces():
    assert ConstantVoice().space != ConstantFace().space
