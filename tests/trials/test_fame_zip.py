import io
import zipfile

import pytest
from trials.examples import FAME_SCORES
from trials.rows import pairs, read, rows

from vfsearch.errors import TrialListError
from vfsearch.trials import fame_zip
from vfsearch.trials.fame_zip import Part, part_of, read_submission, submission

FOUR = [
    Part(language=language, heard=heard, version="v1") for language in ("English", "Urdu") for heard in (False, True)
]


def zip_of(folder, files, packing=zipfile.ZIP_DEFLATED):
    path = folder / "submission.zip"
    with zipfile.ZipFile(path, "w", packing) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_what_is_written_is_read(tmp_path):
    trials = read(tmp_path, "fame-scores", FAME_SCORES)
    data = submission(dict.fromkeys(FOUR, trials))
    (tmp_path / "s.zip").write_bytes(data)
    found = read_submission(tmp_path / "s.zip")
    assert list(found) == sorted(FOUR)
    assert all(rows(each) == rows(trials) for each in found.values())
    assert submission(found) == data
    assert zipfile.ZipFile(io.BytesIO(data)).namelist() == [part.file_name for part in sorted(FOUR)]


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("sub_score_v1_Urdu_unheard.txt", Part(language="Urdu", heard=False, version="v1")),
        ("sub_scores_English_heard.txt", Part(language="English", heard=True)),
        ("sub_score_English_heard.txt", Part(language="English", heard=True)),
        ("readme.txt", None),
        ("sub_score_English.txt", None),
    ],
)
def test_names_of_files(name, part):
    assert part_of(name) == part


def test_folders_and_other_files_do_not_matter(tmp_path):
    files = {f"mine/{part.file_name}": FAME_SCORES for part in FOUR}
    path = zip_of(tmp_path, {**files, "readme.txt": "x", f"__MACOSX/mine/{FOUR[0].file_name}": b"\0"})
    found = read_submission(path)
    assert found[FOUR[0]].where.endswith("submission.zip/mine/sub_score_v1_English_unheard.txt")


def test_a_bad_line_names_the_file_in_the_zip(tmp_path):
    files = {part.file_name: FAME_SCORES for part in FOUR}
    path = zip_of(tmp_path, {**files, FOUR[3].file_name: FAME_SCORES + b"a b c\n"})
    with pytest.raises(TrialListError, match=r"submission.zip/sub_score_v1_Urdu_heard.txt, line 4: wanted a key"):
        [rows(trials) for trials in read_submission(path).values()]


@pytest.mark.parametrize(
    "names",
    [
        [],
        [part.file_name for part in FOUR[:3]],
        [*(part.file_name for part in FOUR[:3]), "sub_score_v1_Hindi_heard.txt"],
        [*(part.file_name for part in FOUR), "sub_score_v1_Hindi_heard.txt"],
        [*(part.file_name for part in FOUR[:3]), "sub_score_English_heard.txt"],
    ],
)
def test_four_files_are_wanted(tmp_path, names):
    with pytest.raises(TrialListError, match="wanted 4 score files, of two languages, heard and unheard each"):
        read_submission(zip_of(tmp_path, dict.fromkeys(names, FAME_SCORES)))


def test_two_files_of_one_part(tmp_path):
    names = [*(part.file_name for part in FOUR), f"again/{FOUR[0].file_name}"]
    with pytest.raises(TrialListError, match=r"has two files sub_score_v1_English_unheard.txt"):
        read_submission(zip_of(tmp_path, dict.fromkeys(names, FAME_SCORES)))


def test_what_is_no_zip(tmp_path):
    (tmp_path / "a.zip").write_bytes(FAME_SCORES)
    with pytest.raises(TrialListError, match=r"cannot read .*a.zip: File is not a zip file"):
        read_submission(tmp_path / "a.zip")
    with pytest.raises(TrialListError, match=r"cannot read .*b.zip: No such file or directory"):
        read_submission(tmp_path / "b.zip")


def test_a_damaged_file_in_a_zip(tmp_path):
    path = zip_of(tmp_path, dict.fromkeys((part.file_name for part in FOUR), FAME_SCORES), zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"0.9988", b"0.9989", 1))
    with pytest.raises(TrialListError, match="Bad CRC-32"):
        read_submission(path)


def test_zips_that_unfold_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(fame_zip, "LARGEST_PART", 1000)
    names = [part.file_name for part in FOUR]
    with pytest.raises(TrialListError, match="has more than 1,000 bytes unpacked"):
        read_submission(zip_of(tmp_path, dict.fromkeys(names, b"a 0.5\n" * 1000)))
    with pytest.raises(TrialListError, match="is packed in an unusual way; pack it anew with deflate"):
        read_submission(zip_of(tmp_path, dict.fromkeys(names, FAME_SCORES), zipfile.ZIP_BZIP2))


def test_what_cannot_be_handed_in(tmp_path):
    trials = read(tmp_path, "fame-scores", FAME_SCORES)
    with pytest.raises(TrialListError, match="the submission: wanted 4 score files"):
        submission(dict.fromkeys(FOUR[:2], trials))
    with pytest.raises(TrialListError, match="made cannot be written as fame-scores: its lines need a key"):
        submission(dict.fromkeys(FOUR, pairs([("a", "b", -1, 0.5)])))
