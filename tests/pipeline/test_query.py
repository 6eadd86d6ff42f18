import dataclasses
import json

import numpy as np
import pytest
from builders import ID_HASH, write_manifest

from vfsearch.data.outcome import Outcome
from vfsearch.errors import (
    ArtefactError,
    DamagedError,
    DoesNotFitError,
    InputError,
    LockedError,
    ManifestError,
    MismatchError,
    SettingsError,
    SpaceMismatchError,
)
from vfsearch.files import writer_lock
from vfsearch.measure.matching import matching_accuracy
from vfsearch.networks.heads import HeadSettings
from vfsearch.pipeline import query as module
from vfsearch.pipeline.embed import embed_manifest
from vfsearch.pipeline.encoders import Encoders
from vfsearch.pipeline.index import build_indices
from vfsearch.pipeline.query import QuerySettings, query
from vfsearch.pipeline.runs import read_run_artefact
from vfsearch.pipeline.train import train_model
from vfsearch.pipeline.workspace import Workspace
from vfsearch.store.store import open_store
from vfsearch.tables import get_array, get_texts, reading
from vfsearch.train.settings import TrainSettings

ASKED = QuerySettings(probe="voice", gallery="face", n=(2, 5), k=3)


def figures(report) -> dict[tuple, float]:
    return {
        (each.protocol, each.candidates, name): value.value
        for each in report.outcome.measurements
        for name, value in each.values.items()
    }


def raw(report, name: str) -> np.ndarray:
    data = read_run_artefact(report.folder).read("neighbors.h5")
    with reading(data, "run") as file:
        return get_array(file, name)


def test_the_same_request_is_answered_from_what_is_saved(built, monkeypatch):
    first = query(built, ASKED)
    assert first.measured_now
    monkeypatch.setattr(module, "_measure", lambda *_: pytest.fail("measured again"))
    again = query(built, ASKED)
    assert not again.measured_now and again.folder == first.folder
    assert again.outcome.to_json() == json.loads(json.dumps(first.outcome.to_json()))


def test_overwrite_measures_again_and_finds_the_same(built):
    first, again = query(built, ASKED), query(built, ASKED, overwrite=True)
    assert again.measured_now and again.folder == first.folder
    assert figures(again) == figures(first)


def test_less_memory_is_the_same_run_with_the_same_figures(built):
    asked = dataclasses.replace(ASKED, protocols=module.PROTOCOLS)
    first, again = query(built, asked), query(built, asked, overwrite=True, max_memory=32 * 2**20)
    assert again.measured_now and again.folder == first.folder and figures(again) == figures(first)
    assert not query(built, asked, max_memory=64 * 2**20).measured_now


def test_too_little_memory(built):
    with pytest.raises(DoesNotFitError, match=r"1,000 bytes of memory are too few .* of 16 dimensions .* 17MiB or m"):
        query(built, dataclasses.replace(ASKED, seed=9), max_memory=1000)


@pytest.mark.parametrize(
    "change", [{"seed": 2}, {"k": 4}, {"n": (2, 3)}, {"protocols": ("matching",)}, {"split": "all"}], ids=str
)
def test_other_settings_are_another_run(built, change):
    first = query(built, ASKED)
    before = {path.name: path.read_bytes() for path in first.folder.iterdir()}
    other = query(built, dataclasses.replace(ASKED, **change))
    assert other.measured_now and other.folder != first.folder
    assert {path.name: path.read_bytes() for path in first.folder.iterdir()} == before


def test_a_name_that_is_taken_by_another_run(built):
    query(built, ASKED, name="mine")
    assert not query(built, ASKED, name="mine").measured_now
    with pytest.raises(MismatchError, match=r"runs/mine was made from other things .* --overwrite to replace it"):
        query(built, dataclasses.replace(ASKED, seed=2), name="mine")
    assert query(built, dataclasses.replace(ASKED, seed=2), name="mine", overwrite=True).measured_now


def test_a_name_that_another_process_writes_to(built):
    with writer_lock(built.run_folder("mine")), pytest.raises(LockedError, match="is being written"):
        query(built, ASKED, name="mine")


@pytest.mark.parametrize("name", ["outcome.json", "neighbors.h5", "MANIFEST.json"])
def test_a_damaged_run_is_refused_by_name(built, name):
    folder = query(built, ASKED).folder
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(DamagedError, match=name):
        query(built, ASKED)
    assert query(built, ASKED, overwrite=True).measured_now


def test_what_is_saved_beside_the_figures(built):
    report = query(built, ASKED)
    store = open_store(built.store_folder)
    assert report.outcome.counts == {
        "probes_seen_in_training": 0, "probes_of_seen_identities": 0,
        "split": "test", "probes": 30, "gallery": 30, "probe_identities": 6, "gallery_identities": 6,
        "failed_probes": 0, "failed_gallery": 0,
        "index_rows": 60, "gallery_not_in_index": 0, "store_rows_not_in_index": 0,
    }  # fmt: skip
    assert report.outcome.made_from["store"] == store.digest
    assert set(report.outcome.seconds) == {"load", "matching-2", "matching-5", "verification", "retrieval", "search"}
    assert report.outcome.peak_memory_bytes > 0 and report.outcome.machine["cores"] >= 1
    scores = raw(report, "matching-5/scores")
    assert scores.shape == (90, 5)
    assert matching_accuracy(scores).mean() == figures(report)["matching", 5, "accuracy"]
    gallery = store.load("face")
    with reading(read_run_artefact(report.folder).read("neighbors.h5"), "run") as file:
        names = get_texts(file["gallery"], "identities"), get_texts(file["probes"], "identities")
        rows = get_array(file, "search/rows")
        first = np.array(names[0])[get_array(file, "matching-5/candidates")[:, 0]]
        assert (first == np.array(names[1])[get_array(file, "matching-5/probes")]).all()
    assert rows.shape == (30, 3) and {gallery.columns["split"][row] for row in rows.ravel()} == {"test"}


def test_more_neighbours_than_there_are_rows_cost_nothing(built):
    rows = raw(query(built, dataclasses.replace(ASKED, k=10**12)), "search/rows")
    assert rows.shape == (30, len(open_store(built.store_folder).load("face")))


def test_within_one_modality_no_probe_finds_itself(built):
    report = query(built, dataclasses.replace(ASKED, gallery="voice", k=40))
    rows = raw(report, "search/rows")
    voices = open_store(built.store_folder).load("voice")
    own = voices.rows_of_split("test")
    assert (rows != own[:, None]).all()
    assert (rows == -1).sum(axis=1).tolist() == [40 - 29] * 30
    assert report.outcome.measurements[0].direction == "voice to voice"


def test_progress_names_each_protocol(built):
    seen = []
    query(built, ASKED, progress=lambda *call: seen.append(call))
    assert seen == [("protocols", done, 5) for done in range(1, 6)]


def test_an_index_of_another_store(built):
    write_manifest(built.folder, identities=13)
    embed_manifest(built, overwrite=True)
    with pytest.raises(MismatchError, match=r"index/face was built from the store .* build it anew with"):
        query(built, ASKED)
    build_indices(built)
    assert query(built, ASKED).measured_now


def test_different_spaces(tmp_path):
    place = Workspace(folder=tmp_path)
    write_manifest(tmp_path)
    embed_manifest(place, ID_HASH)
    build_indices(place)
    with pytest.raises(SpaceMismatchError, match=r"id-hash-voice:.*id-hash-face:.*vfsearch embed"):
        query(place, ASKED)
    assert query(place, dataclasses.replace(ASKED, probe="face")).measured_now


def test_a_split_that_is_not_there(built):
    with pytest.raises(ManifestError, match="no item with split=dev: its splits are 'test', 'train'"):
        query(built, dataclasses.replace(ASKED, split="dev"))


@pytest.mark.parametrize(("probe", "gallery"), [("voice", "face"), ("face", "voice")])
def test_a_split_that_one_side_alone_has(tmp_path, probe, gallery):
    lines = [f"{m}/{p}/{i}.x,{m},p{p},{'dev' if m == 'voice' and i == 2 else 'train'}"
             for m in ("voice", "face") for p in range(3) for i in range(3)]  # fmt: skip
    (tmp_path / "manifest.csv").write_text("\n".join(["path,modality,identity,split", *lines]))
    place = Workspace(folder=tmp_path)
    settings = TrainSettings(head=HeadSettings(dimension=4, hidden=0), stages=("retrain",), steps=2, batch_size=3)
    train_model(place, settings, ID_HASH)
    embed_manifest(place)
    build_indices(place)
    with pytest.raises(ArtefactError, match="has no face rows with split=dev"):
        query(place, QuerySettings(probe=probe, gallery=gallery, n=(2,), split="dev"))


@pytest.mark.parametrize("lacking", ["embeddings", "index"])
def test_a_part_of_the_workspace_is_not_there(built, lacking):
    (built.folder / lacking).rename(built.folder / "elsewhere")
    with pytest.raises(InputError, match=rf"{lacking}.* does not exist; make it with `vfsearch"):
        query(built, ASKED)


def test_a_gallery_that_is_too_small_for_n(built):
    with pytest.raises(SettingsError, match=r"1:40 matching needs 39 gallery items .* ask for a smaller N"):
        query(built, dataclasses.replace(ASKED, n=(40,)))


@pytest.mark.parametrize(
    ("change", "message"),
    [({"protocols": ("ranking",)}, r"no protocol is named \['ranking'\]; known: matching, verification, retrieval"),
     ({"protocols": ()}, "no protocol"), ({"n": ()}, "wants N of at least 2"), ({"n": (2, 1)}, r"got \(2, 1\)"),
     ({"k": 0}, "want k >= 1 and seed >= 0, got k=0"), ({"seed": -1}, "seed=-1")],
)  # fmt: skip
def test_settings_out_of_range(change, message):
    with pytest.raises(SettingsError, match=message):
        QuerySettings(**{"probe": "voice", "gallery": "face", **change})


def test_a_saved_outcome_is_read_back_from_its_file(built):
    report = query(built, ASKED)
    document = json.loads((report.folder / "outcome.json").read_text())
    assert Outcome.from_json(document).to_json() == document


CONSTANT = Encoders(voice="constant-voice", face="constant-face")


@pytest.fixture(scope="module")
def constant(tmp_path_factory) -> Workspace:
    """Heads trained on encoders that tell nobody apart; groups of odd sizes, which strain equal arithmetic."""
    place = Workspace(folder=tmp_path_factory.mktemp("constant"))
    write_manifest(place.folder, identities=14, items=5, splits=("train", "test"))
    settings = TrainSettings(head=HeadSettings(dimension=16, hidden=8), stages=("retrain",), steps=5, batch_size=4)
    train_model(place, settings, CONSTANT)
    embed_manifest(place)
    build_indices(place)
    return place


@pytest.mark.parametrize("split", ["test", "all"])
@pytest.mark.parametrize(
    ("probe", "gallery"), [("voice", "face"), ("face", "voice"), ("voice", "voice"), ("face", "face")]
)
def test_a_constant_embedding_scores_chance_from_one_end_to_the_other(constant, probe, gallery, split):
    report = query(constant, QuerySettings(probe=probe, gallery=gallery, split=split))
    for each in report.outcome.measurements:
        assert each.tied == (0.0 if each.protocol == "search" else 1.0)
        for name, value in each.values.items():
            assert value.value == pytest.approx(value.chance, abs=1e-12), (each.protocol, name)
    found, items = figures(report), 35 if split == "test" else 70
    assert [found["matching", n, "accuracy"] for n in (2, 5, 10)] == pytest.approx([1 / 2, 1 / 5, 1 / 10])
    assert (found["verification", None, "AUC"], found["verification", None, "EER"]) == (0.5, 0.5)
    same = int(probe == gallery)
    assert found["retrieval", items, "R@1"] == pytest.approx((5 - same) / (items - same), abs=1e-12)
