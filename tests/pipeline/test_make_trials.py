import csv
import json
from collections import Counter
from pathlib import Path

import pytest
from builders import contents, write_manifest

from vfsearch.data.trial_list import TrialList
from vfsearch.errors import ManifestError, MismatchError, SettingsError
from vfsearch.pipeline.make_trials import make_trials
from vfsearch.pipeline.workspace import Workspace
from vfsearch.trials.formats.catalog import open_trials
from vfsearch.trials.settings import TrialsSettings

SMALL = {"n": (2, 3)}
GOLDEN = """\
probe mate other_1 probe_identity mate_identity other_1_identity
v/1/0.wav f/1/1.png f/3/0.png p1 p1 p3
v/1/0.wav f/1/1.png f/3/1.png p1 p1 p3
v/1/0.wav f/1/0.png f/3/0.png p1 p1 p3
v/1/1.wav f/1/1.png f/3/1.png p1 p1 p3"""


def people(folder: Path, rows, columns: str = "gender") -> Workspace:
    """A manifest of rows "voice:name:identity:value,..."; the id is the name."""
    lines = [f"path,modality,identity,{columns}"]
    for row in rows:
        modality, name, identity, values = row.split(":")
        lines.append(f"{name},{modality},{identity},{values}")
    folder.mkdir(exist_ok=True)
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")
    return Workspace(folder=folder)


@pytest.fixture
def told(tmp_path) -> Workspace:
    """Six people of two genders in the paper's layout of names: a folder a person and modality."""
    rows = [
        f"{modality}:{folder}{person}/v{video}/{number}.{suffix}:p{person}:{'fm'[person % 2]},v{video}"
        for person in range(6)
        for modality, folder, suffix in (("voice", "id", "wav"), ("face", "Person_", "jpg"))
        for video in range(2)
        for number in range(2)
    ]
    return people(tmp_path / "told", rows, "gender,source")


def rows_of(trials: TrialList) -> list[tuple]:
    """Probe, items and label of each trial."""
    blocks = list(trials.blocks())
    texts = trials.names.texts
    return [
        (texts[probe], tuple(texts[item] for item in items), mated)
        for block in blocks
        for probe, items, mated in zip(block.probes, block.items, block.mated, strict=True)
    ]


def identity(name: str) -> str:
    return name.partition("/")[0].replace("Person_", "p").replace("id", "p")


def test_the_three_protocols_of_a_split(workspace):
    report = make_trials(workspace, TrialsSettings(**SMALL))
    names = ["match_v2f_2_test", "match_v2f_3_test", "verify_v2f_test", "retrieval_v2f_test"]
    assert [made.name for made in report.lists] == names and report.split == "test"
    assert [path.name for made in report.lists for path in made.files] == [f"{name}.tsv" for name in names]
    assert sorted(path.name for path in (workspace.folder / "trials").glob("*.tsv")) == sorted(
        f"{n}.tsv" for n in names
    )
    counts = [(made.trials, made.probes, made.identities, made.left_out) for made in report.lists]
    assert counts == [(90, 30, 6, {})] * 3 + [(900, 30, 6, {})]
    assert set(report.written) == {path for made in report.lists for path in made.files} and not report.kept


def test_what_the_lists_hold(workspace):
    owner = {item.id: item.identity for item in workspace.read_manifest()}
    for made in make_trials(workspace, TrialsSettings(probe="face", gallery="voice", **SMALL)).lists:
        trials = open_trials(made.files[0])
        assert trials.kind == made.protocol and trials.labelled
        for probe, items, mated in rows_of(trials):
            assert probe.startswith("f/") and all(item.startswith("v/") for item in items)
            assert (owner[probe] == owner[items[0]]) == bool(mated)
            assert all(owner[item] != owner[probe] for item in items[1:])
            assert [trials.identities(name) for name in (probe, *items)] == [owner[name] for name in (probe, *items)]
        if made.protocol == "retrieval":
            sides = trials.sides()
            wanted = workspace.read_manifest()
            assert [trials.names.texts[each] for each in sides.probes] == [i.id for i in wanted.select("face", "test")]
            assert [trials.names.texts[each] for each in sides.gallery] == [
                i.id for i in wanted.select("voice", "test")
            ]


def test_verification_comes_from_the_1_to_2_queries(workspace):
    make_trials(workspace, TrialsSettings(n=(2,)))
    pairs = rows_of(open_trials(workspace.folder / "trials/match_v2f_2_test.tsv"))
    for (probe, both, _), (same, (item,), mated) in zip(
        pairs, rows_of(open_trials(workspace.folder / "trials/verify_v2f_test.tsv")), strict=True
    ):
        assert same == probe and item == both[0 if mated else 1]


def test_what_a_list_says_of_itself(workspace):
    report = make_trials(workspace, TrialsSettings(n=(2,), seed=7, galleries=2))
    about = open_trials(report.lists[0].files[0]).about
    assert about == {
        "made_by": "vfsearch trials make", "manifest": workspace.read_manifest().digest(), "probe": "voice",
        "gallery": "face", "split": "test", "group": "U", "columns": [], "galleries": 2, "seed": 7,
        "same_source": "allow", "left_out": {}, "gallery_left_out": 0,
    }  # fmt: skip
    assert "seed" not in open_trials(report.lists[-1].files[0]).about


def test_the_very_same_bytes_again_and_on_every_machine(tmp_path):
    for name in ("a", "b"):
        write_manifest(tmp_path / name / "w", identities=4, items=2)
        make_trials(Workspace(folder=tmp_path / name / "w"), TrialsSettings(n=(2,)))
    first, second = (contents(tmp_path / name / "w/trials") for name in ("a", "b"))
    assert first == second
    lines = first["trials/match_v2f_2_test.tsv"].decode().splitlines()[1:6]
    assert "\n".join(lines).replace("\t", " ") == GOLDEN


def test_one_more_n_or_group_changes_no_other_list(told):
    few = make_trials(told, TrialsSettings(n=(3,), protocols=("matching",)), told.folder / "few").written
    settings = TrialsSettings(n=(2, 3, 4), groups=("G", "U", "G+source", "source"), small_groups="leave-out")
    many = make_trials(told, settings, told.folder / "many")
    digests = {path.name: digest for path, digest in many.written.items()}
    assert digests["match_v2f_3_all.tsv"] == few[told.folder / "few/match_v2f_3_all.tsv"]
    assert len(set(digests.values())) == len(digests) == 4 * 4 + 1


@pytest.mark.parametrize("changes", [{"seed": 2}, {"galleries": 4}])
def test_seed_and_galleries_change_the_trials(told, changes):
    one = rows_of(open_trials(make_trials(told, TrialsSettings(n=(2,)), told.folder / "a").lists[0].files[0]))
    other = make_trials(told, TrialsSettings(n=(2,), **changes), told.folder / "b").lists[0].files[0]
    assert rows_of(open_trials(other)) != one


def test_candidates_are_of_the_probes_group(told):
    settings = TrialsSettings(n=(4,), groups=("G", "gender+source"))
    report = make_trials(told, settings)
    assert [made.name for made in report.lists] == [
        "match_g_v2f_4_all", "verify_g_v2f_all",
        "match_gender+source_v2f_4_all", "verify_gender+source_v2f_all", "retrieval_v2f_all",
    ]  # fmt: skip
    columns = {item.id: item.columns for item in told.read_manifest()}
    for made in report.lists[:4]:
        for probe, items, _ in rows_of(open_trials(made.files[0])):
            for item in items:
                assert columns[item]["gender"] == columns[probe]["gender"]
                assert made.group == "G" or columns[item]["source"] == columns[probe]["source"]


def test_ages_count_by_decade(tmp_path):
    rows = [
        f"{m}:{m[0]}{p}:p{p}:{age}" for p, age in enumerate([21, 29, 30, 39, "old", "old"]) for m in ("voice", "face")
    ]
    place = people(tmp_path, rows, "age")
    report = make_trials(place, TrialsSettings(n=(2,), groups=("A",), protocols=("matching",)))
    found = {(probe, items) for probe, items, _ in rows_of(open_trials(report.lists[0].files[0]))}
    assert found == {(f"v{p}", (f"f{p}", f"f{p ^ 1}")) for p in range(6)}
    assert report.lists[0].files[0].name == "match_a_v2f_2_all.tsv"
    with pytest.raises(SettingsError, match=r"group A: 1:2 matching needs 1 .* one has 0 in its group \(21: 1 probes"):
        make_trials(place, TrialsSettings(n=(2,), groups=("A",), age_years=0))


def test_the_mate_is_of_another_source_when_that_is_asked_for(told):
    settings = TrialsSettings(n=(2,), same_source="exclude")
    source = {item.id: (item.identity, item.columns["source"]) for item in told.read_manifest()}
    report = make_trials(told, settings)
    for made in report.lists[:2]:
        trials = rows_of(open_trials(made.files[0]))
        assert len(trials) == 72 and made.left_out == {}
        assert all(source[probe] != source[items[0]] for probe, items, _ in trials)
    assert report.warnings == ("retrieval_v2f_all compares every probe with every item, those of its own source too",)


def test_who_is_left_out_is_counted(tmp_path):
    probes = ["v0:a:f,1", "v1:a:,1", "v2:b:f,1", "v3:c:f,2", "v4:d:f,1"]
    gallery = ["f0:a:f,2", "f1:b:m,2", "f2:c:f,2", "f3:e:,1", "f4:e:f,1", "f5:a:f,"]
    rows = [*(f"voice:{row}" for row in probes), *(f"face:{row}" for row in gallery)]
    place = people(tmp_path, rows, "gender,source")
    settings = TrialsSettings(n=(2,), groups=("G",), same_source="exclude", protocols=("matching", "retrieval"))
    report = make_trials(place, settings)
    assert report.lists[0].left_out == {
        "group or source not known": 1, "no mate in the gallery": 1, "no mate of its group": 1,
        "no mate of another source": 1,
    }  # fmt: skip
    assert (report.lists[0].gallery_left_out, report.lists[0].probes, report.lists[0].trials) == (2, 1, 3)
    assert open_trials(report.lists[0].files[0]).about["left_out"] == report.lists[0].left_out
    assert report.warnings[0].startswith("items of one identity differ in gender: b; each item counts as it says")
    assert "retrieval_v2f_all holds 1 probes without a mate in the gallery, who ask nothing" in report.warnings


def test_an_n_too_large_for_a_group_is_refused_or_leaves_out_its_probes(told):
    settings = {"n": (2, 12), "groups": ("G",), "protocols": ("matching",)}
    rows = told.manifest_path.read_text().splitlines()
    told.manifest_path.write_text("\n".join(row for row in rows if "Person_1" not in row) + "\n")
    wanted = (
        r"group G: 1:12 matching needs 11 gallery items of other identities for each probe, one has 4 in its group "
        r"\(f: 12 probes with 8 others; m: 8 probes with 4 others\); ask for a smaller N \(at most 5\), or leave those "
        r"20 probes out \(--leave-out-small-groups\)"
    )
    with pytest.raises(SettingsError, match=wanted):
        make_trials(told, TrialsSettings(**settings))
    assert not (told.folder / "trials").exists()
    report = make_trials(told, TrialsSettings(**{**settings, "n": (2, 6)}, small_groups="leave-out"))
    assert [made.left_out for made in report.lists] == [
        {"no mate in the gallery": 4}, {"no mate in the gallery": 4, "group too small": 8},
    ]  # fmt: skip
    assert {identity(probe) for probe, *_ in rows_of(open_trials(report.lists[1].files[0]))} == {"p0", "p2", "p4"}


def test_one_modality(told):
    report = make_trials(told, TrialsSettings(probe="face", gallery="face", n=(2,)))
    assert [made.trials for made in report.lists] == [72, 72, 24 * 23]
    assert report.lists[0].name == "match_f2f_2_all"
    assert all(probe not in items for probe, items, _ in rows_of(open_trials(report.lists[0].files[0])))


def test_splits(workspace):
    assert make_trials(workspace, TrialsSettings(n=(2,), split="train")).lists[0].name == "match_v2f_2_train"
    assert make_trials(workspace, TrialsSettings(n=(2,), split="all")).lists[0].trials == 180
    with pytest.raises(ManifestError, match="has no item with split=val"):
        make_trials(workspace, TrialsSettings(split="val"))


def test_the_paper_s_format_with_its_identity_table(told):
    report = make_trials(told, TrialsSettings(n=(2,), groups=("U", "G"), format="wen2021"))
    names = ["match_v2f_2_all.txt", "verify_v2f_all.txt", "match_g_v2f_2_all.txt", "verify_g_v2f_all.txt",
             "reterival_v2f_all.txt"]  # fmt: skip
    assert [path.name for made in report.lists for path in made.files] == names and not report.warnings
    for made in report.lists[:4]:
        for line in made.files[0].read_text().splitlines():
            probe, *items = line.split(" ")
            if made.protocol == "matching":
                assert identity(probe) == identity(items[0]) != identity(items[1])
            assert len(items) == (2 if made.protocol == "matching" else 1)
    two = report.lists[4].files[0].read_text().splitlines()
    assert [len(line.split(" ")) for line in two] == [24, 24]
    assert report.identity_table == told.folder / "trials/vox1_all.csv" in report.written
    with report.identity_table.open(newline="") as file:
        text = file.read()
    assert text.startswith("VoxCeleb1_ID,VGGFace1_ID,Gender,Nationality,Set\r\nid0,Person_0,f,,\r\n")
    assert len(list(csv.DictReader(text.splitlines()))) == 6


def test_the_paper_s_lists_read_back_are_those_of_our_own_format(told):
    ours = make_trials(told, TrialsSettings(n=(2,)), told.folder / "ours")
    papers = make_trials(told, TrialsSettings(n=(2,), format="wen2021"), told.folder / "papers")
    for one, other in zip(ours.lists[:2], papers.lists[:2], strict=True):
        left, right = open_trials(one.files[0]), open_trials(other.files[0], "wen2021")
        assert [row[:2] for row in rows_of(left)] == [row[:2] for row in rows_of(right)]
        names = left.names.texts
        same = {name: left.identities(name) for name in names}
        found = {name: right.identities(name) for name in names}
        assert len(set(zip(same.values(), found.values(), strict=True))) == len(set(found.values())) == 6


def test_names_that_do_not_tell_people_apart_have_no_table(workspace):
    report = make_trials(workspace, TrialsSettings(n=(2,), format="wen2021"))
    assert report.identity_table is None and "no identity table is written" in report.warnings[0]


def test_a_format_that_cannot_hold_a_protocol(workspace):
    wanted = "the format voxceleb cannot hold matching; it can hold verification"
    with pytest.raises(SettingsError, match=wanted):
        make_trials(workspace, TrialsSettings(format="voxceleb", protocols=("matching",)))


def test_other_lists_are_not_replaced_unasked(workspace):
    make_trials(workspace, TrialsSettings(n=(2,)))
    before = contents(workspace.folder / "trials")
    again = make_trials(workspace, TrialsSettings(n=(2,)))
    assert not again.written and len(again.kept) == 3
    wanted = "has other lists of the same name: match_v2f_2_test.tsv, verify_v2f_test.tsv; they may have been used"
    with pytest.raises(MismatchError, match=wanted):
        make_trials(workspace, TrialsSettings(n=(2, 3), seed=2))
    assert contents(workspace.folder / "trials") == before
    replaced = make_trials(workspace, TrialsSettings(n=(2, 3), seed=2), overwrite=True)
    assert len(replaced.written) == 3 and [path.name for path in replaced.kept] == ["retrieval_v2f_test.tsv"]
    assert contents(workspace.folder / "trials") != before


def test_progress_and_json(workspace):
    seen = []
    report = make_trials(workspace, TrialsSettings(n=(2,)), progress=lambda *what: seen.append(what))
    assert seen == [("files", done, 3) for done in (1, 2, 3)]
    document = json.loads(json.dumps(report.to_json()))
    assert document["lists"][0]["files"] == [str(workspace.folder / "trials/match_v2f_2_test.tsv")]
    assert set(document["written"]) == {str(path) for path in report.written}


@pytest.mark.parametrize(
    ("columns", "settings", "error", "message"),
    [
        (
            "x",
            {"groups": ("G",)},
            ManifestError,
            "has no column gender, which the group G needs; .* its columns are: x",
        ),
        ("x", {"same_source": "exclude"}, ManifestError, "no column source, which the exclusion of same sources needs"),
        ("x", {"protocols": ("retrieval",), "probe": "face", "gallery": "voice"}, None, ""),
        ("G", {"groups": ("Gx", "G x")}, ManifestError, "has no column Gx"),
    ],
)
def test_columns_that_are_not_there(tmp_path, columns, settings, error, message):
    place = people(tmp_path, [f"{m}:{m}{p}:p{p}:1" for p in range(3) for m in ("voice", "face")], columns)
    if error is None:
        assert len(make_trials(place, TrialsSettings(**settings)).lists) == 1
        return
    with pytest.raises(error, match=message):
        make_trials(place, TrialsSettings(n=(2,), **settings))


def test_two_groups_of_one_file_name(tmp_path):
    place = people(tmp_path, [f"{m}:{m}{p}:p{p}:1,1" for p in range(3) for m in ("voice", "face")], "a b,a-b")
    with pytest.raises(SettingsError, match=r"two of the groups a b, a-b have lists named match_a-b_v2f_2_all.tsv"):
        make_trials(place, TrialsSettings(n=(2,), groups=("a b", "a-b")))


def test_a_list_without_trials_is_refused(tmp_path):
    place = people(tmp_path, ["voice:v:a:f", "face:f:b:f", "face:g:c:f"])
    wanted = "split all: a 1:2 list of the group U would be empty: no mate in the gallery: 1 probes"
    with pytest.raises(ManifestError, match=wanted):
        make_trials(place, TrialsSettings(n=(2,)))
    with pytest.raises(ManifestError, match="has no face items with split=all"):
        make_trials(people(tmp_path, ["voice:v:a:f"]), TrialsSettings())


def test_labels_of_verification_are_about_even_in_every_position(workspace):
    report = make_trials(workspace, TrialsSettings(protocols=("verification",), galleries=40))
    labels = [mated for *_, mated in rows_of(open_trials(report.lists[0].files[0]))]
    for position in (0, 1):
        assert Counter(labels[position::2])[1] == pytest.approx(300, abs=60)
