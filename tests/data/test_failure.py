import csv
import io

from builders import make_failure

from vfsearch.data.failure import FIELDS, failures_csv


def test_the_table():
    failures = [make_failure("a"), make_failure("b", reason='a "quoted", comma\nand a line'), make_failure("é\udcff")]
    table = failures_csv(failures)
    assert table.startswith(b"id,path,modality,identity,stage,reason\na,a.wav,voice,p0,decode,no such file\n")
    read = list(csv.DictReader(io.StringIO(table.decode("utf-8", "surrogateescape"), newline="")))
    assert read == [{name: getattr(failure, name) for name in FIELDS} for failure in failures]
    assert failures_csv([]) == b"id,path,modality,identity,stage,reason\n"


def test_splits():
    failure = make_failure(columns={"split": "test"})
    assert [failure.in_split(split) for split in (None, "test", "train", "")] == [True, True, False, False]
    assert make_failure().in_split("")
