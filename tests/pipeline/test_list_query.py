import json
from pathlib import Path

import numpy as np
import pytest
from builders import ID_HASH, write_manifest
from named_lists import (
    clips_and_photos,
    plain_accuracy,
    plain_auc,
    plain_mean_ap,
    scores_of,
    vectors,
    write_lists,
    write_table,
    write_vectors,
)

from vfsearch.data.outcome import Outcome
from vfsearch.errors import (
    DamagedError,
    InputError,
    MismatchError,
    SettingsError,
    SpaceMismatchError,
    TrialListError,
    UnknownNameError,
)
from vfsearch.pipeline import list_query as module
from vfsearch.pipeline.embed import embed_manifest
from vfsearch.pipeline.list_query import ListSettings, names_of_lists, query_lists
from vfsearch.pipeline.list_result import write_result
from vfsearch.pipeline.runs import read_run_artefact
from vfsearch.pipeline.workspace import Workspace
from vfsearch.tables import get_array, get_texts, reading
from vfsearch.trials.formats.own import Own

QUICK = ListSettings(resamples=50)
SHARED = Path(__file__).parents[2].parent / "shared"


@pytest.fixture
def asked(tmp_path):
    """A folder with the three lists, their table and vectors; what asks them."""
    (tmp_path / "lists").mkdir()
    write_table(tmp_path / "lists")
    lists = write_lists(tmp_path / "lists")
    file = write_vectors(tmp_path / "vectors.npz", vectors())
    place = Workspace(folder=tmp_path)

    def ask(*names, settings=QUICK, **more):
        return query_lists(place, [lists[name] for name in names or lists], settings, **{"vectors": [file], **more})

    ask.lists, ask.place, ask.file = lists, place, file
    return ask


def values(report) -> dict[tuple[str, str], float]:
    return {
        (each.list, name): value.value for each in report.outcome.measurements for name, value in each.values.items()
    }


def test_three_lists_at_once_against_plain_loops(asked):
    report = asked()
    found, rows = values(report), vectors()
    verify, match = (scores_of(asked.lists[name], rows) for name in ("verify_v2f_test", "match_v2f_3_test"))
    assert found["verify_v2f_test", "AUC"] == pytest.approx(plain_auc(verify), abs=1e-12)
    assert found["match_v2f_3_test", "accuracy"] == pytest.approx(plain_accuracy(match), abs=1e-12)
    mean_ap = plain_mean_ap(asked.lists["reterival_v2f_test"], rows)
    assert found["reterival_v2f_test", "mAP"] == pytest.approx(mean_ap, abs=1e-12)
    kinds = {each.list: (each.protocol, each.direction, each.candidates) for each in report.outcome.measurements}
    assert kinds == {
        "verify_v2f_test": ("verification", "voice to face", None),
        "match_v2f_3_test": ("matching", "voice to face", 3),
        "reterival_v2f_test": ("retrieval", "voice to face", 24),
    }


def test_what_is_said_and_saved_beside_the_figures(asked):
    report = asked()
    counts = report.outcome.counts["lists"]["verify_v2f_test"]
    assert counts["identities_from"] == "vox1_test.csv beside the list" and counts["identities"] == 8
    assert (counts["trials"], counts["probes"], counts["missing_probes"], counts["unknown_identities"]) == (
        48,
        24,
        0,
        0,
    )
    assert {"parse verify_v2f_test", "score verify_v2f_test", "measure verify_v2f_test"} < set(report.outcome.seconds)
    saved = json.loads((report.folder / "outcome.json").read_text())
    assert Outcome.from_json(saved).to_json() == saved
    trials = Own().read(report.folder / "verify_v2f_test.tsv")
    (block,) = trials.blocks()
    wanted = [score for _, _, scores in scores_of(asked.lists["verify_v2f_test"], vectors()) for score in scores]
    assert block.scores[:, 0] == pytest.approx(wanted, abs=1e-7)
    assert block.mated.tolist() == [1, 0] * 24 and trials.identities(clips_and_photos()[0][0]) == "P_0"


def test_ranked_lists_keep_where_their_mates_stand(asked):
    report = asked("reterival_v2f_test")
    with reading(read_run_artefact(report.folder).read("neighbors.h5"), "run") as file:
        assert get_texts(file, "reterival_v2f_test/probes/ids") == clips_and_photos()[0]
        mean_ap = get_array(file, "reterival_v2f_test/mAP")
    assert np.mean(mean_ap) == pytest.approx(values(report)["reterival_v2f_test", "mAP"], abs=1e-12)


def test_the_same_request_is_answered_from_what_is_saved(asked, monkeypatch):
    first = asked()
    assert first.measured_now
    monkeypatch.setattr(module, "Asking", lambda **_: pytest.fail("measured again"))
    again = asked()
    assert not again.measured_now and again.folder == first.folder
    assert again.outcome.to_json() == first.outcome.to_json()


def test_overwriting_finds_the_same(asked):
    first, again = asked(), asked(overwrite=True)
    assert again.measured_now and again.folder == first.folder and values(first) == values(again)


@pytest.mark.parametrize("change", ["settings", "list", "table", "vectors"])
def test_another_request_is_another_run(asked, change):
    first = asked("verify_v2f_test", name="mine")
    settings = QUICK
    if change == "settings":
        settings = ListSettings(seed=2)
    elif change == "list":
        path = asked.lists["verify_v2f_test"]
        path.write_text(path.read_text() + path.read_text().splitlines()[0])
    elif change == "table":
        table = write_table(asked.lists["verify_v2f_test"].parent)
        table.write_bytes(table.read_bytes().replace(b"Here", b"There"))
    else:
        write_vectors(asked.file, vectors(seed=1))
    assert asked("verify_v2f_test", settings=settings).folder != first.folder
    with pytest.raises(MismatchError, match="runs/mine was made from other things"):
        asked("verify_v2f_test", settings=settings, name="mine")
    assert asked("verify_v2f_test", settings=settings, name="mine", overwrite=True).measured_now


def test_a_run_that_is_replaced_leaves_no_files_of_the_old_one(asked):
    asked(name="mine")
    folder = asked("verify_v2f_test", name="mine", overwrite=True).folder
    assert {path.name for path in folder.iterdir()} == {"LOCK", "MANIFEST.json", "outcome.json", "verify_v2f_test.tsv"}


def test_a_damaged_run_is_refused_by_name(asked):
    path = asked(name="mine").folder / "verify_v2f_test.tsv"
    path.write_bytes(path.read_bytes().replace(b"0.", b"1.", 1))
    with pytest.raises(DamagedError, match=r"verify_v2f_test.tsv is damaged"):
        asked(name="mine")


def test_missing_names_are_misses_and_counted(asked, tmp_path):
    rows = vectors()
    clips = clips_and_photos()[0]
    kept = {name: row for name, row in rows.items() if name != clips[0]}
    report = asked(vectors=[write_vectors(tmp_path / "few.npz", kept)])
    whole = values(asked())
    for each in report.outcome.measurements:
        facts = report.outcome.counts["lists"][each.list]
        assert facts["missing_probes"] == 1 and facts["examples_of_missing"][0] == clips[0]
        assert facts["missing_items"] == 0
        name = next(iter(each.values))
        assert each.missing >= 1
        # A non-mated trial that nothing scores is rejected, which is right.
        assert each.protocol == "verification" or each.values[name].value <= whole[each.list, name]
    assert {each.list: each.trials for each in report.outcome.measurements} == {
        "verify_v2f_test": 48, "match_v2f_3_test": 24, "reterival_v2f_test": 24,
    }  # fmt: skip


def test_lists_of_other_names_altogether(asked, tmp_path):
    with pytest.raises(TrialListError, match=r"verify_v2f_test.txt: none of its \d+ names is in .*other.npz"):
        asked(vectors=[write_vectors(tmp_path / "other.npz", {"x": np.ones(3, dtype=np.float32)})])


def test_a_list_that_nothing_tells_the_people_of(asked):
    (asked.lists["verify_v2f_test"].parent / "vox1_test.csv").unlink()
    with pytest.raises(TrialListError, match="whose its items are is not known; give a table with --identities"):
        asked("verify_v2f_test")
    report = asked("match_v2f_3_test")
    told = report.outcome.counts["lists"]["match_v2f_3_test"]["identities_from"]
    assert told == "the labels (people joined by mated trials)"


def test_a_table_that_is_named_goes_before_the_one_beside(asked, tmp_path):
    (tmp_path / "other").mkdir()
    report = asked("verify_v2f_test", identities=[write_table(tmp_path / "other")])
    assert report.outcome.counts["lists"]["verify_v2f_test"]["identities_from"].endswith("other/vox1_test.csv")


@pytest.mark.parametrize("name", ["measures", "format"])
def test_unknown_names_are_refused(asked, name):
    with pytest.raises(UnknownNameError, match="nothing"):
        asked(settings=ListSettings(**{name: ("nothing",) if name == "measures" else "nothing"}))


def test_no_list_at_all(tmp_path):
    with pytest.raises(SettingsError, match="no list is given"):
        query_lists(Workspace(folder=tmp_path), [])


def test_measures_go_to_the_lists_they_are_of(asked):
    found = values(asked(settings=ListSettings(measures=("TAR@FAR=0.1", "rank-2", "R@5"), resamples=50)))
    assert set(found) == {
        ("verify_v2f_test", "TAR@FAR=0.1"),
        ("match_v2f_3_test", "rank-2"),
        ("reterival_v2f_test", "R@5"),
    }


def test_lists_with_one_name():
    assert list(names_of_lists([Path("a/x.txt"), Path("b/x.txt.gz"), Path("y")])) == ["x", "x-2", "y"]


def test_the_authors_result_file(asked, tmp_path):
    report = asked()
    write_result(tmp_path / "result.txt", report.outcome)
    lines = [line.split() for line in (tmp_path / "result.txt").read_text().splitlines()]
    found = values(report)
    assert {name: float(text) for name, text in lines} == {
        "verify_v2f_test": found["verify_v2f_test", "AUC"],
        "match_v2f_3_test": found["match_v2f_3_test", "accuracy"],
        "reterival_v2f_test": found["reterival_v2f_test", "mAP"],
    }
    other = asked("verify_v2f_test", settings=ListSettings(measures=("EER",), resamples=50))
    with pytest.raises(SettingsError, match="wants the AUC of verify_v2f_test"):
        write_result(tmp_path / "result.txt", other.outcome)


# The workspace's own vectors


def own_list(folder: Path, *lines: str) -> Path:
    path = folder / "verify_own.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_list_of_the_stores_items_by_the_ends_of_their_paths(built):
    path = own_list(built.folder, "v/1/0.wav f/1/0.png", "1/1.wav f/3/0.png", "/data/v/1/2.wav f/1/3.png")
    report = query_lists(built, [path], ListSettings(format="wen2021", resamples=50))
    facts = report.outcome.counts["lists"]["verify_own"]
    assert facts["identities_from"] == "the store" and facts["missing_probes"] == 0
    trials = Own().read(report.folder / "verify_own.tsv")
    assert [label for block in trials.blocks() for label in block.mated] == [1, 0, 1]


def test_items_of_two_spaces_are_not_compared(tmp_path):
    place = Workspace(folder=tmp_path)
    write_manifest(tmp_path)
    embed_manifest(place, ID_HASH)
    with pytest.raises(SpaceMismatchError, match=r"has items in the spaces id-hash-.* and id-hash-"):
        query_lists(place, [own_list(tmp_path, "v/1/0.wav f/1/0.png")], ListSettings(format="wen2021"))
    path = own_list(tmp_path, "v/1/0.wav v/1/1.wav", "v/1/0.wav v/2/1.wav")
    report = query_lists(place, [path], ListSettings(format="wen2021", resamples=50))
    assert report.outcome.measurements[0].direction == "voice to voice"


def test_no_store_and_no_vectors(tmp_path):
    with pytest.raises(InputError, match="make it with `vfsearch embed`"):
        query_lists(Workspace(folder=tmp_path), [own_list(tmp_path, "a.wav b.jpg")], ListSettings(format="wen2021"))


# The published lists


@pytest.mark.skipif(not (SHARED / "data/wen2021_lists").is_dir(), reason="the published lists are not here")
@pytest.mark.parametrize("name", ["match_v2f_2_val", "verify_v2f_test"])
def test_published_lists_give_the_published_programs_figures(tmp_path, name):
    import importlib.util

    spec = importlib.util.spec_from_file_location("reference", SHARED / "reference/synthetic_embeddings.py")
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    path = SHARED / f"data/wen2021_lists/{name}.txt.gz"
    table = reference.identities(path.parent / f"vox1_{name.rpartition('_')[2]}.csv")
    trials = module.open_trials(path)
    for _ in trials.blocks():
        pass
    rows, _ = reference.embeddings(trials.names.texts, table)
    np.savez(tmp_path / "vectors.npz", names=np.array(trials.names.texts), vectors=rows)
    report = query_lists(Workspace(folder=tmp_path), [path], QUICK, vectors=[tmp_path / "vectors.npz"])
    expected = json.loads((SHARED / "reference/expected.json").read_text())[name]
    (measured,) = report.outcome.measurements
    assert next(iter(measured.values.values())).value == pytest.approx(expected["value"], abs=1e-6)
    assert measured.trials == expected["trials"]
