import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from builders import contents
from released import FACE, IDENTITIES, VOICE, rows, small_network, small_networks, wen2021_file

from vfsearch.encoders.catalog import make_encoder
from vfsearch.errors import (
    ArtefactError,
    DamagedError,
    InputError,
    LockedError,
    MismatchError,
    MissingExtraError,
    SettingsError,
)
from vfsearch.files import writer_lock
from vfsearch.pipeline import encoders as choice
from vfsearch.pipeline import import_model as stage
from vfsearch.pipeline.import_model import Choices, import_checkpoint
from vfsearch.pipeline.model import open_model
from vfsearch.pipeline.workspace import Workspace

REFERENCE = Path(__file__).parents[3] / "shared" / "reference"


@pytest.fixture
def place(tmp_path) -> Workspace:
    """A workspace with nothing in it."""
    return Workspace(folder=tmp_path / "place")


@pytest.fixture
def file(tmp_path) -> Path:
    """A whole model in the authors' layout, as a wrapper for several GPUs saves it."""
    tensors = {f"module.{name}": each for name, each in wen2021_file(small_networks()).items()}
    torch.save({"state_dict": tensors, "epoch": 3}, tmp_path / "released.pth")
    return tmp_path / "released.pth"


@pytest.fixture
def backbone(tmp_path) -> Path:
    """A plain face network."""
    torch.save(small_network("ir50", FACE).state_dict(), tmp_path / "backbone.pth")
    return tmp_path / "backbone.pth"


def test_a_whole_model_gives_the_same_vectors(place, file):
    report = import_checkpoint(place, file)
    assert (report.kind, report.layout, report.entry) == ("model", "wen2021", "state_dict")
    assert report.folder == place.model_folder and report.imported_now
    assert report.networks["voice"]["settings"] == {**VOICE, "seconds": 10.0}
    model = open_model(place.model_folder)
    for modality in ("voice", "face"):
        assert torch.equal(rows(model.networks(), modality), rows(small_networks(), modality))
    assert model.space == report.space and model.end_to_end


def test_the_identities_come_with_weights_and_hardness(place, file):
    assert import_checkpoint(place, file).identities == IDENTITIES
    model = open_model(place.model_folder)
    table = [(row.identity, row.weight, row.hardness) for row in model.identity_table()]
    assert table[:2] == [("identity0000", 0.5, 9.0), ("identity0001", 0.0, 13.0)] and len(table) == IDENTITIES
    assert model.artefact.about["left_out"] == 2
    classifier = safetensors.torch.load(model.artefact.read("classifier.safetensors"))["weight"]
    assert torch.equal(classifier, wen2021_file(small_networks())["F.cls.weight"])


def test_the_identities_can_be_named(place, file, tmp_path):
    (tmp_path / "names.txt").write_text("\ufeffann\r\nbob\r\n chloé \r\ndan", encoding="utf-8")
    import_checkpoint(place, file, choices=Choices(identities=tmp_path / "names.txt"))
    model = open_model(place.model_folder)
    assert [row.identity for row in model.identity_table()] == ["ann", "bob", "chloé", "dan"]
    assert [model.seen(name, "test") for name in ("bob", "eve")] == ["identity", "no"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"ann\nbob\n", "has 2 lines, the checkpoint 4 identities; wanted one name a line"),
        (b"ann\nbob\nann\ndan\n", "line 3: 'ann' again, after line 1"),
        (b"ann\n\nbob\ndan\n", "line 2: no name"),
        (b"\xff\xfe\n", "is no UTF-8 text"),
        (None, "cannot read the names of the identities"),
    ],
)
def test_bad_names(place, file, tmp_path, text, said):
    if text is not None:
        (tmp_path / "names.txt").write_bytes(text)
    with pytest.raises(InputError, match=said):
        import_checkpoint(place, file, choices=Choices(identities=tmp_path / "names.txt"))
    assert not place.folder.exists()


def test_without_what_only_a_training_needs(place, tmp_path):
    tensors = {name: each for name, each in wen2021_file(small_networks()).items() if "fc" in name or "model" in name}
    torch.save(tensors, tmp_path / "networks.pth")
    report = import_checkpoint(place, tmp_path / "networks.pth")
    assert report.identities == 0 and report.tensors["missing"] == ("F.cls.weight", "center.weight", "center.loss_mean")
    model = open_model(place.model_folder)
    assert model.identity_table() == [] and "classifier.safetensors" not in model.artefact.files
    assert model.seen("ann", "test") == "no"


def test_how_photos_are_prepared_is_remembered(place, file):
    import_checkpoint(place, file, choices=Choices(face_settings={"aligned": True}))
    encoders = open_model(place.model_folder).encoders(["voice", "face"])
    assert encoders["face"].preparation.aligned and encoders["face"].preparation.pixels == FACE["pixels"]
    assert encoders["voice"].preparation.seconds == 10.0
    assert encoders["voice"].space == encoders["face"].space


def test_the_space_says_how_faces_are_cut_out(place, file, monkeypatch):
    def space(**settings):
        return import_checkpoint(place, file, choices=Choices(face_settings=settings), overwrite=True).space

    def not_installed():
        raise MissingExtraError("no dlib")

    monkeypatch.setattr(choice, "landmarks_digest", lambda: "landmarks")
    found = space()
    assert found == space(on_no_face="crop") != space(aligned=True)
    monkeypatch.setattr(choice, "landmarks_digest", not_installed)
    assert space() not in (found, space(aligned=True))


def test_choices_that_no_network_takes(place, file):
    with pytest.raises(SettingsError, match="does not take colour"):
        import_checkpoint(place, file, choices=Choices(face_settings={"colour": True}))
    assert not place.folder.exists()


@pytest.mark.parametrize("kind", ["torch", "safetensors"])
def test_a_network_becomes_weights_for_its_encoder(place, tmp_path, kind):
    network, path = small_network("ir50", FACE), tmp_path / "file"
    if kind == "torch":
        torch.save(network.state_dict(), path)
    else:
        path.write_bytes(safetensors.torch.save(network.state_dict()))
    report = import_checkpoint(place, path)
    assert report.kind == "network" and report.folder == place.folder / "networks/ir50" and report.space is None
    encoder = make_encoder("ir50", weights=str(report.folder), aligned=True)
    photo = np.random.default_rng(1).integers(0, 256, (16, 16, 3)).astype(np.uint8)
    with torch.no_grad():
        wanted = network(network.inputs.evaluation([photo])).numpy()
    np.testing.assert_allclose(encoder.encode([photo]), wanted / np.linalg.norm(wanted), atol=1e-6)


@pytest.mark.parametrize("prefix", ["", "__S__."])
def test_a_speaker_network(place, tmp_path, prefix):
    network = small_network("thin-resnet34", VOICE)
    tensors = {f"{prefix}{name}": each for name, each in network.state_dict().items()}
    torch.save({**tensors, "__L__.W": torch.zeros(3)}, tmp_path / "speaker.model")
    report = import_checkpoint(place, tmp_path / "speaker.model", out=tmp_path / "weights")
    assert report.folder == tmp_path / "weights" and report.tensors["left_over"] == ("__L__.W",)
    encoder = make_encoder("thin-resnet34", weights=str(report.folder))
    clip = np.random.default_rng(1).normal(0, 2000, 160_000).astype(np.float32)
    with torch.no_grad():
        wanted = network(torch.from_numpy(clip)[None]).numpy()
    np.testing.assert_allclose(encoder.encode([clip]), wanted / np.linalg.norm(wanted), atol=1e-5)


def test_a_network_has_no_identities(place, backbone, tmp_path):
    (tmp_path / "names.txt").write_text("ann\n")
    with pytest.raises(SettingsError, match="one network, ir50, without head and classifier"):
        import_checkpoint(place, backbone, choices=Choices(identities=tmp_path / "names.txt"))
    assert not place.folder.exists()


@pytest.mark.parametrize("which", ["file", "backbone"])
def test_the_same_file_again_is_kept_and_another_is_refused(place, which, request, tmp_path):
    path = request.getfixturevalue(which)
    first, again = import_checkpoint(place, path), import_checkpoint(place, path)
    assert (first.imported_now, again.imported_now) == (True, False) and first.folder == again.folder
    before = contents(first.folder)
    other = _other(path, tmp_path / "other.pth")
    with pytest.raises(MismatchError, match=rf"imported from {path.name}, with other content .* give --overwrite"):
        import_checkpoint(place, other)
    assert contents(first.folder) == before
    assert import_checkpoint(place, other, overwrite=True).imported_now
    assert json.loads((first.folder / "MANIFEST.json").read_text())["about"]["imported"]["file"] == "other.pth"
    import_checkpoint(place, path, overwrite=True)
    assert contents(first.folder) == before


def _other(path: Path, target: Path) -> Path:
    content = torch.load(path, weights_only=True)
    tensors = content.get("state_dict", content)
    name = next(name for name in tensors if name.endswith("input_layer.0.weight"))
    tensors[name] = tensors[name] + 1
    torch.save(content, target)
    return target


def test_a_trained_model_is_not_replaced_unasked(built, file):
    with pytest.raises(MismatchError, match="holds another model, trained here; give --overwrite"):
        import_checkpoint(built, file)
    import_checkpoint(built, file, overwrite=True)
    assert open_model(built.model_folder).end_to_end
    assert sorted(path.name for path in built.model_folder.iterdir() if path.suffix == ".safetensors") == [
        "classifier.safetensors",
        "weights.safetensors",
    ]


@pytest.mark.parametrize("overwrite", [False, True])
def test_another_kind_of_folder_is_left_alone(built, file, backbone, overwrite):
    before = contents(built.folder)
    with pytest.raises(ArtefactError, match=r"embeddings is a store, "):
        import_checkpoint(built, file, out=built.store_folder, overwrite=overwrite)
    with pytest.raises(ArtefactError, match=r"model is a model, "):
        import_checkpoint(built, backbone, out=built.model_folder, overwrite=overwrite)
    assert contents(built.folder) == before


def test_a_damaged_model_can_be_replaced(place, file):
    import_checkpoint(place, file)
    before = contents(place.model_folder)
    (place.model_folder / "MANIFEST.json").write_text("{")
    with pytest.raises(DamagedError, match=r"MANIFEST\.json is damaged"):
        import_checkpoint(place, file)
    import_checkpoint(place, file, overwrite=True)
    assert contents(place.model_folder) == before


def test_a_killed_import_is_done_again(place, file, monkeypatch):
    def killed(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(stage, "finish_model", killed)
        import_checkpoint(place, file)
    assert import_checkpoint(place, file).imported_now
    assert open_model(place.model_folder).identity_table()


def test_another_writer_is_waited_for(place, file):
    with writer_lock(place.model_folder), pytest.raises(LockedError):
        import_checkpoint(place, file)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda tensors: tensors.pop("V.fc.2.weight"),
            r"cannot import .*bad.pth: 1 of the \d+ tensors .* V.fc.2.weight",
        ),
        (lambda tensors: tensors.update({"F.fc.2.weight": torch.zeros(5, 3)}), r"F.fc.2.weight is \(5, 3\), wanted"),
        (lambda tensors: tensors.clear(), r"cannot import .*bad.pth: it holds no tensors"),
    ],
)
def test_nothing_is_written_on_an_error(place, tmp_path, change, said):
    tensors = wen2021_file(small_networks())
    change(tensors)
    torch.save(tensors, tmp_path / "bad.pth")
    with pytest.raises(InputError, match=said):
        import_checkpoint(place, tmp_path / "bad.pth")
    assert not place.folder.exists()


def test_a_missing_file(place):
    with pytest.raises(InputError, match=r"cannot read the checkpoint nowhere\.pth"):
        import_checkpoint(place, Path("nowhere.pth"))


@pytest.mark.skipif(not REFERENCE.is_dir(), reason=f"no reference in {REFERENCE}")
def test_the_released_model_gives_the_released_vectors(place, tmp_path):
    spec = importlib.util.spec_from_file_location("wen2021_weights", REFERENCE / "wen2021_weights.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    state = {f"module.{name}": torch.from_numpy(each) for name, each in module.state_dict().items()}
    torch.save({"state_dict": state}, tmp_path / "released.pth")
    report = import_checkpoint(place, tmp_path / "released.pth")
    assert (len(report.tensors["used"]), report.tensors["missing"], report.identities) == (len(state), (), 924)
    networks, vectors = open_model(place.model_folder).networks(), np.load(REFERENCE / "wen2021_vectors.npz")
    photos = networks.backbones["face"].inputs.evaluation(list(vectors["image"].transpose(0, 2, 3, 1)))
    with torch.inference_mode():
        found = {"face": networks("face", photos), "voice": networks("voice", torch.from_numpy(vectors["wave"]))}
    for name, each in found.items():
        distance = np.linalg.norm(each.numpy() - vectors[name], axis=1)
        assert (distance / np.linalg.norm(vectors[name], axis=1)).max() <= 1e-5
