import numpy as np

from vfsearch.encoders.id_hash import IdHashFace, IdHashVoice


def test_rows_are_unit_and_depend_on_the_id_alone():
    encoder = IdHashVoice()
    rows = encoder.encode(["a", "b", "é", "\udcff", ""])
    assert rows.shape == (5, 64) and rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(encoder.encode(["b"]), rows[1:2])
    assert encoder.encode([]).shape == (0, 64)


def test_the_rows_never_change():
    wanted = [-0.1052473, 0.0080315, 0.1388393, 0.0233987]
    np.testing.assert_allclose(IdHashVoice().encode(["golden"])[0, :4], wanted, atol=1e-6)


def test_rows_are_spread_like_random_directions():
    rows = IdHashFace().encode([f"item {i}" for i in range(2000)])
    assert np.abs(rows.mean(axis=0)).max() < 0.015
    np.testing.assert_allclose(rows.T @ rows / 2000 * 64, np.eye(64), atol=0.15)


def test_voice_and_face_are_two_spaces():
    assert IdHashVoice().space != IdHashFace().space
