import pytest

from vfsearch.encoders.dlib_network import DlibNetwork, _integer
from vfsearch.encoders.dlib_resnet import model_file
from vfsearch.errors import ArtefactError


@pytest.mark.parametrize(
    "value, data", [(1, b"\x01\x01"), (128, b"\x01\x80"), (256, b"\x02\0\x01"), (4736, b"\x02\x80\x12")]
)
def test_integers_as_dlib_writes_them(value, data):
    assert _integer(value) == data


@pytest.mark.parametrize("size", [0, 1000, 20_000_000])
@pytest.mark.usefixtures("needs_dlib")
def test_other_files_are_refused(size):
    data = model_file("dlib_face_recognition_resnet_model_v1.dat").read_bytes()[:size]
    with pytest.raises(ArtefactError, match="not the weights of dlib's face recognition network: no b'"):
        DlibNetwork(data)
