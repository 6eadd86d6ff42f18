"""Artefacts that do not go together: refused before anything is computed, with both sides named."""

import json
import re
import shutil

import pytest
from builders import ID_HASH, IN_PROCESS, make_embeddings, make_space, run_cli

from vfsearch.artefact import read_artefact
from vfsearch.data.space import require_same_space
from vfsearch.errors import ArtefactError, MismatchError, SpaceMismatchError, VectorError
from vfsearch.index.backends import open_index
from vfsearch.index.layout import read_index_artefact
from vfsearch.pipeline.embed import embed_manifest
from vfsearch.pipeline.index import build_indices
from vfsearch.pipeline.model import open_model
from vfsearch.pipeline.query import QuerySettings, query
from vfsearch.protocol.comparison import compare
from vfsearch.store.store import open_store


def reseal(folder, kind, **changes):
    """Change what an artefact says of itself, as another program or version could have."""
    said = json.loads((folder / "MANIFEST.json").read_bytes())
    artefact = read_artefact(folder, said["kind"], said["schema"], "a test")
    about = {**artefact.about, **changes.pop("about", {})}
    type(artefact)(folder=folder, files=artefact.files, about=about,
                   **{"kind": kind, "schema": artefact.schema, **changes}).write()  # fmt: skip


def refused(capsys, code, *arguments) -> str:
    capsys.readouterr()
    assert run_cli(arguments) == code
    return capsys.readouterr().err.replace("\n", " ")


@pytest.mark.parametrize(
    "other", [make_space("other"), make_space("toy", 9)], ids=["fingerprint", "dimension"]
)  # fmt: skip
def test_spaces(other):
    with pytest.raises(SpaceMismatchError) as error:
        require_same_space(make_space(), "the probes", other, "the gallery")
    assert error.value.exit_code == 6
    assert f"the probes is in the space {make_space()}, the gallery in {other}" in str(error.value)
    require_same_space(make_space(), "a", make_space(), "b")


def test_probes_and_gallery(built, capsys):
    shutil.rmtree(built.store_folder)
    embed_manifest(built, ID_HASH, IN_PROCESS)
    build_indices(built)
    said = refused(capsys, 6, "query", "--workspace", built.folder, "--device", "cpu")
    assert "id-hash-voice:" in said and "id-hash-face:" in said and "embed both with the same model" in said
    assert not list(built.folder.glob("runs/voice-to-face-*/outcome.json"))[1:]


def test_rows_of_another_dimension():
    with pytest.raises(VectorError, match=r"shape \(6, 8\), 6 ids in toy:.* \(9-d\) want \(6, 9\)"):
        make_embeddings(space=make_space(dimension=9))
    with pytest.raises(SpaceMismatchError, match="toy"):
        compare(make_embeddings(), make_embeddings(d=9, modality="face"), [], "cpu")


def test_index_of_another_store(built, capsys):
    embed_manifest(built, dtype="float16", overwrite=True)
    there = read_index_artefact(built.index_folder("face")).about["store"]
    said = refused(capsys, 6, "query", "--workspace", built.folder, "--device", "cpu")
    assert there[:12] in said and open_store(built.store_folder).digest[:12] in said and "vfsearch index build" in said
    build_indices(built)
    query(built, QuerySettings(probe="voice", gallery="face", n=(2,), k=3))


def test_index_with_other_items(built, capsys):
    reseal(built.index_folder("voice"), "index", about={"modality": "face"})
    shutil.rmtree(built.index_folder("face"))
    shutil.copytree(built.index_folder("voice"), built.index_folder("face"))
    said = refused(capsys, 6, "query", "--workspace", built.folder, "--device", "cpu", "--name", "new")
    assert "holds 60 rows, 60 of which are not among" in said and "build it anew with `vfsearch index build`" in said


def test_model_of_other_features(built, capsys):
    there = open_model(built.model_folder).feature_spaces
    other = {**there["voice"].to_json(), "fingerprint": "0" * 64}
    reseal(built.model_folder, "model", about={"feature_spaces": {"voice": other, "face": there["face"].to_json()}})
    said = refused(capsys, 6, "embed", "--workspace", built.folder, "--device", "cpu", "--overwrite")
    assert "id-hash-voice:000000000000" in said and str(there["voice"]) in said and "train anew" in said


def test_store_of_another_model_or_setting(built, capsys):
    before = (built.store_folder / "MANIFEST.json").read_bytes()
    frozen = ["--frozen", "--voice-encoder", "id-hash-voice", "--face-encoder", "id-hash-face"]
    embed = ["embed", "--workspace", built.folder, "--device", "cpu"]
    for change, wanted in {
        ("--dtype", "float16"): r"\(dtype: float32 there, float16 now\)",
        ("--shard-rows", "7"): r"rows_per_part: 512 there, 7 now\)",
        tuple(frozen): r"\(spaces: .*joint.* there, .*id-hash-voice.* now\)",
    }.items():
        said = refused(capsys, 6, *embed, *change)
        assert re.search(wanted, said) and "--overwrite" in said
        assert (built.store_folder / "MANIFEST.json").read_bytes() == before
    assert run_cli(embed) == 0


def test_model_of_other_settings(built, capsys):
    train = ["train", "--dimension", "16", "--hidden", "0", "--stages", "retrain", "--steps", "3", "--batch-size", "4",
             "--device", "cpu", "--voice-encoder", "id-hash-voice", "--face-encoder", "id-hash-face",
             "--workspace"]  # fmt: skip
    said = refused(capsys, 6, *train, built.folder, "--seed", "5")
    assert "settings.seed: 1 there, 5 now" in said and "--overwrite" in said
    assert run_cli([*train, built.folder]) == 0


def test_run_of_another_request(built, capsys):
    query_ = ["query", "--workspace", built.folder, "--device", "cpu", "--n", "2", "--k", "3", "--name", "mine"]
    assert run_cli(query_) == 0
    said = refused(capsys, 6, *query_, "--seed", "9")
    assert "mine was made from other things" in said and "--overwrite" in said


@pytest.mark.parametrize("kind", ["model", "embeddings", "index/face", "runs"])
def test_kind_and_schema(built, capsys, kind):
    folder = next(built.folder.glob("runs/*")) if kind == "runs" else built.folder / kind
    good = (folder / "MANIFEST.json").read_bytes()
    command = ["embed" if kind == "model" else "query", "--workspace", built.folder, "--device", "cpu"]
    command += ["--n", "2", "--k", "3"] if kind == "runs" else []
    own = json.loads(good)["kind"]
    reseal(folder, "store" if own != "store" else "index")
    one = {"store": "a store", "index": "an index"}
    found = "store" if own != "store" else "index"
    assert f"{folder} is {one[found]}, not {one.get(own, f'a {own}')}" in refused(capsys, 3, *command)
    (folder / "MANIFEST.json").write_bytes(good)
    reseal(folder, own, schema=99)
    said = refused(capsys, 3, *command)
    reads = json.loads(good)["schema"]
    wanted = f"the {own} {folder} has layout version 99, this vfsearch reads version {reads}; make it anew with `vfse"
    assert wanted in said


def test_unfinished_ones(built, capsys):
    reseal(built.store_folder, "store", about={"complete": False})
    assert "is not finished; go on with `vfsearch embed`" in refused(capsys, 3, "index", "build", "--workspace",
                                                                     built.folder)  # fmt: skip
    reseal(built.model_folder, "model", about={"complete": False})
    with pytest.raises(ArtefactError, match=r"training of .* is not finished; go on with `vfsearch train`"):
        open_model(built.model_folder)


def test_unknown_back_end(built, capsys):
    reseal(built.index_folder("face"), "index", about={"backend": "magic"})
    said = refused(capsys, 2, "query", "--workspace", built.folder, "--device", "cpu", "--overwrite")
    assert "no index back end is named 'magic'; known: " in said and " exact, " in said
    with pytest.raises(ArtefactError, match="no index at"):
        open_index(built.folder / "index" / "nothing")


def test_quite_another_list(built):
    lines = built.manifest_path.read_text().splitlines()
    built.manifest_path.write_text("\n".join([lines[0], *lines[-30:], "new.wav,voice,p0,train"]) + "\n")
    with pytest.raises(MismatchError, match=r"holds 120 rows, and only 30 of them are in .*manifest\.csv"):
        embed_manifest(built)
