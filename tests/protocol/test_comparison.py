import numpy as np
import pytest
from builders import make_embeddings, make_failure, make_space

from vfsearch.errors import SpaceMismatchError
from vfsearch.protocol.comparison import compare


def test_identities_are_numbered_alike_on_both_sides():
    voices = make_embeddings(identities=["c", "a", "b", "a", "c", "z"])
    faces = make_embeddings(modality="face", identities=["a", "a", "b", "c", "d", "d"])
    sides = compare(voices, faces).sides
    equal = sides.probes[:, None] == sides.gallery[None, :]
    names = np.array(voices.identities)[:, None] == np.array(faces.identities)[None, :]
    assert np.array_equal(equal, names)


@pytest.mark.parametrize("probe", ["voice", "face"])
@pytest.mark.parametrize("gallery", ["voice", "face"])
def test_direction_and_itself(probe, gallery):
    comparison = compare(make_embeddings(modality=probe), make_embeddings(modality=gallery))
    assert comparison.direction == f"{probe} to {gallery}"
    assert comparison.sides.itself.tolist() == (list(range(6)) if probe == gallery else [-1] * 6)


def test_itself_is_found_by_its_id_wherever_it_stands():
    voices = make_embeddings()
    assert compare(voices.take([1, 3, 5]), voices.take([5, 0, 1])).sides.itself.tolist() == [2, -1, 0]


def test_a_missing_probe_is_asked_for_when_its_identity_is_in_the_gallery():
    failures = [make_failure("x", identity="p1"), make_failure("y", identity="unknown"), make_failure("z")]
    comparison = compare(make_embeddings(), make_embeddings(modality="face"), failures)
    assert comparison.missing.tolist() == [comparison.sides.gallery[2], comparison.sides.gallery[0]]


def test_different_spaces_are_refused_with_both_named():
    with pytest.raises(SpaceMismatchError, match=r"voice probes is in the space one:.*face gallery in other:"):
        compare(make_embeddings(space=make_space("one")), make_embeddings(modality="face", space=make_space("other")))
