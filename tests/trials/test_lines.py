import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfsearch.errors import TrialListError
from vfsearch.trials.formats import lines
from vfsearch.trials.formats.lines import LineBlock, first_lines, is_number, line_blocks, read_head


@pytest.fixture
def file(tmp_path):
    def made(data, name="list.txt"):
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    return made


def numbered(path, *arguments, **more):
    blocks = line_blocks(path, *arguments, **more)
    return [pair for block in blocks for pair in zip(block.numbers, block.lines, strict=True)]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", []),
        (b"\n\r\n \t\n", []),
        (b"a\nb\n", [(1, "a"), (2, "b")]),
        (b"a\nb", [(1, "a"), (2, "b")]),
        (b"a\r\nb\r\n", [(1, "a"), (2, "b")]),
        (b"\xef\xbb\xbfa\n\n\nb\n", [(1, "a"), (4, "b")]),
        (b" a  b \n", [(1, " a  b ")]),
        ("é\u2028x\n".encode(), [(1, "é\u2028x")]),
    ],
)
def test_lines_and_their_numbers(file, data, found):
    assert numbered(file(data)) == found
    assert numbered(file(gzip.compress(data, mtime=0))) == found


@given(st.lists(st.sampled_from(["", " ", "a", "bb c", "é", "\t", "x" * 50])), st.integers(1, 5), st.integers(0, 4),
       st.integers(1, 64))  # fmt: skip
def test_blocks_and_pieces_change_nothing(tmp_path_factory, texts, per_block, skip, piece):
    path = tmp_path_factory.mktemp("lines") / "list"
    path.write_bytes("\n".join(texts).encode())
    expected = [(number, text) for number, text in enumerate(texts, start=1) if text.strip()][skip:]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "_READ_BYTES", piece)
        assert numbered(path, per_block, skip=skip) == expected
        assert all(0 < len(block.lines) <= per_block for block in line_blocks(path, per_block, skip=skip))
        assert first_lines(path, 2) == [text for text in texts if text.strip()][:2]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a\n\xff\n", "line 2: not UTF-8 text"),
        (b"\xef\xbb\xbfa\nb\n\xe9\n", "line 3: not UTF-8 text"),
        (b"a\nb\0\n", "line 2: holds a NUL character"),
        (b"\x1f\x8b\x08", "cannot read"),
        (gzip.compress(b"a\n" * 1000, mtime=0)[:-9], "cannot read"),
    ],
)
def test_no_text_list(file, data, said):
    with pytest.raises(TrialListError, match=said):
        numbered(file(data))


def test_an_endless_line_is_not_read_into_memory(file, monkeypatch):
    monkeypatch.setattr(lines, "LONGEST_LINE", 100)
    monkeypatch.setattr(lines, "_READ_BYTES", 10)
    assert numbered(file(b"a\n" + b"x" * 100 + b"\n")) == [(1, "a"), (2, "x" * 100)]
    with pytest.raises(TrialListError, match="line 2: more than 100 bytes without a line end"):
        numbered(file(b"a\n" + b"x" * 101))


def block(*texts):
    return LineBlock(lines=texts, numbers=range(5, 5 + len(texts)), where="list")


def test_a_bad_line_is_shown_short():
    assert str(block("x" * 200).bad(0, "less")) == f"list, line 5: wanted less, got {'x' * 100 + '...'!r}"


def test_fields_and_columns():
    assert block("a b", "c  d").fields((2,), "two") == [["a", "b"], ["c", "d"]]
    assert block("a b", "c  d ").columns(2, "two") == [["a", "c"], ["b", "d"]]
    assert block("a\t b", "c\t").columns(2, "two", "\t") == [["a", "c"], [" b", ""]]
    with pytest.raises(TrialListError, match="list, line 6: wanted two, got 'c'"):
        block("a b", "c").columns(2, "two")


BLANKS = st.text(alphabet="ab \t\x1c\u2003", max_size=6)


@given(st.lists(BLANKS, min_size=1, max_size=4), st.integers(1, 3), st.sampled_from([None, "\t"]))
def test_columns_are_fields_turned(texts, count, separator):
    rows = [text.split(separator) for text in texts]
    if any(len(row) != count for row in rows):
        with pytest.raises(TrialListError, match="wanted so many"):
            block(*texts).columns(count, "so many", separator)
    else:
        assert block(*texts).columns(count, "so many", separator) == [
            list(column) for column in zip(*rows, strict=True)
        ]


def test_floats():
    np.testing.assert_array_equal(block("1", "nan", "-inf").floats(["1", "nan", "-inf"], "x"), [1, np.nan, -np.inf])
    with pytest.raises(TrialListError, match="line 6: wanted a score, got 'b'"):
        block("a", "b").floats(["1", "x"], "a score")
    assert is_number("1e5") and not is_number("one")


def test_head(file):
    head = read_head(file(b"\n\xef\xbb\xbf a\r\n\n b\n", "list.txt.gz"))
    assert (head.name, len(head.lines)) == ("list.txt", 2)
    assert read_head(file(b"a\0b\n")).lines == ()
    # What is cut off at the end of the head is no line, unless it is all there is.
    long = read_head(file(b"short\n" + b"x" * lines.HEAD_BYTES))
    assert list(long.lines) == ["short"]
    assert len(read_head(file(b"x" * 2 * lines.HEAD_BYTES)).lines) == 1
