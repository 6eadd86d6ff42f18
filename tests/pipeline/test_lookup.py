import dataclasses
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from builders import ID_HASH, IN_PROCESS
from lossy_index import BACKEND

from vfsearch.data.pooling import Pooling
from vfsearch.data.row_source import rows_in_memory
from vfsearch.data.templates import pool
from vfsearch.encoders.catalog import ENCODERS
from vfsearch.errors import (
    ArtefactError,
    DoesNotFitError,
    ManifestError,
    MediaError,
    MismatchError,
    SettingsError,
    SpaceMismatchError,
)
from vfsearch.index.building import build_index
from vfsearch.index.settings import BuildSettings
from vfsearch.networks.heads import HeadSettings
from vfsearch.pipeline.embed import embed_manifest
from vfsearch.pipeline.encoders import Encoders
from vfsearch.pipeline.index import build_indices
from vfsearch.pipeline.lookup import look_up
from vfsearch.pipeline.searched_index import SearchSettings
from vfsearch.pipeline.train import train_model
from vfsearch.pipeline.workspace import Workspace
from vfsearch.store.store import open_store
from vfsearch.train.settings import TrainSettings

NUMBERS = Encoders(voice="number_rows:NumberVoice", face="number_rows:NumberFace")
SETTINGS = TrainSettings(head=HeadSettings(dimension=4, hidden=5), stages=("retrain",), steps=5, batch_size=3)
FACES = {"a": "1 0 0", "b": "0.8 0.6 0", "c": "0 1 0", "d": "0.80 0.60 0"}


@pytest.fixture
def place(tmp_path) -> Workspace:
    """Four photos and as many clips, of three people, whose rows are in their files."""
    lines = ["id,path,modality,identity"]
    for modality in ("voice", "face"):
        for name, row in FACES.items():
            (tmp_path / f"{modality}-{name}.txt").write_text(row)
            lines.append(f"{modality[0]}{name},{modality}-{name}.txt,{modality},{'person-' + name.replace('d', 'a')}")
    (tmp_path / "manifest.csv").write_text("\n".join(lines))
    return Workspace(folder=tmp_path)


@pytest.fixture
def frozen(place) -> Workspace:
    embed_manifest(place, NUMBERS, IN_PROCESS)
    build_indices(place)
    return place


def found(place, file: str, **more) -> list[tuple]:
    asked = {"probe": "face", "gallery": "face", "decoding": IN_PROCESS, "frozen": NUMBERS, **more}
    return [(m.rank, m.id, m.identity, m.path) for m in look_up(place, place.folder / file, **asked).matches]


def test_the_best_come_first_and_equal_ones_in_the_order_of_the_list(frozen):
    assert found(frozen, "face-b.txt", k=3) == [
        (1, "fb", "person-b", "face-b.txt"),
        (2, "fd", "person-a", "face-d.txt"),
        (3, "fa", "person-a", "face-a.txt"),
    ]


def test_scores_and_note(frozen):
    result = look_up(frozen, frozen.folder / "face-a.txt", "face", "face", 4, IN_PROCESS, NUMBERS)
    assert [match.score for match in result.matches] == pytest.approx([1.0, 0.8, 0.8, 0.0], abs=1e-7)
    assert result.note == "short"


def test_more_than_there_are(frozen):
    assert [rank for rank, *_ in found(frozen, "face-a.txt", k=99)] == [1, 2, 3, 4]


def test_a_model_takes_a_clip_to_the_faces_as_it_did_when_it_embedded(place):
    train_model(place, SETTINGS, NUMBERS, decoding=IN_PROCESS)
    embed_manifest(place, decoding=IN_PROCESS)
    build_indices(place)
    for name in FACES:
        best = look_up(place, place.folder / f"voice-{name}.txt", "voice", "voice", 4, IN_PROCESS).matches[0]
        assert best.score == pytest.approx(1.0, abs=1e-6)
        assert best.id == {"d": "vb"}.get(name, f"v{name}")
    assert len(look_up(place, place.folder / "voice-a.txt", "voice", "face", 4, IN_PROCESS).matches) == 4
    with pytest.raises(DoesNotFitError, match="0 bytes of memory are too few"):
        look_up(place, place.folder / "voice-a.txt", "voice", "face", 4, IN_PROCESS, max_memory=0)


@pytest.fixture
def lossy(frozen) -> Workspace:
    """The faces in an index that sees all rows, or fewer."""
    store = open_store(frozen.store_folder)
    rows = rows_in_memory(store.load("face"), store.digest)
    build_index(frozen.index_folder("face"), rows, BuildSettings(backend=BACKEND))
    return frozen


def test_an_approximate_index_gives_what_it_finds(lossy):
    everything = found(lossy, "face-a.txt", k=4)
    assert [id_ for _, id_, *_ in everything] == ["fa", "fb", "fd", "fc"]
    few = found(lossy, "face-a.txt", k=4, search=SearchSettings(knobs={"seen": 2}))
    assert [id_ for _, id_, *_ in few] == ["fa", "fb"] and [rank for rank, *_ in few] == [1, 2]
    assert found(lossy, "face-a.txt", k=4, search=SearchSettings(exact=True)) == everything
    with pytest.raises(SettingsError, match="no search setting 'ef'"):
        found(lossy, "face-a.txt", search=SearchSettings(knobs={"ef": 2}))


def test_one_index_by_its_folder(lossy):
    there = Workspace(folder=lossy.folder, index=lossy.index_folder("face"))
    assert found(there, "face-a.txt") == found(lossy, "face-a.txt")
    with pytest.raises(MismatchError, match=r"index/face holds face rows, but the gallery is voice: name an index of"):
        found(there, "face-a.txt", gallery="voice")


def test_the_items_of_one_split(place):
    lines = (place.folder / "manifest.csv").read_text().splitlines()
    splits = ["split", *("even" if number % 2 else "odd" for number in range(1, len(lines)))]
    (place.folder / "manifest.csv").write_text("\n".join(f"{a},{b}" for a, b in zip(lines, splits, strict=True)))
    embed_manifest(place, NUMBERS, IN_PROCESS)
    build_indices(place)
    assert {id_ for _, id_, *_ in found(place, "face-a.txt", split="even")} == {"fa", "fc"}
    assert len(found(place, "face-a.txt", split="all")) == 4
    with pytest.raises(ManifestError, match="the index has no item with split=test: its splits are 'even', 'odd'"):
        found(place, "face-a.txt", split="test")


def test_a_file_that_is_not_there(frozen):
    with pytest.raises(MediaError, match=r"gone.txt cannot be searched for: no such file"):
        found(frozen, "gone.txt")


def test_an_index_of_another_space(frozen):
    with pytest.raises(SpaceMismatchError, match=r"voice-a.txt is in the space number-voice:.*/face in number-face"):
        found(frozen, "voice-a.txt", probe="voice")


def test_an_index_that_is_not_there(place):
    with pytest.raises(ArtefactError, match="no index at"):
        found(place, "face-a.txt")


def test_a_model_that_is_not_there(frozen):
    with pytest.raises(ArtefactError, match="no model at"):
        found(frozen, "face-a.txt", frozen=None)


def test_an_encoder_that_reads_no_media(frozen):
    with pytest.raises(SettingsError, match="the encoder id-hash-face reads no media"):
        found(frozen, "face-a.txt", frozen=ID_HASH)


def test_k_below_one(frozen):
    with pytest.raises(SettingsError, match="k is 0, it must be at least 1"):
        found(frozen, "face-a.txt", k=0)


@pytest.fixture(scope="module")
def photos() -> list[Path]:
    """Three photos each of three people, never part of the repository."""
    beside = Path(__file__).parents[3] / "shared" / "data" / "chimera24"
    folder = Path(os.environ.get("VFSEARCH_CHIMERA24", beside))
    if not folder.is_dir():
        pytest.skip(f"no chimera24 in {folder}; VFSEARCH_CHIMERA24 says where it is")
    if ENCODERS.entry("dlib-resnet").missing:
        pytest.skip("dlib-resnet is not installed")
    return [path for person in sorted((folder / "face").iterdir())[:3] for path in sorted(person.iterdir())[:3]]


def test_a_real_photo_finds_itself_and_then_its_person(photos, tmp_path):
    # With rows that are known beforehand: test_the_best_come_first_and_equal_ones_in_the_order_of_the_list.
    lines = ["path,modality,identity"]
    for photo in photos:
        name = f"{photo.parent.name}-{photo.name}"
        shutil.copy(photo, tmp_path / name)
        lines.append(f"{name},face,{photo.parent.name}")
    (tmp_path / "manifest.csv").write_text("\n".join(lines))
    place = Workspace(folder=tmp_path)
    embed_manifest(place, Encoders(), IN_PROCESS)
    build_indices(place)
    for photo in photos[::4]:
        name = f"{photo.parent.name}-{photo.name}"
        matches = look_up(place, tmp_path / name, "face", "face", 3, IN_PROCESS, Encoders()).matches
        assert matches[0].path == name and matches[0].score == pytest.approx(1.0, abs=1e-6)
        assert matches[1].identity == photo.parent.name
        assert (np.diff([match.score for match in matches]) <= 0).all()


def test_several_files_are_searched_for_as_one(frozen):
    files = [frozen.folder / f"face-{name}.txt" for name in "ab"]
    result = look_up(frozen, files[0], "face", "face", 4, IN_PROCESS, NUMBERS, pooled_with=files[1:])
    faces = open_store(frozen.store_folder).load("face")
    both = faces.take([faces.ids.index("fa"), faces.ids.index("fb")])
    vector = pool(dataclasses.replace(both, identities=["p", "p"]), Pooling()).rows.vectors[0]
    expected = sorted((faces.vectors.astype(float) @ vector.astype(float)).tolist(), reverse=True)
    assert [match.score for match in result.matches] == pytest.approx(expected, abs=1e-6)


def test_a_file_that_is_named_twice_or_missing(frozen):
    file = frozen.folder / "face-a.txt"
    with pytest.raises(SettingsError, match=r"face-a.txt is named twice, and would count twice in the template"):
        look_up(frozen, file, "face", "face", 4, IN_PROCESS, NUMBERS, pooled_with=[file])
    with pytest.raises(MediaError, match=r"face-none.txt cannot be searched for"):
        look_up(frozen, file, "face", "face", 4, IN_PROCESS, NUMBERS, pooled_with=[frozen.folder / "face-none.txt"])
