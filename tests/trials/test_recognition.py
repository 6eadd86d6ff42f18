import dataclasses
import gzip

import pytest
from trials.examples import ALL, EXAMPLES, KALDI_SCORES, VOXCELEB
from trials.rows import pairs, rows, sides, written

from vfsearch.errors import TrialListError
from vfsearch.trials.formats.catalog import FORMATS, load_format, open_trials, recognise
from vfsearch.trials.formats.lines import read_head


def content(trials):
    return sides(trials) if trials.kind == "retrieval" else rows(trials)


def variants(data):
    """The same list as other programs would have written it."""
    crlf = data.replace(b"\n", b"\r\n")
    yield "gzipped", gzip.compress(data, mtime=0)
    yield "CRLF", crlf
    yield "no last newline", data.removesuffix(b"\n")
    yield "blank lines", data.replace(b"\n", b"\n\n  \n")
    if b"\t" not in data and b"," not in data:
        yield "doubled spaces", data.replace(b" ", b"  ")
    yield "a byte-order mark", b"\xef\xbb\xbf" + data
    yield "all of it", gzip.compress(b"\xef\xbb\xbf" + crlf + b"\r\n", mtime=0)


@pytest.mark.parametrize("example", ALL)
def test_each_example_is_what_it_is_and_nothing_else(tmp_path, example):
    name, file, data = ALL[example]
    path = tmp_path / file
    path.write_bytes(data)
    assert recognise(path)[0] == name
    sure = {each: load_format(each).recognise(read_head(path)) for each in FORMATS.entries()}
    assert all(certainty < sure[name] for each, certainty in sure.items() if each != name), sure


@pytest.mark.parametrize("example", ALL)
def test_the_name_of_the_file_is_not_needed(tmp_path, example):
    name, _, data = ALL[example]
    path = tmp_path / "file"
    path.write_bytes(data)
    assert recognise(path)[0] == name


# Pickles are no text; a table of CMPC wants its other half beside it; names made from line numbers change with them.
@pytest.mark.parametrize(
    "example", [each for each in ALL if not each.startswith("vfal") and each not in ("cmpc-retrieval", "kaldi-eer")]
)
def test_however_it_was_written(tmp_path, example):
    name, file, data = ALL[example]
    plain = tmp_path / file
    plain.write_bytes(data)
    for how, other in variants(data):
        path = tmp_path / f"{file}.gz" if how == "gzipped" else plain
        path.write_bytes(other)
        assert recognise(path)[0] == name, how
        plain.write_bytes(data)
        expected = content(open_trials(plain))
        path.write_bytes(other)
        assert content(open_trials(path)) == expected, how


@pytest.mark.parametrize(
    "format", ["voxceleb", "voxsrc", "kaldi", "wespeaker", "speechbrain", "voices", "bob5", "fame-list"]
)
@pytest.mark.parametrize("count", [1, 2, 5])
def test_voices_against_faces(tmp_path, format, count):
    made = [(f"id1/{row}.wav", f"Ann/{row % 2}.jpg", row % 2, row - 0.5) for row in range(count)]
    owners = {"id1": "Ann"}
    trials = pairs(
        made, identities=lambda name: owners.get(name[:3], name[:3]), extra={"key": ["x1", "y2", "z3", "4", "5"]}
    )
    if format in ("voxceleb", "kaldi", "voices"):
        trials = dataclasses.replace(trials, scored=False)
    if format == "bob5":
        trials = dataclasses.replace(
            trials,
            blocks=lambda: pairs([(*row[:2], 1, row[3]) for row in made]).blocks(),
            identities=lambda name: "Ann",
        )
    if format == "fame-list":
        trials = dataclasses.replace(trials, scored=False, labelled=False)
    path = tmp_path / "file"
    path.write_bytes(written(format, trials))
    assert recognise(path)[0] == format


def test_lines_that_could_be_of_two_formats_name_both(tmp_path):
    path = tmp_path / "scores"
    path.write_bytes(b"1 10 20\n0 11 21\n")
    with pytest.raises(TrialListError, match="may be of the format voxceleb or kaldi; say which with --format"):
        open_trials(path)
    assert open_trials(path, "kaldi").scored and open_trials(path, "voxceleb").labelled


@pytest.mark.parametrize("data", [b"", b"\n\n", b"one\ntwo\n", b"1 2 3 4 5 6 7\n", b"\0\1\2", b"PK\3\4"])
def test_a_file_of_no_known_format(tmp_path, data):
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(TrialListError, match="is of no known format; name it with --format, one of vfsearch"):
        open_trials(path)


def test_a_bad_line_does_not_hide_what_the_file_is(tmp_path):
    for data, name in ((VOXCELEB + b"maybe a b\n", "voxceleb"), (KALDI_SCORES + b"a b c\n", "kaldi")):
        path = tmp_path / "file"
        path.write_bytes(data)
        assert recognise(path) == (name, 2)
        with pytest.raises(TrialListError, match="file, line 4: wanted"):
            list(open_trials(path).blocks())


def test_there_is_an_example_of_each_format():
    assert {name for name, _, _ in ALL.values()} >= set(FORMATS.entries()) - {"vfal-eva-f2v", "pyeer"}
    assert len(EXAMPLES) > 20
