"""The fuzz makes 2,000 random changes; VFSEARCH_LONG_TESTS=1: 20,000 a format."""

import json
import random

import pytest
from builders import rounds
from hypothesis import given, settings
from hypothesis import strategies as st

from vfsearch.data.manifest import LONGEST_TEXT, Item, Manifest, read_manifest, rows_digest, write_manifest
from vfsearch.errors import InputError, ManifestError
from vfsearch.files import digest

HEADER = "path,modality,identity\n"
GOOD = HEADER + "a.wav,voice,Ann\nb.png,face,Bob\n"
UNUSUAL_BUT_GOOD = {
    "byte order mark": b"\xef\xbb\xbf" + GOOD.encode(),
    "carriage returns": GOOD.replace("\n", "\r\n").encode(),
    "old carriage returns": GOOD.replace("\n", "\r").encode(),
    "no final newline": GOOD.rstrip("\n").encode(),
    "blank lines": GOOD.replace("\n", "\n\n").encode(),
    "lines of commas": (GOOD + ",,\n,,\n").encode(),
    "blanks around names": b" path , modality,identity \na.wav, voice ,Ann\nb.png,face , Bob\n",
    "other order": b"identity,path,modality\nAnn,a.wav,voice\nBob,b.png,face\n",
    "quoted": b'"path","modality","identity"\n"a.wav","voice","Ann"\n"b.png","face","Bob"\n',
}


def read(tmp_path, data, name="manifest.csv"):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode("utf-8", "surrogateescape"))
    return read_manifest(path)


def rows(manifest):
    return [(item.id, item.path, item.modality, item.identity) for item in manifest]


@pytest.mark.parametrize("data", UNUSUAL_BUT_GOOD.values(), ids=UNUSUAL_BUT_GOOD)
def test_spellings_of_one_list(tmp_path, data):
    assert rows(read(tmp_path, data)) == [("a.wav", "a.wav", "voice", "Ann"), ("b.png", "b.png", "face", "Bob")]


def test_every_column(tmp_path):
    manifest = read(
        tmp_path,
        "id,path,modality,identity,start_seconds,end_seconds,split,née,\n"
        '1,"a, b/""c"".wav",voice,Ann, 0.5 ,2,test,"two\nlines",x\n2,b.png,face,Ann,,,,,\n',
    )
    first, second = manifest
    assert first == Item(
        id="1", path='a, b/"c".wav', modality="voice", identity="Ann", start_seconds=0.5, end_seconds=2.0,
        columns={"split": "test", "née": "two\nlines", "": "x"},
    )  # fmt: skip
    assert second.start_seconds is None and second.columns == {"split": "", "née": "", "": ""}
    assert manifest.splits() == ("", "test")
    assert rows(manifest.select("face")) == rows([second]) and rows(manifest.select(split="test")) == rows([first])
    assert manifest.media_path(second) == tmp_path / "b.png"


@pytest.mark.parametrize("name", ["m.jsonl", "m.NDJSON"])
def test_json_lines(tmp_path, name):
    text = (
        '\ufeff{"path": "a.wav", "modality": "voice", "identity": 7, "end_seconds": 1.5, "gender": null}\r\n\n'
        '{"identity": "Bob\u2028", "path": "b.png", "modality": "face", "id": "x", "known": true}'
    )
    first, second = read(tmp_path, text.encode(), name)
    assert (first.identity, first.end_seconds, first.columns) == ("7", 1.5, {"gender": ""})
    assert (second.id, second.identity, second.columns) == ("x", "Bob", {"known": "True"})


def test_bytes_of_a_file_name_that_are_no_text(tmp_path):
    (tmp_path / "caf\udce9.wav").write_bytes(b"1")
    (item,) = read(tmp_path, HEADER.encode() + b"caf\xe9.wav,voice,Ann\n")
    assert Manifest([item], tmp_path).media_path(item).read_bytes() == b"1"


def line(path="a.wav", modality="voice", identity="Ann", **more):
    return json.dumps({"path": path, "modality": modality, "identity": identity, **more})


BAD_CSV = {
    "empty": ("", "line 1: no column path, modality, identity; got nothing"),
    "only a header": (HEADER, "has no rows: it must list at least one media file"),
    "no identity column": ("path,modality\na,voice\n", "line 1: no column identity; got path, modality"),
    "semicolons": (GOOD.replace(",", ";"), "no column path, modality, identity; got path;modality;identity"),
    "column twice": ("path,modality,identity,path\n", "line 1: a column is named twice"),
    "too few fields": (HEADER + "a.wav,voice\n", "line 2: 2 fields, the header names 3"),
    "too many fields": (
        HEADER + "a,b.wav,voice,Ann\n",
        "line 2: 4 fields, the header names 3; put a value with a comma",
    ),
    "modality": (HEADER + "a.wav,sound,Ann\n", "line 2: the modality is 'sound', it must be voice or face"),
    "no path": (HEADER + ",voice,Ann\n", "line 2: the path is empty"),
    "no identity": (HEADER + "a.wav,voice, \n", "line 2: the identity is empty"),
    "same path twice": (GOOD + "a.wav,face,Ann\n", "rows 1 and 3 have the same id 'a.wav'; give each row its own `id`"),
    "open quote": (GOOD + '"a.wav,voice,Ann\n', "no valid CSV: unexpected end of data"),
    "text after a quote": (GOOD + '"c"d,voice,Ann\n', "line 4: no valid CSV: "),
    "huge field": (HEADER + "a" * 140_000 + ",voice,Ann\n", "line 2: no valid CSV: field larger than field limit"),
    "NUL": (GOOD + "a\0,voice,Ann\n", "is no text file: it holds NUL characters"),
    "UTF-16": (GOOD.encode("utf-16"), "is no text file: it holds NUL characters"),
    "a picture": (b"\x89PNG\r\n\x1a\n\x01\x02\x03\xff", "no column path, modality, identity"),
}
SECONDS = {
    "x,1": "start_seconds is 'x', it must be a number of seconds",
    "nan,1": "start_seconds is 'nan'",
    "1,inf": "end_seconds is 'inf'",
    "1,1e999": "end_seconds is '1e999'",
    "-1,1": "start_seconds -1 and end_seconds 1 leave nothing: want 0 <= start < end",
    "2,2": "start_seconds 2 and end_seconds 2 leave nothing",
    ",0": "start_seconds 0 and end_seconds 0 leave nothing",
}
BAD_JSON = {
    "no JSON": ("{", "line 1: no valid JSON"),
    "a list": (line() + "\n[1]\n", "line 2: a list, it must be one JSON object a line"),
    "missing": ('{"path": "a"}', "line 1: no column modality, identity; got path"),
    "a list inside": (line(gender=["f"]), "gender is a list, it must be a text or a number"),
    "deep": ("[" * 100_000, "line 1: no valid JSON"),
    "long number": (line(age=0).replace("0", "9" * 5000), "line 1: no valid JSON"),
    "NUL": (line(identity="a\0"), "line 1: the value or the name of 'identity' holds a NUL character"),
    "NUL in a name": (line(**{"a\0": "1"}), "'a\\x00' holds a NUL character"),
    "surrogate": (line(split="\ud800"), "'split' holds half of a surrogate pair"),
    "long text": (line(note="x" * (LONGEST_TEXT + 1)), "'note' has 131073 characters, the most is 131072"),
    "null path": (line(path=None), "line 1: the path is empty"),
    "CSV": (GOOD, "line 1: no valid JSON"),
}


@pytest.mark.parametrize(("data", "wanted"), BAD_CSV.values(), ids=BAD_CSV)
def test_bad_csv(tmp_path, data, wanted):
    with pytest.raises(ManifestError) as error:
        read(tmp_path, data)
    assert wanted in str(error.value) and str(tmp_path / "manifest.csv") in str(error.value)
    assert error.value.exit_code == 3


@pytest.mark.parametrize(("fields", "wanted"), SECONDS.items())
def test_bad_seconds(tmp_path, fields, wanted):
    with pytest.raises(ManifestError) as error:
        read(tmp_path, f"path,modality,identity,start_seconds,end_seconds\na.wav,voice,Ann,{fields}\n")
    assert "line 2: " + wanted in str(error.value)


@pytest.mark.parametrize(("data", "wanted"), BAD_JSON.values(), ids=BAD_JSON)
def test_bad_json_lines(tmp_path, data, wanted):
    with pytest.raises(ManifestError) as error:
        read(tmp_path, data, "manifest.jsonl")
    assert wanted in str(error.value) and str(tmp_path / "manifest.jsonl") in str(error.value)


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(InputError, match=r"cannot read the manifest .*none\.csv: No such file"):
        read_manifest(tmp_path / "none.csv")
    with pytest.raises(InputError, match=r"cannot read the manifest .*: Is a directory"):
        read_manifest(tmp_path)


def test_the_digest_is_of_every_row_in_order(tmp_path):
    digests = {
        read(tmp_path, data).digest()
        for data in (
            GOOD,
            HEADER + "b.png,face,Bob\na.wav,voice,Ann\n",
            GOOD.replace("Ann", "Anne"),
            GOOD.replace("a.wav", "c.wav"),
            GOOD.replace("identity\n", "identity,split\n").replace("Ann", "Ann,x").replace("Bob", "Bob,x"),
        )
    }
    assert len(digests) == 5
    assert {read(tmp_path, data).digest() for data in UNUSUAL_BUT_GOOD.values()} == {read(tmp_path, GOOD).digest()}


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)
names = texts.filter(lambda name: name.strip() == name and name)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(texts, names, texts), min_size=1, max_size=5, unique_by=lambda row: row[0]))
def test_what_is_written_as_json_lines_is_read_back(tmp_path_factory, listed):
    text = "".join(line(path, "face", identity, colour=colour) + "\n" for path, identity, colour in listed)
    manifest = read(tmp_path_factory.getbasetemp(), text, "round.jsonl")
    assert [(item.path, item.identity, item.columns["colour"]) for item in manifest] == listed


def mutated(data: bytes, random_: random.Random) -> bytes:
    data = bytearray(data)
    for _ in range(random_.randint(1, 4)):
        at, end = sorted(random_.randrange(len(data) + 1) for _ in range(2))
        special = random_.choice([b"\0", b'"', b"\n", b"\r", b",", b"\xff", b"\\", b"{", b"\\ud800", b"nan", b"1e999"])
        data = random_.choice([
            data[:at] + special + data[at:],
            data[:at] + data[end:],
            data[:end] + data[at:],
            data[:at] + bytes([random_.randrange(256)]) + data[at + 1 :],
        ]) or bytearray(b" ")  # fmt: skip
    return bytes(data)


@pytest.mark.parametrize("name", ["fuzz.csv", "fuzz.jsonl"])
def test_random_changes_raise_nothing_else(tmp_path, name):
    good = 'id,path,modality,identity,start_seconds,split\n1,"a,b.wav",voice,Ann,0.5,x\n2,é.png,face,Bob,,y\n'
    if name.endswith("jsonl"):
        good = line(start_seconds=0.5, split="x") + "\n" + line("é.png", "face", id="2") + "\n"
    random_, read_well = random.Random(3), 0
    for _ in range(rounds(2_000, 20_000)):
        try:
            read_well += len(read(tmp_path, mutated(good.encode(), random_), name)) > 0
        except InputError as error:
            assert str(tmp_path / name) in str(error)
    assert read_well


def test_what_is_written_is_read(tmp_path):
    items = [
        Item(id="a,b.wav", path="a,b.wav", modality="voice", identity='A "x"', columns={"gender": "f"}),
        Item(id="two", path="caf\udce9\n.png", modality="face", identity="B", columns={"age": "3", "gender": ""}),
        Item(id="c", path="c", modality="voice", identity="C", start_seconds=0.1, end_seconds=1 / 3),
    ]
    write_manifest(tmp_path / "m.csv", iter(items))
    read = read_manifest(tmp_path / "m.csv")
    assert [(item.id, item.path, item.identity, item.start_seconds, item.end_seconds) for item in read] == [
        (item.id, item.path, item.identity, item.start_seconds, item.end_seconds) for item in items
    ]
    assert [item.columns for item in read] == [
        {"gender": "f", "age": ""}, {"gender": "", "age": "3"}, {"gender": "", "age": ""}
    ]  # fmt: skip
    write_manifest(tmp_path / "plain.csv", [Item(id="a", path="a", modality="voice", identity="A")])
    assert (tmp_path / "plain.csv").read_bytes() == b"path,modality,identity\na,voice,A\n"


def test_rows_that_agree_share_their_columns(tmp_path):
    lines = [f"{row}.wav,voice,p{row % 2},{'mf'[row % 2]}" for row in range(10_000)]
    (tmp_path / "m.csv").write_text("\n".join(["path,modality,identity,gender", *lines]))
    read = read_manifest(tmp_path / "m.csv")
    assert len({id(item.columns) for item in read}) == len({id(item.identity) for item in read}) == 2
    assert all(item.id is item.path for item in read)


def test_the_digest_is_that_of_the_whole_list(tmp_path):
    items = [
        Item(id=str(n), path=f"{n}.wav", modality="voice", identity="p", columns={"b": "1", "a": "é"})
        for n in range(9000)
    ]
    whole = [[i.id, i.path, i.modality, i.identity, None, None, {"a": "é", "b": "1"}] for i in items]
    for count in (0, 1, 4096, 4097, 9000):
        assert rows_digest(items[:count]) == digest(whole[:count])
