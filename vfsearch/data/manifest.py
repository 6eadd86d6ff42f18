"""The list of media files that everything starts from."""

import contextlib
import csv
import gc
import hashlib
import io
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vfsearch.data.csv_lines import CsvLines
from vfsearch.data.space import MODALITIES
from vfsearch.errors import InputError, ManifestError
from vfsearch.files import canonical_json, write_pieces

REQUIRED = ("path", "modality", "identity")
OPTIONAL = ("id", "start_seconds", "end_seconds")
_KNOWN = frozenset((*REQUIRED, *OPTIONAL))
_ROWS_AT_ONCE = 4096
LONGEST_TEXT = 131_072
"""Characters; what Python's CSV reader takes for one field."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One row: a clip or a photo of one identity.

    Args:
        id: unique in its manifest; the path, unless the manifest gives one.
        path: of the media file, absolute or relative to the manifest's folder.
        modality: "voice" or "face".
        identity: whose it is.
        start_seconds, end_seconds: the part of the file that counts; None is the file's own end.
        columns: every other column (gender, split, ...), as text; rows that agree in all of them share it, so nobody
            may change it.
    """

    id: str
    path: str
    modality: str
    identity: str
    start_seconds: float | None = None
    end_seconds: float | None = None
    columns: dict[str, str] = field(default_factory=dict)

    def problem(self) -> str:
        """What is wrong with this row, or ""."""
        if not self.path:
            return "the path is empty"
        if self.modality not in MODALITIES:
            return f"the modality is {self.modality!r}, it must be voice or face"
        if not self.identity:
            return "the identity is empty"
        start, end = self.start_seconds or 0.0, math.inf if self.end_seconds is None else self.end_seconds
        if not 0.0 <= start < end:
            return f"start_seconds {start:g} and end_seconds {end:g} leave nothing: want 0 <= start < end"
        texts = {"id": self.id, "path": self.path, "identity": self.identity, **self.columns}
        # Nearly every row is fine, which one look at all of it shows.
        if not _text_problem("".join([*texts, *texts.values()])):
            return ""
        for name, text in texts.items():
            found = _text_problem(name) or _text_problem(text)
            if found:
                return f"the value or the name of {name[:50]!r} {found}"
        return ""


def _text_problem(text: str) -> str:
    """Why a text could not be stored and read back, or ""."""
    if len(text) > LONGEST_TEXT:
        return f"has {len(text)} characters, the most is {LONGEST_TEXT}"
    if "\0" in text:
        return "holds a NUL character"
    if text.isascii():
        return ""
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return "holds half of a surrogate pair, which is no character"
    return ""


class Manifest(Sequence[Item]):
    """Rows of media files, in their order.

    Args:
        items: the rows.
        folder: what relative paths are relative to.
        where: what to call the list in messages.
        unique: the ids are known to differ.
    Raises:
        ManifestError: two rows have the same id.
    """

    def __init__(
        self, items: Iterable[Item], folder: Path, where: str = "the manifest", unique: bool = False
    ) -> None:  # fmt: skip
        self.items = tuple(items)
        self.folder = folder
        self.where = where
        if not unique:
            self._refuse_repeated_ids()

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, row):  # type: ignore[override]
        return self.items[row]

    def _refuse_repeated_ids(self) -> None:
        if len({item.id for item in self.items}) == len(self.items):
            return
        seen: dict[str, int] = {}
        for row, item in enumerate(self.items, start=1):
            if item.id in seen:
                raise ManifestError(
                    f"{self.where}: rows {seen[item.id]} and {row} have the same id {item.id!r}; "
                    "give each row its own `id` (it is the path when there is no such column)"
                )
            seen[item.id] = row

    def media_path(self, item: Item) -> Path:
        """Where the item's file is."""
        return self.folder / item.path

    def select(self, modality: str | None = None, split: str | None = None) -> "Manifest":
        """The rows of one modality and one split (None: of any)."""
        chosen = (
            item
            for item in self.items
            if modality in (None, item.modality) and split in (None, item.columns.get("split", ""))
        )
        return Manifest(chosen, self.folder, self.where, unique=True)

    def splits(self) -> tuple[str, ...]:
        """The names in the column `split`, sorted; ("",) when there is no such column."""
        return tuple(sorted({item.columns.get("split", "") for item in self.items}))

    def digest(self) -> str:
        """Digest of every row, in order."""
        return rows_digest(self.items)


def rows_digest(items: Sequence[Item]) -> str:
    """Digest of some rows, in order: that of their list in its canonical spelling, which is never held as a whole."""
    found, comma = hashlib.sha256(b"["), b""
    for start in range(0, len(items), _ROWS_AT_ONCE):
        found.update(comma + canonical_json([_row(item) for item in items[start : start + _ROWS_AT_ONCE]])[1:-1])
        comma = b","
    found.update(b"]")
    return found.hexdigest()


def _row(item: Item) -> list:
    return [
        item.id, item.path, item.modality, item.identity, item.start_seconds, item.end_seconds,
        dict(sorted(item.columns.items())),
    ]  # fmt: skip


def read_manifest(path: Path) -> Manifest:
    """Read a manifest: CSV with a header, or one JSON object a line (`.jsonl`, `.ndjson`).

    Args:
        path: the file; relative paths in it are relative to its folder.
    Raises:
        InputError: the file cannot be read.
        ManifestError: it has a missing column, a bad value (named by its line), or no row.
    """
    in_json = path.suffix.lower() in (".jsonl", ".ndjson")
    # JSON lines end with a line feed alone; a value of CSV may hold any end of a line.
    with _opened(path, "\n" if in_json else "") as file, _without_collection():
        lines = _texts(file, path)
        records = _json_records(lines, path) if in_json else _csv_records(lines, path)
        shared = _Shared()
        items = [_item(record, shared, path, line) for line, record in records]
    if not items:
        raise ManifestError(f"{path} has no rows: it must list at least one media file")
    return Manifest(items, path.parent, str(path))


@contextlib.contextmanager
def _opened(path: Path, newline: str) -> Iterator[io.TextIOBase]:
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline=newline) as file:
            yield file
    except OSError as error:
        raise InputError(f"cannot read the manifest {path}: {error.strerror}") from error


def _texts(file: io.TextIOBase, path: Path) -> Iterator[str]:
    """The lines of a text file."""
    for line in file:
        if "\0" in line:
            raise ManifestError(f"{path} is no text file: it holds NUL characters; a manifest is CSV or JSON lines")
        yield line


class _Shared:
    """Texts and columns that many rows have in common, each held once."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._columns: dict[tuple[str, ...], dict[str, str]] = {}

    def text(self, text: str) -> str:
        """The first text that was equal to this one."""
        return self._texts.setdefault(text, text)

    def columns(self, columns: dict[str, str]) -> dict[str, str]:
        """The first columns that were equal to these."""
        key = (*columns, *columns.values())
        found = self._columns.get(key)
        if found is None:
            found = self._columns[key] = {self.text(name): self.text(value) for name, value in columns.items()}
        return found


@contextlib.contextmanager
def _without_collection() -> Iterator[None]:
    """Objects that all stay are made quicker when nobody looks for garbage among them."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _csv_records(lines: Iterator[str], path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.reader(lines, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _require_columns(header, f"{path}, line 1")
        if len(set(header)) < len(header):
            raise ManifestError(f"{path}, line 1: a column is named twice: {', '.join(header)}")
        for fields in reader:
            if not any(fields):
                continue
            if len(fields) != len(header):
                raise ManifestError(
                    f"{path}, line {reader.line_num}: {len(fields)} fields, the header names {len(header)}; "
                    "put a value with a comma in double quotes"
                )
            yield reader.line_num, dict(zip(header, fields, strict=True))
    except csv.Error as error:
        raise ManifestError(f"{path}, line {reader.line_num}: no valid CSV: {error}") from error


def _json_records(lines: Iterator[str], path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ManifestError(f"{where}: no valid JSON: {error}") from error
        if not isinstance(record, dict):
            raise ManifestError(f"{where}: a {type(record).__name__}, it must be one JSON object a line")
        _require_columns(record, where)
        yield number, {name: _text(value, name, where) for name, value in record.items()}


def _text(value: object, name: str, where: str) -> str:
    if isinstance(value, (dict, list)):
        raise ManifestError(f"{where}: {name} is a {type(value).__name__}, it must be a text or a number")
    return "" if value is None else str(value)


def _require_columns(names: Iterable[str], where: str) -> None:
    names = list(names)
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise ManifestError(
            f"{where}: no column {', '.join(missing)}; got {', '.join(names) or 'nothing'}, "
            f"want {', '.join(REQUIRED)} (and perhaps {', '.join(OPTIONAL)}, split, gender, ...)"
        )


def _item(record: dict[str, str], shared: _Shared, path: Path, line: int) -> Item:
    item = Item(
        id=record.get("id") or record["path"],
        path=record["path"],
        modality=shared.text(record["modality"].strip()),
        identity=shared.text(record["identity"].strip()),
        start_seconds=_seconds(record, "start_seconds", path, line),
        end_seconds=_seconds(record, "end_seconds", path, line),
        columns=shared.columns({name: value for name, value in record.items() if name not in _KNOWN}),
    )
    problem = item.problem()
    if problem:
        raise ManifestError(f"{path}, line {line}: {problem}")
    return item


def _seconds(record: dict[str, str], name: str, path: Path, line: int) -> float | None:
    text = record.get(name, "").strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ManifestError(f"{path}, line {line}: {name} is {text!r}, it must be a number of seconds")
    return value


def write_manifest(path: Path, items: Iterable[Item]) -> None:
    """Write a list of media files as CSV, whole or not at all; it need not fit in memory twice.

    Args:
        path: of the file.
        items: the rows; those without a column that others have leave it empty. Ids are written where one is not its
            item's path, times where one is given.
    Raises:
        VfsearchError: it cannot be written.
    """
    items = items if isinstance(items, Sequence) else tuple(items)
    different = {id(item.columns): item.columns for item in items}
    names = dict.fromkeys(name for columns in different.values() for name in columns)
    optional = [name for name in OPTIONAL if any(_optional(item, name) for item in items)]
    write_pieces(path, _csv_pieces(items, optional, list(names)))


def _optional(item: Item, name: str) -> str:
    """What a manifest says in an optional column, "" for what it need not say."""
    if name == "id":
        return "" if item.id == item.path else item.id
    value = getattr(item, name)
    return "" if value is None else repr(value)


def _csv_pieces(items: Sequence[Item], optional: Sequence[str], names: Sequence[str]) -> Iterator[bytes]:
    text = io.StringIO(newline="")
    table = CsvLines(text)
    table.writerow([*REQUIRED, *optional, *names])
    for number, item in enumerate(items, start=1):
        known = [item.path, item.modality, item.identity, *(_optional(item, name) for name in optional)]
        table.writerow([*known, *(item.columns.get(name, "") for name in names)])
        if number % _ROWS_AT_ONCE == 0:
            yield text.getvalue().encode("utf-8", "surrogateescape")
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode("utf-8", "surrogateescape")
