"""The list of media files that everything starts from."""

import contextlib
import csv
import gc
import io
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vfsearch.data.space import MODALITIES
from vfsearch.errors import ManifestError
from vfsearch.files import digest, read_file

REQUIRED = ("path", "modality", "identity")
OPTIONAL = ("id", "start_seconds", "end_seconds")
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
        columns: every other column (gender, split, ...), as text.
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
    Raises:
        ManifestError: two rows have the same id.
    """

    def __init__(self, items: Iterable[Item], folder: Path, where: str = "the manifest") -> None:
        self.items = tuple(items)
        self.folder = folder
        self.where = where
        self._refuse_repeated_ids()

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, row):  # type: ignore[override]
        return self.items[row]

    def _refuse_repeated_ids(self) -> None:
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
        return Manifest(chosen, self.folder, self.where)

    def splits(self) -> tuple[str, ...]:
        """The names in the column `split`, sorted; ("",) when there is no such column."""
        return tuple(sorted({item.columns.get("split", "") for item in self.items}))

    def digest(self) -> str:
        """Digest of every row, in order."""
        return digest([_row(item) for item in self.items])


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
    text = read_file(path, "manifest").decode("utf-8-sig", "surrogateescape")
    if "\0" in text:
        raise ManifestError(f"{path} is no text file: it holds NUL characters; a manifest is CSV or JSON lines")
    records = _json_records(text, path) if path.suffix.lower() in (".jsonl", ".ndjson") else _csv_records(text, path)
    with _without_collection():
        items = [_item(record, f"{path}, line {line}") for line, record in records]
    if not items:
        raise ManifestError(f"{path} has no rows: it must list at least one media file")
    return Manifest(items, path.parent, str(path))


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


def _csv_records(text: str, path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
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


def _json_records(text: str, path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    for number, line in enumerate(text.split("\n"), start=1):
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


def _item(record: dict[str, str], where: str) -> Item:
    item = Item(
        id=record.get("id") or record["path"],
        path=record["path"],
        modality=record["modality"].strip(),
        identity=record["identity"].strip(),
        start_seconds=_seconds(record, "start_seconds", where),
        end_seconds=_seconds(record, "end_seconds", where),
        columns={name: value for name, value in record.items() if name not in (*REQUIRED, *OPTIONAL)},
    )
    problem = item.problem()
    if problem:
        raise ManifestError(f"{where}: {problem}")
    return item


def _seconds(record: dict[str, str], name: str, where: str) -> float | None:
    text = record.get(name, "").strip()
    try:
        value = float(text) if text else None
    except ValueError:
        value = math.nan
    if value is not None and not math.isfinite(value):
        raise ManifestError(f"{where}: {name} is {text!r}, it must be a number of seconds")
    return value
