import numpy as np
from builders import make_space

from vfsearch.encoders.joint import JointEncoder
from vfsearch.encoders.network_preparation import NetworkClipPreparation


def joint(rows, modality: str = "voice", **more) -> JointEncoder:
    return JointEncoder(modality=modality, space=make_space(dimension=3), preparation=None, rows=rows, **more)


def test_rows_are_made_unit_length():
    found = joint(lambda samples, precision: np.array([[3.0, 0, 4], [0, 0, 0]])).encode(["a", "b"])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [[0.6, 0, 0.8], [0, 0, 0]], atol=1e-7)


def test_nothing_gives_no_rows_and_asks_no_network():
    assert joint(None).encode([]).shape == (0, 3)


def test_voice_and_face_share_the_space_of_the_model():
    voice, face = joint(len), joint(len, "face")
    assert voice.space == face.space == make_space(dimension=3)
    assert (voice.modality, face.modality, voice.name, voice.dimension) == ("voice", "face", "joint", 3)
    assert voice.weights_digest() == make_space(dimension=3).fingerprint


def test_it_has_the_preparation_of_its_backbone():
    encoder = JointEncoder(
        modality="voice", space=make_space(), preparation=NetworkClipPreparation(seconds=3), rows=len, name="mine"
    )
    assert (encoder.preparation.seconds, encoder.name) == (3, "mine")
