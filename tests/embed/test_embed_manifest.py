import os
import shutil

import numpy as np
import pytest
import soundfile
from builders import ID_HASH, IN_PROCESS, contents, write_manifest

from vfsearch.data.space import Space
from vfsearch.encoders.base import Encoder
from vfsearch.encoders.resemblyzer import ResemblyzerPreparation
from vfsearch.errors import InputError, ManifestError
from vfsearch.pipeline.embed import embed_manifest
from vfsearch.pipeline.encoders import Encoders
from vfsearch.pipeline.engine import projected
from vfsearch.pipeline.workspace import Workspace, chosen_split
from vfsearch.store.store import open_store


def embed(place, **more):
    return embed_manifest(place, ID_HASH, IN_PROCESS, **more)


def times(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.h5")}


def test_rows_and_failures_are_the_list(workspace):
    report = embed(workspace)
    assert report.rows == {"voice": 60, "face": 60} and report.failures == {"voice": 0, "face": 0}
    assert report.added == 120 and embed(workspace).added == 0
    listed = [item.id for item in workspace.read_manifest()]
    store = open_store(workspace.store_folder)
    assert sorted(listed) == sorted([*store.load("voice").ids, *store.load("face").ids])


def test_shards_of_another_size(workspace):
    embed(workspace, rows_per_part=7)
    assert len(list(workspace.features_folder.glob("voice-*.h5"))) == 10
    shutil.rmtree(workspace.store_folder)
    before = times(workspace.features_folder)
    embed(workspace)
    assert times(workspace.features_folder) == before, "without a number, they are cut as they were"
    embed(workspace, rows_per_part=30, overwrite=True)
    assert len(list(workspace.features_folder.glob("voice-*.h5"))) == 2


@pytest.mark.parametrize("split", ["test", "train", "another"])
def test_a_grown_list_keeps_what_is_done(workspace, split):
    embed(workspace, rows_per_part=10)
    before = times(workspace.features_folder)
    with workspace.manifest_path.open("a") as file:
        file.write(f"new.wav,voice,p99,{split}\n")
    assert embed(workspace, overwrite=True).rows == {"voice": 61, "face": 60}
    after = times(workspace.features_folder)
    assert before.items() <= after.items() and len(after) == len(before) + 1 == 13


def test_a_replaced_file_is_embedded_anew(workspace):
    embed(workspace, rows_per_part=10)
    media = workspace.folder / "f" / "0" / "0.png"
    media.parent.mkdir(parents=True)
    media.write_bytes(b"12")
    before = times(workspace.features_folder)
    assert embed(workspace, overwrite=True).rows == {"voice": 60, "face": 60}
    assert len(before.items() - times(workspace.features_folder).items()) == 1


def test_decoders_of_real_files_beside_missing_ones(tmp_path):
    write_manifest(tmp_path, identities=2, items=2)
    (tmp_path / "v" / "0").mkdir(parents=True)
    soundfile.write(tmp_path / "v" / "0" / "0.wav", np.sin(np.arange(32_000) / 9), 16_000)
    (tmp_path / "v" / "0" / "1.wav").write_bytes(b"no audio")
    place = Workspace(folder=tmp_path)
    report = embed_manifest(place, Encoders(voice=f"{__name__}:Loudness", face="id-hash-face"), IN_PROCESS)
    assert report.failures == {"voice": 3, "face": 0} and report.rows == {"voice": 1, "face": 4}
    failures = {failure.path: failure for failure in open_store(place.store_folder).failures("voice")}
    assert set(failures) == {"v/0/1.wav", "v/1/0.wav", "v/1/1.wav"}
    assert all(failure.stage == "decode" and failure.reason for failure in failures.values())
    table = (place.store_folder / "failures.csv").read_text()
    assert table == (place.features_folder / "failures.csv").read_text() and table.count("\n") == 4


class Loudness(Encoder):
    """A voice encoder of one number."""

    name, modality, dimension = "loudness", "voice", 2
    preparation = ResemblyzerPreparation()

    def encode(self, samples):
        return np.tile(np.float32([1, 0]), (len(samples), 1))

    def weights_digest(self):
        return "00"


def test_a_row_without_a_direction_in_the_joint_space_is_a_failure(workspace):
    embed(workspace, rows_per_part=30)
    features = open_store(workspace.features_folder)
    shard = features.shard(features.parts("voice", "test")[0])

    def project(modality, rows):
        rows = rows.copy()
        rows[3], rows[5] = 0, np.nan
        return rows

    found = projected(shard, Space(name="joint", fingerprint="0", dimension=64), project)
    assert len(found.embeddings) == 28 and len(found) == 30
    assert [(failure.id, failure.stage, failure.reason) for failure in found.failures] == [
        (shard.embeddings.ids[3], "project", "the model's row is of length 0"),
        (shard.embeddings.ids[5], "project", "the model's row is not finite"),
    ]
    assert found.failures[0].path == shard.embeddings.ids[3] and found.failures[0].columns == {"split": "test"}


def test_a_list_without_split_and_with_strange_names(tmp_path):
    (tmp_path / "manifest.csv").write_bytes(
        b"path,modality,identity,\ncaf\xe9.wav,voice,Ann,x\n\xe4\xb8\xad,voice,Bob,\n"
    )
    place = Workspace(folder=tmp_path)
    embed(place)
    rows = open_store(place.store_folder).load("voice")
    assert rows.ids == ["caf\udce9.wav", "中"] and rows.columns[""] == ["x", ""]
    assert [os.fsencode(path) for path in rows.columns["path"]] == [b"caf\xe9.wav", "中".encode()]


def test_one_workspace_at_two_places(workspace):
    embed(workspace)
    place = Workspace(folder=workspace.folder, features=workspace.folder / "f2", embeddings=workspace.folder / "e2")
    embed(place)
    assert list(contents(place.store_folder).values()) == list(contents(workspace.store_folder).values())


def test_no_list(tmp_path):
    with pytest.raises(InputError, match=r"no manifest at .*manifest\.csv: a workspace starts from a list"):
        Workspace(folder=tmp_path).read_manifest()
    with pytest.raises(InputError, match=r"cannot look for .*: File name too long"):
        Workspace(folder=tmp_path / ("a" * 300)).read_manifest()
    (tmp_path / "manifest.jsonl").write_text('{"path": "a", "modality": "voice", "identity": "A"}')
    assert len(Workspace(folder=tmp_path).read_manifest()) == 1
    (tmp_path / "manifest.csv").write_text("path,modality,identity\na,voice,A\nb,voice,A\n")
    with pytest.raises(ManifestError, match=r"manifest\.csv and .*manifest\.jsonl are both there: name the list"):
        Workspace(folder=tmp_path).read_manifest()
    assert len(Workspace(folder=tmp_path, manifest=tmp_path / "manifest.csv").read_manifest()) == 2


def test_which_split():
    assert (
        chosen_split(["test", "train"], None, "test", "x") == "test" and chosen_split([""], None, "test", "x") is None
    )
    assert chosen_split(["a"], "all", "test", "x") is None and chosen_split(["a"], "a", "test", "x") == "a"
    with pytest.raises(ManifestError, match="x has no item with split=b: its splits are 'a'; name one of them, or all"):
        chosen_split(["a"], "b", "test", "x")
