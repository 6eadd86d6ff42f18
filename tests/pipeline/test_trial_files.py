import pytest

from vfsearch.errors import SettingsError, TrialListError, UnknownNameError
from vfsearch.pipeline.trial_files import Conversion, convert, file_info, format_facts
from vfsearch.trials.fame_zip import read_submission
from vfsearch.trials.formats.catalog import FORMATS

VERIFY = "id1/v/1.wav Amy/1.jpg\nid1/v/1.wav Bob/1.jpg\n"
TABLE = "VoxCeleb1_ID,VGGFace1_ID\nid1,Amy\nid2,Bob\n"
SCORES = "a b 0.5 target\na c 0.25 nontarget\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "verify_x.txt").write_text(VERIFY)
    (tmp_path / "people.csv").write_text(TABLE)
    (tmp_path / "scores").write_text(SCORES)
    return tmp_path


def converted(folder, name, to, **more):
    out = folder / f"out-{name}"
    found = convert([folder / name], out, Conversion(to=to, **more))
    assert [each.out for each in found] == [out]
    return out.read_text(), found[0]


def test_labels_are_taken_from_identities(folder):
    text, found = converted(folder, "verify_x.txt", "voxceleb", identities=(folder / "people.csv",))
    assert text == "1 id1/v/1.wav Amy/1.jpg\n0 id1/v/1.wav Bob/1.jpg\n"
    assert (found.format, found.kind, found.trials, found.names) == ("wen2021", "verification", 2, 3)
    assert found.size_bytes == len(text)


def test_and_left_out_again(folder):
    people = (folder / "people.csv",)
    out = folder / "verify_y.txt"
    converted(folder, "verify_x.txt", "voxceleb", identities=people)
    convert([folder / "out-verify_x.txt"], out, Conversion(to="wen2021", format="voxceleb", identities=people))
    assert out.read_text() == VERIFY


def test_an_identity_that_is_not_known(folder):
    (folder / "people.csv").write_text(TABLE.replace("Bob", "Cid"))
    with pytest.raises(TrialListError, match=r"verify_x.txt, line 2: whose 'Bob/1.jpg' is is not known"):
        converted(folder, "verify_x.txt", "voxceleb", identities=(folder / "people.csv",))
    assert not (folder / "out-verify_x.txt").exists()


def test_scores_are_lost_on_request_only(folder):
    with pytest.raises(
        TrialListError, match=r"cannot be written as wen2021: .* formats that hold it: vfsearch, .*kaldi"
    ):
        converted(folder, "scores", "wen2021")
    assert converted(folder, "scores", "wen2021", drop=("scores", "labels"))[0] == "a b\na c\n"
    text, _ = converted(folder, "scores", "vfsearch", drop=("scores",), overwrite=True)
    assert text.splitlines()[1:] == ["probe\titem\tmated", "a\tb\t1", "a\tc\t0"]


def test_what_is_there_is_not_overwritten(folder):
    converted(folder, "scores", "vfsearch")
    with pytest.raises(SettingsError, match=r"out-scores is there already; --overwrite replaces it"):
        converted(folder, "scores", "vfsearch")
    converted(folder, "scores", "vfsearch", overwrite=True)


def test_a_list_may_be_converted_in_place(folder):
    path = folder / "scores"
    convert([path], path, Conversion(to="vfsearch", overwrite=True))
    assert path.read_text().startswith("#vfsearch verification 1 ")


def test_several_lists_go_into_a_folder(folder):
    found = convert([folder / "scores", folder / "verify_x.txt"], folder / "new/lists", Conversion(to="vfsearch"))
    assert [each.out.name for each in found] == ["scores.tsv", "verify_x.tsv"]
    assert all(each.out.parent == folder / "new/lists" and each.out.exists() for each in found)
    (folder / "other").mkdir()
    (folder / "other/scores").write_text(SCORES)
    with pytest.raises(SettingsError, match="several of the lists are called scores"):
        convert([folder / "scores", folder / "other/scores"], folder / "new", Conversion(to="vfsearch"))


RETRIEVAL = "#vfsearch retrieval 1 {}\nside\titem\tidentity\nprobe\tv.wav\tA\ngallery\tf.jpg\tA\ngallery\tg.jpg\tB\n"


def test_a_format_of_two_files_wants_a_folder(folder):
    (folder / "all.tsv").write_text(RETRIEVAL)
    conversion = Conversion(to="cmpc-retrieval")
    with pytest.raises(SettingsError, match=r"is 2 files, wav_all.csv and jpg_all.csv: give --out a folder"):
        convert([folder / "all.tsv"], folder / "out", conversion)
    (folder / "out").mkdir()
    found = convert([folder / "all.tsv"], folder / "out", conversion)
    assert [(each.out.name, each.trials) for each in found] == [("wav_all.csv", 2), ("jpg_all.csv", 2)]
    back = convert([folder / "out/wav_all.csv"], folder / "back.tsv", Conversion(to="vfsearch"))
    assert (folder / "back.tsv").read_text().split("\n")[1:] == RETRIEVAL.split("\n")[1:] and back[0].trials == 2


def test_a_bad_line_leaves_no_file(folder):
    (folder / "scores").write_text(SCORES * 3 + "a b x target\n")
    with pytest.raises(TrialListError, match="scores, line 7"):
        converted(folder, "scores", "vfsearch", format="wespeaker")
    assert not (folder / "out-scores").exists()


def test_bad_settings():
    with pytest.raises(UnknownNameError, match="no format of trials is named 'x'"):
        Conversion(to="x")
    with pytest.raises(UnknownNameError, match="no format of trials is named 'y'"):
        Conversion(to="vfsearch", format="y")
    with pytest.raises(SettingsError, match="cannot drop lines; what can be dropped is scores or labels"):
        Conversion(to="vfsearch", drop=("lines",))


def test_info(folder):
    found = file_info(folder / "verify_x.txt", identities=[folder / "people.csv"], lines=1)
    assert (found.certainty, found.first) == (3, (VERIFY.split("\n")[0],))
    assert (found.description.positives, found.description.identities) == (1, 2)
    assert file_info(folder / "scores", "wespeaker").certainty is None


def test_format_facts():
    found = {each["name"]: each for each in format_facts()}
    assert list(found) == list(FORMATS.entries())
    assert found["vfsearch"]["scores"] == "similarity" and found["fame-scores"]["scores"] == "distance"
    assert not found["wen2021"]["labels"] and found["wen2021"]["written"]


PARTS = [f"sub_score_{language}_{heard}" for language in ("English", "Urdu") for heard in ("heard", "unheard")]


def test_a_submission_of_four_score_files(tmp_path):
    files = [tmp_path / f"{name}.txt" for name in PARTS]
    for number, file in enumerate(files):
        file.write_text(f"k1 0.{number}5\nk2 1.5\n")
    out = tmp_path / "out" / "submission.zip"
    found = convert(files, out, Conversion(to="fame-scores"))
    assert {(each.source, each.out, each.trials) for each in found} == {(file, out, 2) for file in files}
    read = read_submission(out)
    scores = {part.file_name: next(trials.blocks()).scores[:, 0].tolist() for part, trials in read.items()}
    assert scores == {f"{name}.txt": [-float(f"0.{number}5"), -1.5] for number, name in enumerate(PARTS)}
    with pytest.raises(SettingsError, match="is there already; --overwrite"):
        convert(files, out, Conversion(to="fame-scores"))


@pytest.mark.parametrize(
    ("names", "error", "said"),
    [
        (PARTS[:3], TrialListError, "wanted 4 score files, of two languages"),
        ([*PARTS[:3], "other"], SettingsError, r"other\.txt is no part of a submission: wanted lists named sub_score_"),
    ],
)
def test_no_submission(tmp_path, names, error, said):
    files = [tmp_path / f"{name}.txt" for name in names]
    for file in files:
        file.write_text("k1 0.5\nk2 1.5\n")
    with pytest.raises(error, match=said):
        convert(files, tmp_path / "submission.zip", Conversion(to="fame-scores"))
    assert not (tmp_path / "submission.zip").exists()
