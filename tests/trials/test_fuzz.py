"""Whatever bytes a file holds, a reader reads it or says what is wrong; it never fails otherwise, nor fills the memory.

20,000 inputs; 1,000,000 with VFSEARCH_LONG_TESTS=1.
"""

import gzip
import io
import pickletools
import random
import resource
import zipfile

import pytest
from builders import rounds
from trials.examples import ALL, FAME_SCORES

from vfsearch.errors import InputError, TrialListError, VfsearchError
from vfsearch.restricted_pickle import loads
from vfsearch.trials.fame_zip import read_submission
from vfsearch.trials.formats.catalog import FORMATS, load_format, recognise
from vfsearch.trials.formats.lines import read_head

SHORT, LONG = 20_000, 1_000_000
FORMATS_BY_NAME = {name: load_format(name) for name in FORMATS.entries()}
READERS = [*FORMATS_BY_NAME, "fame-zip", "pickle"]
MOST_MEMORY_BYTES = 300 * 2**20
TOKENS = (
    b"nan", b"-nan", b"inf", b"1e999", b"-1e-999", b"1_0", "\u0661".encode(), b"9" * 400, b"0x1p3", b"+1", b"--1",
    b"target", b"NONTARGET", b"tgt", b"imp", b"Q0", b"0", b"1", b"-1", b"?", b" ", b"\t", b"\n", b"\r", b"\r\n", b",",
    b"\0", b"\xff", b"\xc3", b"\xef\xbb\xbf", "\u2028".encode(), "\u00a0".encode(), b"\x1c", b"\\", b"\\u0000", b'"',
    b"{", b"1.",
    b"#vfsearch ", b"matching", b"retrieval 1 {}", b"modelid\tsegmentid\n", b"LLR", b"\x1f\x8b", b"PK\x03\x04",
    b"\x80\x04",
    b"a" * 5000, b"[" * 5000, b"x " * 3000, b"{}", b"/1.6/", b".wav", b".jpg",
)  # fmt: skip
OPCODES = [opcode.code.encode("latin-1") for opcode in pickletools.opcodes]


def zipped(contents: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for language in ("English", "Urdu"):
            for heard in ("heard", "unheard"):
                archive.writestr(f"sub_score_v1_{language}_{heard}.txt", contents)
    return packed.getvalue()


OWN = {name: [data for each, _, data in ALL.values() if each == name] for name in FORMATS_BY_NAME}
OWN["fame-zip"] = [zipped(FAME_SCORES)]
OWN["pickle"] = OWN["vfal-eva-f2v"] = OWN["vfal-eva"]
EVERY = [data for _, _, data in ALL.values()]


def flip(data: bytearray, chance: random.Random) -> None:
    if data:
        data[chance.randrange(len(data))] = chance.randrange(256)


def cut(data: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(data) + 1)
    del data[start : start + chance.choice((1, 2, 10, len(data)))]


def double(data: bytearray, chance: random.Random) -> None:
    start, place = (chance.randrange(len(data) + 1) for _ in range(2))
    data[place:place] = data[start : start + chance.choice((1, 5, 50))] * chance.choice((1, 2, 30))


def insert(data: bytearray, chance: random.Random) -> None:
    place = chance.randrange(len(data) + 1)
    data[place : place + chance.choice((0, 0, 1, 4))] = chance.choice(TOKENS)


def insert_opcode(data: bytearray, chance: random.Random) -> None:
    place = chance.randrange(len(data) + 1)
    data[place:place] = chance.choice(OPCODES) + chance.randbytes(chance.choice((0, 1, 4, 8)))


def splice(data: bytearray, chance: random.Random) -> None:
    other = chance.choice(EVERY)
    place = chance.randrange(len(data) + 1)
    data[place:] = other[chance.randrange(len(other)) :]


def fields(data: bytearray, chance: random.Random) -> None:
    """Put a token in the place of a whole field."""
    words = bytes(data).split(b" ")
    words[chance.randrange(len(words))] = chance.choice(TOKENS)
    data[:] = b" ".join(words)


CHANGES = (flip, cut, double, insert, splice, fields)


def mutated(reader: str, chance: random.Random) -> bytes:
    if chance.random() < 0.05:
        return chance.randbytes(chance.choice((0, 1, 10, 300)))
    data = bytearray(chance.choice(OWN[reader] if chance.random() < 0.8 else EVERY))
    if reader == "fame-zip" and chance.random() < 0.5:
        inner = bytearray(FAME_SCORES)
        chance.choice(CHANGES)(inner, chance)
        return zipped(bytes(inner))
    changes = (*CHANGES, insert_opcode, insert_opcode) if reader in ("pickle", "vfal-eva") else CHANGES
    for _ in range(chance.choice((1, 1, 2, 5))):
        chance.choice(changes)(data, chance)
    if chance.random() < 0.03:
        data = bytearray(gzip.compress(bytes(data), 1, mtime=0))
        if chance.random() < 0.5:
            flip(data, chance)
    return bytes(data)


def use(reader, path) -> None:
    """Read all that there is to read."""
    if reader == "pickle":
        loads(path.read_bytes(), "fuzz")
        return
    found = read_submission(path).values() if reader == "fame-zip" else [FORMATS_BY_NAME[reader].read(path)]
    for trials in found:
        assert trials.sides is None or len(trials.sides().probes) >= 0
        for block in trials.blocks():
            assert block.scores is None or reader == "vfsearch" or not (block.scores != block.scores).any()
        if trials.identities:
            assert all(isinstance(trials.identities(name), str | None) for name in trials.names.texts[:20])
        if reader in FORMATS_BY_NAME:
            for pieces in FORMATS_BY_NAME[reader].files(trials, "again").values():
                sum(map(len, pieces))


@pytest.mark.parametrize("reader", READERS)
def test_only_clear_errors(reader, tmp_path):
    chance = random.Random(f"{reader} 1")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (tmp_path / "wav_20k.csv").write_bytes(b"VoxCeleb1 ID\twav\nid10002\tid10002/0_laIeN-Q44/00001.wav\n")
    path = tmp_path / ("jpg_20k.csv" if reader == "cmpc-retrieval" else "list")
    errors = 0
    count = rounds(SHORT, LONG) // len(READERS) + 1
    for number in range(count):
        data = mutated(reader, chance)
        path.write_bytes(data)
        try:
            use(reader, path)
        except VfsearchError as error:
            errors += 1
            assert isinstance(error, InputError) and str(error), data
        except BaseException:
            print(f"input {number} of {reader}: {data!r}")
            raise
        require_certainties(path)
        if number % 200 == 0:
            require_recognised_or_refused(path)
    assert count * 0.05 < errors < count, "the mutations should break some inputs, and not all"
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert grown < MOST_MEMORY_BYTES


def require_certainties(path) -> None:
    try:
        head = read_head(path)
    except TrialListError:
        return
    assert {each.recognise(head) for each in FORMATS_BY_NAME.values()} <= {0, 1, 2, 3}


def require_recognised_or_refused(path) -> None:
    try:
        name, certainty = recognise(path)
    except TrialListError:
        return
    assert name in FORMATS_BY_NAME and 1 <= certainty <= 3
