import gzip

import pytest
from trials.rows import pairs, rows

from vfsearch.errors import TrialListError, UnknownNameError
from vfsearch.trials.formats.base import Format
from vfsearch.trials.formats.catalog import CERTAINTIES, FORMATS, formats_for, load_format, open_trials, recognise
from vfsearch.trials.formats.own import Own


def test_every_format_says_what_it_is():
    for name in FORMATS.entries():
        format = load_format(name)
        assert isinstance(format, Format) and format.name == name
        assert format.summary and format.source and format.kinds and format.suffix.startswith(".")


def test_an_unknown_name_lists_the_known_ones(tmp_path):
    with pytest.raises(UnknownNameError, match=r"no format of trials is named 'nothing'; known: .*wen2021"):
        open_trials(tmp_path / "list", "nothing")


def test_a_format_of_ones_own_needs_no_registration():
    assert isinstance(load_format("vfsearch.trials.formats.own:Own"), Own)
    with pytest.raises(UnknownNameError, match="'os:path' is no format of trials: wanted a subclass of"):
        load_format("os:path")


def test_the_surest_format_wins(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("1 a/1.wav b/1.wav\n0 a/1.wav c/1.wav\n")
    name, certainty = recognise(path)
    assert name == "voxceleb" and CERTAINTIES[certainty] == "typical content"


class Sure(Format):
    """Holds anything that begins with `sure`."""

    name, summary, kinds, source = "sure", "anything", ("verification",), "this test"

    def recognise(self, head):
        return 3 if head.data.startswith(b"sure") else 0

    def read(self, path):
        return pairs([("a", "b", 1, None)])


def test_equally_sure_formats_are_named(tmp_path, monkeypatch):
    path = tmp_path / "list"
    path.write_text("sure\n")
    monkeypatch.setattr("vfsearch.trials.formats.catalog._every_format", lambda: {"one": Sure(), "two": Sure()})
    with pytest.raises(TrialListError, match="may be of the format one or two; say which with --format one"):
        recognise(path)


@pytest.mark.parametrize("text", ["", "\n \n", "Prose\nhas lines of all lengths.\n"])
def test_what_nothing_recognises(tmp_path, text):
    path = tmp_path / "list"
    path.write_text(text)
    with pytest.raises(TrialListError, match="is of no known format; name it with --format, one of vfsearch, wen2021"):
        open_trials(path)


def test_gzipped_or_not(tmp_path):
    text = b"id1/v/1.wav A/1.jpg B/2.jpg\n"
    for name, data in (
        ("plain.txt", text),
        ("packed.txt.gz", gzip.compress(text, mtime=0)),
        ("packed.txt", gzip.compress(text, mtime=0)),
    ):
        (tmp_path / name).write_bytes(data)
        found = open_trials(tmp_path / name)
        assert (found.format, rows(found)) == ("wen2021", [("id1/v/1.wav", ("A/1.jpg", "B/2.jpg"), 1, ())])


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir()])
def test_no_file(tmp_path, make):
    make(tmp_path / "list")
    with pytest.raises(TrialListError, match=r"cannot read .*list"):
        open_trials(tmp_path / "list")


def test_formats_that_hold_a_list():
    scored = pairs([("a", "b", 1, 0.5)])
    assert {"vfsearch", "wespeaker", "speechbrain"} <= set(formats_for(scored))
    assert not {"wen2021", "trec-run", "cmpc-matching"} & set(formats_for(scored))


def test_what_cannot_be_held_is_said():
    with pytest.raises(TrialListError, match="made cannot be written as cmpc-matching: it holds lists of matching"):
        load_format("cmpc-matching").write(pairs([("a", "b", 1, None)]))
    with pytest.raises(TrialListError, match=r"no place for scores .*--drop scores"):
        load_format("wen2021").write(pairs([("a", "b", -1, 0.5)]))
    with pytest.raises(TrialListError, match="it is only read"):
        Sure().require_holds(pairs([("a", "b", 1, None)]))
