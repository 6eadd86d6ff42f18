import numpy as np
import pytest
from PIL import Image

from vfsearch.corpus.generated import GeneratedCorpus, generate
from vfsearch.encoders.dlib_faces import NO_FACE_NOTE
from vfsearch.encoders.dlib_resnet import DlibPreparation, DlibResnet
from vfsearch.encoders.network import IR50, ThinResNet34, parse_network_settings
from vfsearch.encoders.network_preparation import NetworkClipPreparation, NetworkPhotoPreparation
from vfsearch.errors import SettingsError
from vfsearch.files import digest
from vfsearch.media.limits import Limits
from vfsearch.media.preparation import Prepared

SIDES = (260, 180, 220)
PLACES = ((0, 0), (330, 160), (640, 40))


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """A photo of one generated person, upright."""
    folder = tmp_path_factory.mktemp("people")
    generate(folder, GeneratedCorpus(people=2, clips=1, photos=3))
    return [np.array(Image.open(path).convert("RGB")) for path in sorted(folder.rglob("*.png"))[:3]]


@pytest.fixture(scope="module")
def group(faces, tmp_path_factory):
    """Three faces: the largest on the left, the smallest in the middle."""
    photo = Image.new("RGB", (920, 400), (128, 128, 128))
    for face, side, place in zip(faces, SIDES, PLACES, strict=True):
        photo.paste(Image.fromarray(face).resize((side, side)), place)
    path = tmp_path_factory.mktemp("group") / "group.png"
    photo.save(path)
    return path


def prepared(path, **settings) -> Prepared:
    return DlibPreparation(**settings)(path, None, None, Limits())


def place(note: str) -> list[int]:
    return [int(number) for number in note.split(" at ")[1].split(",")]


@pytest.mark.usefixtures("needs_dlib")
def test_all_faces_are_samples_largest_first(group):
    found = prepared(group, faces="all")
    every = [found, *found.others]
    assert [each.note.split(" at ")[0] for each in every] == ["face 1 of 3", "face 2 of 3", "face 3 of 3"]
    areas = [place(each.note)[2] * place(each.note)[3] for each in every]
    assert areas == sorted(areas, reverse=True)
    assert all(each.sample.shape == (150, 150, 3) for each in every)
    left = [place(each.note)[0] for each in every]
    assert left[0] < 260 and left[1] >= 640 and 330 <= left[2] < 510


@pytest.mark.usefixtures("needs_dlib")
def test_the_largest_is_the_first_of_all_and_the_central_one_of_them(group):
    found = prepared(group, faces="all")
    for wanted, sample in ((prepared(group), found.sample), (prepared(group, faces="central"), found.others[1].sample)):
        np.testing.assert_array_equal(wanted.sample, sample)
        assert (wanted.note, wanted.others) == ("", ())


@pytest.mark.usefixtures("needs_dlib")
def test_of_two_faces_as_near_to_the_middle_the_larger_is_central():
    import dlib

    photo = np.zeros((100, 400, 3), np.uint8)
    large, small = dlib.rectangle(20, 10, 99, 89), dlib.rectangle(320, 30, 359, 69)
    assert DlibPreparation(faces="central")._chosen(photo, [large, small]) == [large]
    near = dlib.rectangle(300, 30, 339, 69)
    assert DlibPreparation(faces="central")._chosen(photo, [large, near]) == [near]


@pytest.mark.usefixtures("needs_dlib")
@pytest.mark.parametrize("choice", ["central", "all"])
def test_one_face_has_no_note_and_none_is_cropped(faces, tmp_path, choice):
    Image.fromarray(faces[0]).save(tmp_path / "one.png")
    found = prepared(tmp_path / "one.png", faces=choice)
    assert (found.note, found.others) == ("", ())
    np.testing.assert_array_equal(found.sample, prepared(tmp_path / "one.png").sample)
    Image.new("RGB", (100, 100)).save(tmp_path / "none.png")
    assert prepared(tmp_path / "none.png", faces=choice).note == NO_FACE_NOTE


def test_a_choice_that_there_is_not_is_refused():
    with pytest.raises(SettingsError, match=r"^faces: got 'best', wanted one of largest, central, all$"):
        DlibPreparation(faces="best")


# Taken before there was a choice of faces, and before voices could be cut out: stores and models made then must go on.
FINGERPRINTS = [
    (DlibPreparation(), "67d127083442bbb43c48c4cc2b4f444d56b7ce1daa81c6afb88356946b31396d"),
    (DlibPreparation(aligned=True, on_no_face="fail"),
     "4db54ccc5140c5c66021a60c616ff18ac5f589ab5976a66c9ead3803d5659dc1"),
    (NetworkPhotoPreparation(), "9b3dc8529925b68c410388dc58d9d2d96ed507f52faa0f0d4d3254ffe80f3b62"),
    (NetworkClipPreparation(), "3adad4f31b0dec81b2ec913e6af02667b0fe5db2fb6edcb1123d35792d7882b9"),
    (NetworkClipPreparation(seconds=2.5), "2b4b5f14bba97993ea19e17a269c12ab593d4b0466d488ceec902b4f9809de4e"),
]  # fmt: skip


@pytest.mark.parametrize("preparation, wanted", FINGERPRINTS, ids=lambda value: str(value)[:40])
def test_what_was_there_before_keeps_its_fingerprint(preparation, wanted):
    assert digest({"target": preparation.target, **preparation.settings()}) == wanted


def test_networks_keep_what_their_models_say():
    for name, wanted in (
        ("ir50", "03853c0cd16cad8470f221aaa16451f593a6ad017797dfd8e88329f50e2b69f0"),
        ("thin-resnet34", "9bd0884dbe413912c3d969238d4615a391af25d9a9cf509f8463c0bdbf5a6cd8"),
    ):
        assert digest(list(parse_network_settings(name, {}))) == wanted
    assert IR50().preparation.settings() == NetworkPhotoPreparation().settings()
    assert ThinResNet34().preparation.settings() == NetworkClipPreparation().settings()


@pytest.mark.parametrize("kind", [DlibPreparation, NetworkPhotoPreparation])
@pytest.mark.parametrize("choice", ["central", "all"])
def test_another_choice_counts_in_the_fingerprint_and_travels(kind, choice):
    settings = kind(faces=choice).settings()
    assert settings == {**kind().settings(), "faces": choice}
    assert kind(**settings) == kind(faces=choice)


def test_encoders_take_the_choice():
    assert DlibResnet(faces="all").preparation.faces == "all"
    assert IR50(faces="central").preparation.faces == "central"
    assert parse_network_settings("ir50", {"faces": "all"})[1]["faces"] == "all"
