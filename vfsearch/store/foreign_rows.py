"""Rows of any length that other programs wrote, with what a table says of each."""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vfsearch.errors import InputError, MissingExtraError, SettingsError
from vfsearch.store.exporting import PARQUET_PIP_LINE
from vfsearch.store.foreign_vectors import read_named_rows

if TYPE_CHECKING:
    from pyarrow import ChunkedArray

NAMES_OF_ROWS = ("id", "name", "path", "item")
"""Columns that may name a row; the first that is there does."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ForeignRows:
    """Rows of a file, or of several.

    Args:
        ids: of the rows.
        vectors: (n, d), of any length; perhaps mapped.
        columns: what the file says of each row; "identity" among them where it says that.
        where: the file.
    """

    ids: Sequence[str]
    vectors: np.ndarray
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    where: str


def read_rows(paths: Sequence[Path], ids: Path | None = None) -> ForeignRows:
    """The rows of some files, one after the other.

    Args:
        paths: `.npy`, `.csv`, `.parquet`, or a file that `read_named_rows` knows.
        ids: table with a row for each row of a `.npy`; None: the `.csv` of the same name.
    Raises:
        InputError: a file is missing or of no known form, the dimensions differ, or an id comes twice.
        MissingExtraError: a `.parquet` without pyarrow.
        SettingsError: ids for a file that has its own.
    """
    return _joined([_read(path, ids) for path in paths])


def _read(path: Path, ids: Path | None) -> ForeignRows:
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return _read_npy(path, ids)
    if ids is not None:
        raise SettingsError(f"tables of ids go with a .npy file; {path} has its own ids")
    if suffix == ".csv":
        return _read_csv(path)
    if suffix == ".parquet":
        return _read_parquet(path)
    names, vectors = read_named_rows(path)
    return ForeignRows(ids=names, vectors=_matrix(vectors, len(names), path), where=str(path))


def _read_npy(path: Path, ids: Path | None) -> ForeignRows:
    if not path.is_file():
        raise InputError(f"cannot read the vectors {path}: there is no such file")
    beside = path.with_suffix(".csv")
    table = ids or (beside if beside.is_file() else None)
    if table is None:
        raise InputError(
            f"{path} says no ids: name a table of them with --voice-ids or --face-ids (or put {beside.name} beside it)"
        )
    try:
        vectors = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read the vectors {path}: {error}") from error
    names, columns = _id_table(table)
    return ForeignRows(ids=names, vectors=_matrix(vectors, len(names), path), columns=columns, where=str(path))


def _id_table(path: Path) -> tuple[list[str], dict[str, list[str]]]:
    """Ids, and further columns; a file whose first line names no id is one of ids alone."""
    lines = _csv_rows(path)
    header = [cell.strip() for cell in lines[0]] if lines else []
    if not set(NAMES_OF_ROWS) & set(header):
        return [line[0] for line in lines if line], {}
    return _columns(lines[1:], header, path)


def _csv_rows(path: Path) -> list[list[str]]:
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            return [row for row in csv.reader(file, strict=True) if row]
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except csv.Error as error:
        raise InputError(f"{path} is no valid CSV: {error}") from error


def _columns(lines: Sequence[list[str]], header: list[str], path: Path) -> tuple[list[str], dict[str, list[str]]]:
    for number, line in enumerate(lines, start=2):
        if len(line) != len(header):
            raise InputError(f"{path}, row {number}: {len(line)} cells, the header names {len(header)}")
    named = {name: [line[place] for line in lines] for place, name in enumerate(header)}
    ids = next(named[name] for name in NAMES_OF_ROWS if name in named)
    return ids, {name: values for name, values in named.items() if name not in ("id", "name", "item")}


def _read_csv(path: Path) -> ForeignRows:
    lines = _csv_rows(path)
    header = [cell.strip() for cell in lines[0]] if lines else []
    numbers = [place for place, name in enumerate(header) if name.lstrip("vfxdim_").isdigit()]
    if not numbers or not set(NAMES_OF_ROWS) & set(header):
        raise InputError(
            f"{path}, line 1: wanted the columns id, identity (perhaps more) and v0, v1, ... (or 0, 1, ...), got "
            f"{', '.join(header)[:100] or 'nothing'}"
        )
    texts = [place for place in range(len(header)) if place not in set(numbers)]
    ids, columns = _columns([[line[p] for p in texts if p < len(line)] for line in lines[1:]],
                            [header[place] for place in texts], path)  # fmt: skip
    try:
        vectors = np.array([[float(line[place]) for place in numbers] for line in lines[1:]], np.float64)
    except (ValueError, IndexError) as error:
        raise InputError(f"{path}: a value of a vector is missing or no number: {error}") from error
    return ForeignRows(ids=ids, vectors=_matrix(vectors, len(ids), path), columns=columns, where=str(path))


def _read_parquet(path: Path) -> ForeignRows:
    try:
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtraError(f"parquet needs pyarrow; install with: {PARQUET_PIP_LINE}") from error
    try:
        table = pq.read_table(path)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: {str(error).splitlines()[0]}") from error
    lists = [name for name in table.column_names if "list" in str(table.schema.field(name).type)]
    key = next((name for name in NAMES_OF_ROWS if name in table.column_names), None)
    if len(lists) != 1 or key is None:
        raise InputError(f"{path} has the columns {', '.join(table.column_names)}: wanted id and one list of numbers")
    vectors = _flat(table.column(lists[0]), f"{path}: the lists of {lists[0]}")
    others = [name for name in table.column_names if name not in (*lists, "id", "name", "item")]
    columns = {name: ["" if each is None else str(each) for each in table.column(name).to_pylist()] for name in others}
    ids = [str(each) for each in table.column(key).to_pylist()]
    return ForeignRows(ids=ids, vectors=_matrix(vectors, len(ids), path), columns=columns, where=str(path))


def _flat(column: "ChunkedArray", what: str) -> np.ndarray:
    """(n, d) numbers of a column of lists (NaN: missing), without a Python object for each."""
    import pyarrow.compute as pc

    lengths = set(pc.unique(pc.list_value_length(column)).to_pylist())
    if len(lengths) > 1 or None in lengths:
        raise InputError(f"{what} differ in length")
    return pc.list_flatten(column).to_numpy().reshape(len(column), *(lengths or {0}))


def _matrix(vectors: np.ndarray, count: int, path: Path) -> np.ndarray:
    if vectors.ndim != 2 or len(vectors) != count or vectors.dtype.kind not in "fiu" or not vectors.size:
        raise InputError(
            f"{path} has {count} ids and vectors of shape {vectors.shape}, {vectors.dtype}: wanted one row of numbers "
            "for each id"
        )
    return vectors


def _joined(read: Sequence[ForeignRows]) -> ForeignRows:
    widths = {rows.vectors.shape[1] for rows in read}
    if len(widths) > 1:
        raise InputError(f"{' and '.join(rows.where for rows in read)} differ in dimension: {sorted(widths)}")
    ids = [id_ for rows in read for id_ in rows.ids]
    twice = [id_ for id_, count in Counter(ids).items() if count > 1]
    if twice:
        raise InputError(f"{read[0].where}: {len(twice)} ids come more than once, {twice[0]!r} first")
    if len(read) == 1:
        return read[0]
    names = sorted({name for rows in read for name in rows.columns})
    columns = {name: [text for rows in read for text in rows.columns.get(name, [""] * len(rows.ids))] for name in names}
    vectors = np.concatenate([rows.vectors for rows in read])
    return ForeignRows(ids=ids, vectors=vectors, columns=columns, where=", ".join(rows.where for rows in read))
