import numpy as np
import pytest

from vfsearch.errors import InputError, SettingsError
from vfsearch.store.foreign_rows import read_rows

ROWS = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]


@pytest.fixture
def parquet(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")

    def write(vectors, **columns):
        ids = columns or {"id": [f"i{place}" for place in range(len(vectors))]}
        pq.write_table(pa.table({**ids, "vector": vectors}), tmp_path / "t.parquet", row_group_size=2)
        return [tmp_path / "t.parquet"]

    return pa, write


@pytest.mark.parametrize("kind", ["fixed", "list", "large"])
def test_parquet(parquet, kind):
    pa, write = parquet
    types = {"fixed": pa.list_(pa.float32(), 2), "list": pa.list_(pa.float64()), "large": pa.large_list(pa.int16())}
    read = read_rows(write(pa.array(ROWS, types[kind])))
    assert read.ids == ["i0", "i1", "i2"] and read.vectors.tolist() == ROWS and not read.columns


def test_a_number_that_is_missing_in_a_parquet_file_is_nan(parquet):
    pa, write = parquet
    assert np.isnan(read_rows(write(pa.array([[1.0, None], [3.0, 4.0]]))).vectors[0, 1])


@pytest.mark.parametrize(
    ("vectors", "said"),
    [
        ([[1.0], [1.0, 2.0]], "the lists of vector differ in length"),
        ([[1.0], None], "the lists of vector differ in length"),
        ([["a"], ["b"]], "wanted one row of numbers"),
        ([], "wanted id and one list of numbers|wanted one row of numbers"),
    ],
)
def test_parquet_that_holds_no_rows(parquet, vectors, said):
    pa, write = parquet
    with pytest.raises(InputError, match=said):
        read_rows(write(pa.array(vectors)))


def test_columns_of_a_parquet_file_are_texts(parquet):
    pa, write = parquet
    read = read_rows(write(pa.array(ROWS), name=[7, 8, 9], age=[30, None, 31]))
    assert read.ids == ["7", "8", "9"] and read.columns == {"age": ["30", "", "31"]}


def test_files_are_read_one_after_the_other(tmp_path):
    (tmp_path / "a.csv").write_text("id,identity,v0,v1\na,A,1,0\n")
    (tmp_path / "b.csv").write_text("id,split,0,1\nb,test,0,1\n")
    read = read_rows([tmp_path / "a.csv", tmp_path / "b.csv"])
    assert read.ids == ["a", "b"] and read.vectors.tolist() == [[1, 0], [0, 1]]
    assert read.columns == {"identity": ["A", ""], "split": ["", "test"]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: wanted the columns id"),
        ("id,v0\na,x\n", "missing or no number"),
        ("id,v0,v1\na,1\n", "missing or no number"),
        ("name\na\n", "line 1: wanted the columns id"),
        ("id,v0\na,1\na,2\n", "1 ids come more than once, 'a' first"),
        ('id,v0\n"a,1\n', "no valid CSV"),
    ],
)
def test_csv_that_holds_no_rows(tmp_path, text, said):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(InputError, match=said):
        read_rows([tmp_path / "a.csv"])


def test_files_of_two_dimensions(tmp_path):
    (tmp_path / "a.csv").write_text("id,v0\na,1\n")
    (tmp_path / "b.csv").write_text("id,v0,v1\nb,1,2\n")
    with pytest.raises(InputError, match=r"a.csv and .*b.csv differ in dimension: \[1, 2\]"):
        read_rows([tmp_path / "a.csv", tmp_path / "b.csv"])
    with pytest.raises(SettingsError, match=r"b.csv has its own ids"):
        read_rows([tmp_path / "b.csv"], tmp_path / "a.csv")
