import numpy as np
import pytest
from builders import unit_rows, write_manifest

from vfsearch.data.manifest import read_manifest
from vfsearch.errors import ManifestError
from vfsearch.pipeline.training_data import validation_split
from vfsearch.pipeline.validation import Validation


def sides(noise: float, seed: int = 0):
    """Rows around one direction a person, and the network that gives them."""
    names = [f"p{row % 6}" for row in range(24)]
    random = np.random.default_rng(seed)
    rows = {m: np.tile(unit_rows(6, 8, 1), (4, 1)) + noise * random.normal(size=(24, 8)) for m in ("voice", "face")}
    return lambda networks, modality: (networks * rows[modality], names)


def test_rows_that_tell_people_apart_score_1_and_rows_that_do_not_one_half():
    assert Validation(sides(0.0), 1, "val")(1.0) == (1.0, 1.0)
    constant = Validation(lambda networks, modality: (np.ones((24, 8)), sides(0.0)(1.0, modality)[1]), 1, "val")
    assert constant(None) == (0.5, 0.5)


def test_the_same_questions_each_time():
    assert Validation(sides(0.4), 1, "val")(1.0) == Validation(sides(0.4), 1, "val")(5.0)  # length does not count
    assert Validation(sides(0.4), 1, "val")(1.0) != Validation(sides(0.4), 2, "val")(1.0)


def test_one_person_cannot_be_matched():
    alone = Validation(lambda networks, modality: (unit_rows(3), ["p0"] * 3), 1, "val")
    with pytest.raises(ManifestError, match="validation split 'val' has fewer than 2 identities"):
        alone(None)


@pytest.mark.parametrize(
    ("splits", "wanted", "trained_on", "found"),
    [
        (("train", "test"), None, "train", None),
        (("train", "val", "test"), None, "train", "val"),
        (("train", "dev"), None, "train", "dev"),
        (("train", "val"), None, "val", None),
        (("train", "val"), None, None, None),
        (("train", "val"), "none", "train", None),
        (("train", "test"), "test", "train", "test"),
    ],
)
def test_which_split(tmp_path, splits, wanted, trained_on, found):
    manifest = read_manifest(write_manifest(tmp_path, splits=splits))
    assert validation_split(manifest, wanted, trained_on) == found


def test_a_usual_split_with_one_person_is_passed_over(tmp_path):
    manifest = read_manifest(write_manifest(tmp_path, identities=3, splits=("train", "val")))
    assert validation_split(manifest, None, "train") is None


def test_a_split_that_is_not_there(tmp_path):
    manifest = read_manifest(write_manifest(tmp_path))
    with pytest.raises(ManifestError, match="no item with split=val: its splits are 'test', 'train'"):
        validation_split(manifest, "val", "train")
