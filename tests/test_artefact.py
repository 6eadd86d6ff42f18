import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vfsearch.artefact import Artefact, exists, read_artefact, require_replaceable
from vfsearch.errors import ArtefactError, DamagedError


def make(folder, **more) -> Artefact:
    artefact = Artefact(folder=folder, kind="store", schema=1, about={"spaces": {"é": 1e-05}, **more})
    artefact.add("a.h5", b"aaaa", rows=3)
    artefact.add("b.csv", b"bb")
    artefact.write()
    return artefact


def read(folder):
    return read_artefact(folder, "store", 1, "vfsearch embed")


def test_written_and_read(tmp_path):
    made, found = make(tmp_path), read(tmp_path)
    assert found == made and found.seal == made.seal and exists(tmp_path)
    assert found.files["a.h5"] == {"size": 4, "sha256": found.files["a.h5"]["sha256"], "rows": 3}
    assert found.read("a.h5") == b"aaaa" and found.checked_path("b.csv").read_bytes() == b"bb"
    found.verify()
    assert found.seal != make(tmp_path, other=1).seal


def test_what_is_not_listed_does_not_exist(tmp_path):
    make(tmp_path)
    (tmp_path / "c.h5").write_bytes(b"cccc")
    for ask in (Artefact.read, Artefact.checked_path):
        with pytest.raises(ArtefactError, match=r"has no file c\.h5: it holds \['a\.h5', 'b\.csv'\]"):
            ask(read(tmp_path), "c.h5")


def test_a_file_without_manifest_does_not_exist(tmp_path):
    Artefact(folder=tmp_path, kind="store", schema=1, about={}).add("a.h5", b"a")
    assert not exists(tmp_path)
    with pytest.raises(ArtefactError, match=r"no store at .*MANIFEST\.json does not exist; make it with `vfsearch emb"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (b"aaab", r"a\.h5 is damaged: its SHA-256 is [0-9a-f]{12}\.\.\., 61be55a8e2f6\.\.\. was written; restore it"),
        (
            b"aaa",
            r"a\.h5 is damaged: 3 bytes, 4 were written; restore it from a copy, or remove .* make the store anew",
        ),
        (None, r"a\.h5: No such file or directory; make the store anew"),
    ],
)
def test_damaged_files(tmp_path, data, wanted):
    artefact = make(tmp_path)
    (tmp_path / "a.h5").unlink() if data is None else (tmp_path / "a.h5").write_bytes(data)
    for ask in (lambda: artefact.read("a.h5"), lambda: artefact.checked_path("a.h5"), artefact.verify):
        with pytest.raises(ArtefactError, match=wanted):
            ask()


def test_every_flipped_bit_of_a_manifest(tmp_path):
    make(tmp_path)
    good = (tmp_path / "MANIFEST.json").read_bytes()
    for at in range(8 * len(good)):
        bad = bytearray(good)
        bad[at // 8] ^= 1 << at % 8
        (tmp_path / "MANIFEST.json").write_bytes(bad)
        with pytest.raises(DamagedError, match=r"MANIFEST\.json is damaged: its digest does not fit its content"):
            read(tmp_path)


SPELLINGS = {
    "compact": lambda text: json.dumps(json.loads(text)).encode(),
    "no final newline": lambda text: text[:-1],
    "another case of an escape": lambda text: text.replace(b"\\u00e9", b"\\u00E9"),
    "another exponent": lambda text: text.replace(b"1e-05", b"1E-05"),
    "a name twice": lambda text: text.replace(b'"schema": 1', b'"schema": 1,\n "schema": 1'),
    "one more name": lambda text: text.replace(b'"schema": 1', b'"schema": 1,\n "more": 1'),
    "empty": lambda text: b"",
    "a list": lambda text: b"[]\n",
    "a number": lambda text: b"1\n",
    "deep": lambda text: b"[" * 100_000,
    "files is a list": lambda text: text.replace(b'"files": {', b'"files": [{'),
    "no text": lambda text: b"\xff\xfe\x00",
}


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
def test_other_spellings_of_a_manifest(tmp_path, spell):
    make(tmp_path)
    path = tmp_path / "MANIFEST.json"
    changed = spell(path.read_bytes())
    assert changed != path.read_bytes()
    path.write_bytes(changed)
    with pytest.raises(DamagedError, match="is damaged"):
        read(tmp_path)


@settings(deadline=None, max_examples=40)
@given(st.binary(max_size=200))
def test_any_bytes_as_a_manifest(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp()
    (folder / "MANIFEST.json").write_bytes(data)
    with pytest.raises(DamagedError):
        read(folder)


def test_kind_and_schema(tmp_path):
    make(tmp_path)
    with pytest.raises(ArtefactError, match="is a store, not a model; name the folder of a model"):
        read_artefact(tmp_path, "model", 1, "vfsearch train")
    with pytest.raises(ArtefactError, match="has layout version 1, this vfsearch reads version 2; make it anew with"):
        read_artefact(tmp_path, "store", 2, "x")


def test_leftovers_go_and_other_files_stay(tmp_path):
    artefact = make(tmp_path)
    for name in ("c.h5", "c.txt", ".vfsearch.01234567.partial"):
        (tmp_path / name).touch()
    artefact.remove_unlisted(r".\.h5")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["MANIFEST.json", "a.h5", "b.csv", "c.txt"]


@pytest.mark.parametrize("there", ["", "model", "not json", "[1]"])
def test_what_may_be_replaced(tmp_path, there):
    if there == "model":
        Artefact(folder=tmp_path, kind="model", schema=1, about={}).write()
    elif there:
        (tmp_path / "MANIFEST.json").write_text(there)
    require_replaceable(tmp_path, "model")
    if there == "model":
        with pytest.raises(ArtefactError, match="is a model, which a store does not replace; give --out another"):
            require_replaceable(tmp_path, "store")
