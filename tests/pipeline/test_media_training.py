"""Small networks trained end to end on a few generated people."""

import dataclasses

import numpy as np
import pytest
from builders import IN_PROCESS

from vfsearch.corpus.generated import GeneratedCorpus, generate
from vfsearch.encoders.base import unit_rows
from vfsearch.errors import ManifestError, MismatchError, SettingsError
from vfsearch.networks.heads import HeadSettings
from vfsearch.pipeline.decoding import Decoding
from vfsearch.pipeline.embed import embed_manifest
from vfsearch.pipeline.encoders import Encoders
from vfsearch.pipeline.index import build_indices
from vfsearch.pipeline.lookup import look_up
from vfsearch.pipeline.model import open_model
from vfsearch.pipeline.query import QuerySettings, query
from vfsearch.pipeline.train import train_model
from vfsearch.pipeline.workspace import Workspace
from vfsearch.store.store import open_store
from vfsearch.train.reweighting import Reweighting
from vfsearch.train.settings import TrainSettings

NETWORKS = Encoders(
    voice="thin-resnet34", face="ir50",
    voice_settings={"depths": [1, 1], "widths": [8, 8], "seconds": 0.5},
    face_settings={"depths": [1, 1], "widths": [8, 8], "pixels": 16, "aligned": True},
)  # fmt: skip
SETTINGS = TrainSettings(
    head=HeadSettings(dimension=8, hidden=0), steps=4, weights_steps=4, batch_size=3, validate_steps=2,
    reweighting=Reweighting(warm_up_steps=1, every=1), shortest_seconds=0.2, longest_seconds=0.4,
)  # fmt: skip
ONE = Decoding(workers=1)


@pytest.fixture(scope="module")
def _people(tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    generate(folder, GeneratedCorpus(people=6, seed=1, clips=2, photos=2, clip_seconds=0.5))
    return folder


@pytest.fixture
def people(_people, tmp_path) -> Workspace:
    """Three people to train on and three to test on, with a manifest of its own."""
    lines = (_people / "manifest.csv").read_text().splitlines()
    absolute = [lines[0], *(f"{_people}/{line}" for line in lines[1:])]
    (tmp_path / "manifest.csv").write_text("\n".join(absolute) + "\n")
    return Workspace(folder=tmp_path)


def train(place, settings=SETTINGS, networks=NETWORKS, **more):
    return train_model(place, settings, networks, decoding=ONE, end_to_end=True, **more)


def test_from_media_to_a_query(people):
    report = train(people, validation="test")
    assert report.identities == 3 and report.model.end_to_end and set(report.best) >= {"step", "voice_to_face"}
    assert report.validation == "test" and not people.features_folder.exists()
    embedded = embed_manifest(people, decoding=ONE)
    assert embedded.added == 24 and not people.features_folder.exists()
    assert embed_manifest(people, decoding=ONE).added == 0
    build_indices(people)
    asked = QuerySettings(probe="voice", gallery="face", n=(2,), k=3)
    outcome = query(people, asked).outcome
    assert outcome.counts["probes"] == 6 and outcome.counts["probes_of_seen_identities"] == 0
    store = open_store(people.store_folder)
    assert store.load("voice", "train").columns["seen_in_training"] == ["item"] * 6
    first = store.load("voice").columns["path"][0]
    (best, *_) = look_up(people, people.folder / first, "voice", "voice", 1, IN_PROCESS).matches
    assert best.path == first and best.score == pytest.approx(1.0, abs=1e-5)


def test_what_is_stored_is_what_the_networks_give(people):
    train(people)
    embed_manifest(people, decoding=ONE)
    model, rows = open_model(people.model_folder), open_store(people.store_folder).load("face")
    assert rows.space == model.space
    encoder = model.encoders(["face"])["face"]
    sample = encoder.preparation(people.folder / rows.columns["path"][0], None, None, ONE.limits).sample
    import torch

    inputs = model.networks().backbones["face"].inputs.evaluation([sample])
    with torch.inference_mode():
        alone = unit_rows(model.networks()("face", inputs).numpy())
    assert np.abs(alone[0] - rows.vectors[0]).max() < 1e-5
    assert np.abs(encoder.encode([sample])[0] - alone[0]).max() < 1e-6


def test_trained_again_it_is_the_same(people):
    first = train(people)
    kept = train(people)
    assert first.trained_now and not kept.trained_now
    again = train(people, overwrite=True)
    assert again.model.artefact.files == first.model.artefact.files
    with pytest.raises(MismatchError, match=r"settings.seed: 1 there, 2 now"):
        train(people, dataclasses.replace(SETTINGS, seed=2))
    with pytest.raises(MismatchError, match=r"end_to_end: True there, False now|encoders"):
        wider = dataclasses.replace(NETWORKS, face_settings={**NETWORKS.face_settings, "widths": [8, 16]})
        train(people, networks=wider)


def test_pretrained_networks_are_started_from(people, tmp_path):
    import safetensors.torch

    still = dataclasses.replace(SETTINGS, learning_rate=0.0, stages=("retrain",), steps=1)
    state = train(people, dataclasses.replace(still, seed=9)).model.networks().backbones["face"].state_dict()
    safetensors.torch.save_file(state, tmp_path / "face.safetensors")
    starting = {**NETWORKS.face_settings, "weights": str(tmp_path / "face.safetensors")}
    report = train(people, still, dataclasses.replace(NETWORKS, face_settings=starting), overwrite=True)
    trained = report.model.networks().backbones["face"].state_dict()
    assert all(bool((trained[name] == each).all()) for name, each in state.items() if name.endswith("weight"))
    about = report.model.artefact.about
    assert len(about["initial"]["face"]) == 64 and about["initial"]["voice"] == "random"
    assert "weights" not in about["encoders"]["face"]["settings"]
    (tmp_path / "face.safetensors").unlink()
    embed_manifest(people, decoding=ONE)  # the model has its own weights


def test_a_file_that_cannot_be_decoded_costs_that_item(people):
    lines = people.manifest_path.read_text().splitlines()
    row = next(number for number, line in enumerate(lines) if ",voice," in line and ",train," in line)
    lines[row] = "nothing.wav," + lines[row].split(",", 1)[1]
    people.manifest_path.write_text("\n".join(lines) + "\n")
    report = train(people)
    assert report.identities == 3 and report.failures == {"voice": 1, "face": 0}
    assert report.failed[0].path == "nothing.wav" and report.failed[0].reason == "no such file"


def test_an_identity_that_cannot_be_decoded_is_left_out(people):
    lines = people.manifest_path.read_text().splitlines()
    person = next(line for line in lines if ",train," in line).split(",")[2]
    kept = [("gone/" + line if f",voice,{person}," in line else line) for line in lines]
    people.manifest_path.write_text("\n".join(kept) + "\n")
    report = train(people)
    assert report.identities == 2 and report.failures["voice"] == 2
    assert person not in {row.identity for row in report.model.identity_table()}


def test_frozen_encoders_cannot_be_trained(people):
    with pytest.raises((SettingsError, ManifestError), match="id-hash-voice"):
        train(people, networks=Encoders(voice="id-hash-voice", face="ir50"))
