import json
from pathlib import Path

import pytest
from audited_lists import face, pairs, voice

from vfsearch.data.findings import NOTE
from vfsearch.errors import SettingsError, TrialListError, UnknownNameError
from vfsearch.pipeline.audit_trials import AuditSettings, CleanSettings, audit_trials, training_of


def serious(audited) -> dict[str, int]:
    return {found.kind.name: found.count for found in audited.report.findings if found.kind.severity != NOTE}


def write_list(path: Path, rows) -> Path:
    path.write_text("".join(f"{label} {probe} {item}\n" for probe, item, label in rows))
    return path


def write_table(path: Path) -> Path:
    lines = [f"id{10000 + person},Person_{person},{'fm'[person % 2]},Chile,test" for person in range(24)]
    path.write_text("VoxCeleb1_ID,VGGFace1_ID,Gender,Nationality,Set\n" + "\n".join(lines) + "\n")
    return path


@pytest.fixture
def listed(tmp_path) -> Path:
    good = pairs(400)
    return write_list(tmp_path / "pairs.txt", [*good, good[7], (voice(0, 3), face(3, 3), 0), (voice(1, 3), "x", 1)])


def test_a_list_with_a_table(listed, tmp_path):
    settings = AuditSettings(identities=(write_table(tmp_path / "vox1_test.csv"),), group="G", format="voxceleb")
    (audited,) = audit_trials([listed], settings)
    assert serious(audited) == {"duplicates": 1, "group-rule": 1, "unknown-identities": 1}
    assert audited.report.named("duplicates")[0].examples[0].line == 401
    document = json.loads(json.dumps(audited.to_json()))
    assert document["list"] == str(listed) and document["clean"] is None


def test_a_manifest_tells_what_is_there(listed, tmp_path):
    lines = ["id,path,modality,identity,gender,source,split"]
    for name in sorted({name for row in pairs(400) for name in row[:2]} - {voice(0, 0)}):
        modality, person = ("voice", int(name[5:7])) if name.startswith("id") else ("face", int(name[7:].split("/")[0]))
        gender, source = "fm"[person % 2], name.split("/")[1] if modality == "voice" else f"s{person}"
        lines.append(f"{name},media/{name},{modality},P{person},{gender},{source},test")
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("\n".join(lines) + "\n")
    (audited,) = audit_trials([listed], AuditSettings(manifest=manifest, group="gender", format="voxceleb"))
    missing = {voice(0, 0), "x"} | ({face(3, 3), voice(0, 3), voice(1, 3)} - {line.split(",")[0] for line in lines})
    found = serious(audited)
    assert found["missing-items"] == len(missing)
    assert found["duplicates"] == 1
    assert "same-source" not in found


def test_lists_without_offenders(listed, tmp_path):
    settings = AuditSettings(identities=(write_table(tmp_path / "table.csv"),), format="voxceleb")
    clean = tmp_path / "new" / "clean.txt"
    (audited,) = audit_trials([listed], settings, CleanSettings(path=clean, without=("duplicates", "group-rule")))
    lines = listed.read_text().splitlines()
    assert clean.read_text().splitlines() == [*lines[:400], *lines[401:]]
    assert audited.clean == clean
    with pytest.raises(SettingsError, match=r"clean.txt would be replaced: take another place, or give --overwrite"):
        audit_trials([listed], settings, CleanSettings(path=clean))
    audit_trials([listed], settings, CleanSettings(path=clean, without=("unknown-identities",), overwrite=True))
    assert clean.read_text().splitlines() == lines[:-1]


def test_several_lists_keep_their_names(listed, tmp_path):
    other = write_list(tmp_path / "other.txt", pairs(30, seed=4))
    settings = AuditSettings(format="voxceleb")
    done = audit_trials([listed, other], settings, CleanSettings(path=tmp_path / "clean"))
    assert [audited.clean.name for audited in done] == ["pairs.txt", "other.txt"]
    assert (tmp_path / "clean" / "other.txt").read_bytes() == other.read_bytes()
    with pytest.raises(SettingsError, match="two lists have one name"):
        audit_trials([other, tmp_path / "clean" / "other.txt"], settings, CleanSettings(path=tmp_path / "more"))


def test_the_list_itself_is_not_replaced(listed):
    with pytest.raises(SettingsError, match="is the list itself"):
        audit_trials([listed], AuditSettings(format="voxceleb"), CleanSettings(path=listed, overwrite=True))


def test_unknown_names_are_refused(listed, tmp_path):
    with pytest.raises(UnknownNameError, match="no finding named nonsense"):
        audit_trials(
            [listed], AuditSettings(format="voxceleb"), CleanSettings(path=tmp_path / "c", without=("nonsense",))
        )
    assert not (tmp_path / "c").exists()
    with pytest.raises(SettingsError, match="no constraint group is 'GG'"):
        AuditSettings(group="GG")
    with pytest.raises(TrialListError, match="cannot read"):
        audit_trials([tmp_path / "none.txt"], AuditSettings(format="voxceleb"))
    with pytest.raises(SettingsError, match="at least one list"):
        audit_trials([], AuditSettings())


def test_training_identities_from_files(tmp_path):
    plain = tmp_path / "train.txt"
    plain.write_text("id10001\nid10002\n\n")
    assert training_of(plain, None).identities == {"id10001", "id10002"}
    table = training_of(write_table(tmp_path / "vox1_train.csv"), None)
    assert {"id10003", "Person_3"} <= table.identities
    clips = tmp_path / "train_list.txt"
    clips.write_text("id00012 id00012/21Uxsk56VDQ/00001.wav\nid00013 id00013/21Uxsk56VDQ/00002.wav\n")
    training = training_of(clips, None)
    assert {"id00012", "id00013"} <= training.identities
    assert "id00012/21Uxsk56VDQ/00001.wav" in training.items
    assert training_of(None, None) is None


def test_training_identities_of_a_model(built, tmp_path):
    training = training_of(None, built.model_folder)
    assert training.identities == {f"p{person}" for person in range(0, 12, 2)}
    listed = write_list(tmp_path / "list.txt", [("v/0/0.wav", "f/0/0.png", 1), ("v/1/0.wav", "f/1/0.png", 1)])
    settings = AuditSettings(model=built.model_folder, manifest=built.manifest_path, format="voxceleb")
    (audited,) = audit_trials([listed], settings)
    (found,) = audited.report.named("training-identities")
    assert (found.count, found.detail) == (2, "of 1 identities, in 1 trials")
