import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from vfsearch.data.csv_lines import CsvLines
from vfsearch.data.failure import FailedItem, failures_csv
from vfsearch.data.manifest import Item, read_manifest, write_manifest

CELLS = st.lists(st.text(st.characters(exclude_characters="\0"), max_size=8), min_size=1, max_size=4)


@given(st.lists(CELLS, max_size=4))
def test_what_is_written_is_read(lines):
    text = io.StringIO(newline="")
    CsvLines(text).writerows(lines)
    assert list(csv.reader(io.StringIO(text.getvalue(), newline=""))) == lines


def test_usual_lines_are_not_quoted():
    text = io.StringIO(newline="")
    CsvLines(text).writerow(["a", 1, 2.5, 'b "c", d'])
    assert text.getvalue() == 'a,1,2.5,"b ""c"", d"\n'


def test_file_names_with_line_ends_survive(tmp_path):
    names = ["a\rb.wav", "c\nd.wav", "e\r\nf.wav"]
    items = [Item(id=name, path=name, modality="voice", identity="p\r") for name in names]
    write_manifest(tmp_path / "m.csv", items)
    assert [item.path for item in read_manifest(tmp_path / "m.csv")] == names
    failed = [
        FailedItem(id=name, path=name, modality="voice", identity="p", stage="decode", reason="x") for name in names
    ]
    read = list(csv.DictReader(io.StringIO(failures_csv(failed).decode(), newline="")))
    assert [line["path"] for line in read] == names
