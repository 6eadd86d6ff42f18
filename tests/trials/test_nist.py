import pytest
from trials.examples import NIST_FACES, NIST_KEY, NIST_OUTPUT, NIST_TRIALS
from trials.rows import extra, pairs, read, rows, written

from vfsearch.errors import TrialListError
from vfsearch.trials.formats.catalog import load_format
from vfsearch.trials.formats.lines import read_head
from vfsearch.trials.formats.nist import read_enrolment


def test_trials_keys_and_outputs(tmp_path):
    for data, labels, scores in (
        (NIST_TRIALS, (-1, -1), ((), ())), (NIST_KEY, (1, 0), ((), ())), (NIST_OUTPUT, (-1, -1), ((-2.31,), (4.5,))),
    ):  # fmt: skip
        trials = read(tmp_path, "nist", data)
        expected = zip(("1001_sre16", "1002_sre16"), labels, scores, strict=True)
        assert rows(trials) == [(model, ("abcd_sre16.sph",), label, score) for model, label, score in expected]
        assert [list(block.lines) for block in trials.blocks()] == [[2, 3]]
        assert written("nist", trials) == data


def test_further_columns_are_kept(tmp_path):
    kept = extra(read(tmp_path, "nist", NIST_KEY))
    assert kept == {"side": ["a", "a"], "gender": ["female"] * 2, "num_enroll_segs": ["3", "1"]}


def test_faces_against_video(tmp_path):
    trials = read(tmp_path, "nist", NIST_FACES)
    assert rows(trials)[0][:2] == ("face1.jpg", ("clip1.mp4",))
    assert written("nist", trials) == NIST_FACES


def test_names_with_blanks(tmp_path):
    data = b"modelid\tsegmentid\nmodel one\tseg ment\n"
    assert rows(read(tmp_path, "nist", data))[0][:2] == ("model one", ("seg ment",))


def test_lists_of_others_get_the_usual_columns():
    trials = pairs([("a", "b", 1, 0.5), ("a", "c", 0, -0.5)])
    files = {name: b"".join(pieces) for name, pieces in load_format("nist").files(trials, "list").items()}
    assert files == {
        "list.tsv": b"modelid\tsegmentid\tside\tLLR\na\tb\ta\t0.5\na\tc\ta\t-0.5\n",
        "list_labels.tsv": b"modelid\tsegmentid\tside\ttargettype\na\tb\ta\ttarget\na\tc\ta\tnontarget\n",
    }


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (NIST_KEY + b"a\tb\ta\tmaybe\tf\t1\n", "line 4: wanted as many fields parted by tabs as the header, target or"),
        (NIST_OUTPUT + b"a\tb\ta\n", "line 4: wanted as many fields"),
        (NIST_OUTPUT + b"a\tb\ta\tNaN\n", "line 4: wanted as many fields .* a number as LLR"),
        (NIST_OUTPUT + b"\tb\ta\t1\n", "line 4: .*none of the names empty"),
        (b"a\tb\n", "line 1: wanted a header that begins with modelid"),
        (b"modelid\tsegmentid\tsegmentid\n", "line 1: wanted a header .*no column twice"),
        (b"", "line 1: wanted a header"),
    ],
)
def test_bad_lines_are_named(tmp_path, data, said):
    with pytest.raises(TrialListError, match=said):
        list(read(tmp_path, "nist", data).blocks())


def test_enrolment_tables(tmp_path):
    path = tmp_path / "sre16_eval_enrollment.tsv"
    path.write_bytes(b"modelid\tsegmentid\tside\nm1\ts1\ta\nm1\ts2\ta\nm2\ts3\ta\n")
    assert read_enrolment(path) == {"m1": ["s1", "s2"], "m2": ["s3"]}
    assert load_format("nist").recognise(read_head(path)) == 0
    path.write_bytes(b"modelid\tsegmentid\tside\nm1\ts1\n")
    with pytest.raises(TrialListError, match="line 2: wanted as many fields parted by tabs as the header"):
        read_enrolment(path)


def test_names_with_tabs_cannot_be_written():
    with pytest.raises(TrialListError, match=r"cannot be written as nist: the name 'a\\tb'"):
        written("nist", pairs([("a\tb", "c", 1, None)]))
