"""`vfsearch store import`: vectors that other programs wrote, into a store."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vfsearch.data.embeddings import Embeddings, bad_rows
from vfsearch.data.failure import FailedItem
from vfsearch.data.identity_table import IdentityTable
from vfsearch.data.shard import Shard
from vfsearch.data.space import MODALITIES, Space
from vfsearch.errors import InputError, SettingsError
from vfsearch.files import digest
from vfsearch.progress import Progress, silent
from vfsearch.store.foreign_rows import ForeignRows, read_rows
from vfsearch.store.writer import writing
from vfsearch.trials.identities import read_identities

STAGE = "import"
ROWS_PER_PART = 4096
_NOT_COLUMNS = ("id", "identity", "name", "path", "item")


@dataclass(frozen=True, kw_only=True)
class VectorFiles:
    """Vectors of one modality, and what is to be known of them.

    Args:
        paths: files: `.npy` (with a table of ids), `.csv`, `.parquet`, or any that `read_vectors` knows (`.npz`, HDF5,
            safetensors, dictionaries of torch.save or pickle, such as released `.pth` features).
        modality: of all rows.
        space: what the user calls the space that they are in: rows of the same name and dimension are comparable.
        ids: table with a row for each row of the `.npy`: id, identity, further columns; or lines of ids alone.
        identities: tables that say whose the ids are.
        identity_from_path: an id's first folder is its identity, where no table says it.
        split: of all rows; None: as a column of the file says.
    """

    paths: tuple[Path, ...]
    modality: str
    space: str
    ids: Path | None = None
    identities: tuple[Path, ...] = ()
    identity_from_path: bool = False
    split: str | None = None

    def __post_init__(self) -> None:
        if self.modality not in MODALITIES:
            raise SettingsError(f"the modality is {self.modality!r}, wanted one of {', '.join(MODALITIES)}")
        if not self.space.strip():
            raise SettingsError("the space has no name: rows of the same name can be compared, so say one")
        if not self.paths:
            raise SettingsError("no file of vectors is named")


def import_vectors(
    files: Sequence[VectorFiles],
    out: Path,
    dtype: str = "float32",
    overwrite: bool = False,
    progress: Progress = silent,
) -> dict[str, tuple[int, int]]:
    """Bring vectors to unit length and store them; one that is zero or not finite is a failure, by name.

    Args:
        files: of each modality at most one.
        out: folder of the store.
        dtype: "float32" or "float16".
        overwrite: replace another store.
        progress: called with rows done.
    Returns:
        Modality -> (rows, failures).
    Raises:
        InputError: a file is missing or of no known form, an id comes twice, or nothing says whose a row is.
        MismatchError: another store is there.
    """
    if len({each.modality for each in files}) < len(files):
        raise SettingsError("a modality is given twice: name all its files at once")
    read = {each.modality: read_rows(each.paths, each.ids) for each in files}
    spaces = {each.modality: _space(each.space, read[each.modality]) for each in files}
    parts = [part for each in files for part in _parts(each, read[each.modality], spaces[each.modality])]
    about = {
        "spaces": {modality: space.to_json() for modality, space in spaces.items()},
        "model": None,
        "rows_per_part": ROWS_PER_PART,
        "list": f"{sum(map(len, parts))} items ({digest([part.name for part in parts])[:16]})",
        "imported": {each.modality: [path.name for path in each.paths] for each in files},
    }
    names, counts = [part.name for part in parts], {modality: [0, 0] for modality in spaces}
    with writing(out, about, dtype, names, overwrite) as writer:
        for done, part in enumerate(parts, start=1):
            shard = part.shard(spaces[part.modality])
            counts[part.modality][0] += len(shard.embeddings)
            counts[part.modality][1] += len(shard.failures)
            if not writer.holds(part.name):
                writer.add(part.name, shard)
            progress("shards", done, len(parts))
        if not writer.complete:
            writer.finish(names)
    return {modality: (rows, failures) for modality, (rows, failures) in counts.items()}


def _space(name: str, rows: ForeignRows) -> Space:
    dimension = rows.vectors.shape[1]
    return Space(name=name, fingerprint=digest({"imported as": name, "dimension": dimension}), dimension=dimension)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Part:
    """Some rows of one split."""

    name: str
    modality: str
    split: str
    rows: ForeignRows
    places: np.ndarray
    identity: Callable[[int], str]

    def __len__(self) -> int:
        return len(self.places)

    def shard(self, space: Space) -> Shard:
        """Rows of unit length, and failures."""
        exact = np.asarray(self.rows.vectors[self.places], np.float64)
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            largest = np.abs(exact).max(axis=1, keepdims=True)
            exact = exact / np.where(largest > 0, largest, 1.0)
            unit = (exact / np.linalg.norm(exact, axis=1, keepdims=True)).astype(np.float32)
        unit[largest[:, 0] == 0] = 0.0
        bad = bad_rows(unit)
        good = [row for row in range(len(unit)) if row not in bad]
        return Shard(
            embeddings=Embeddings(
                ids=[self._id(row) for row in good],
                identities=[self.identity(int(self.places[row])) for row in good],
                vectors=unit[good].reshape(len(good), space.dimension),
                modality=self.modality,
                space=space,
                columns=self._columns(good),
            ),
            failures=tuple(self._failed(row, found) for row, found in bad.items()),
            split=self.split,
        )

    def _id(self, row: int) -> str:
        return self.rows.ids[self.places[row]]

    def _columns(self, good: Sequence[int]) -> dict[str, list[str]]:
        columns = {
            name: [values[self.places[row]] for row in good]
            for name, values in self.rows.columns.items()
            if name not in _NOT_COLUMNS
        }
        paths = self.rows.columns.get("path", self.rows.ids)
        return {**columns, "path": [paths[self.places[row]] for row in good], "split": [self.split] * len(good)}

    def _failed(self, row: int, found: str) -> FailedItem:
        return FailedItem(
            id=self._id(row), path=self._id(row), modality=self.modality,
            identity=self.identity(int(self.places[row])), stage=STAGE, reason=f"the vector is {found}",
            columns={"split": self.split},
        )  # fmt: skip


def _parts(files: VectorFiles, rows: ForeignRows, space: Space) -> Iterator[_Part]:
    identity = _identities(files, rows)
    splits = (
        [files.split] * len(rows.ids) if files.split is not None else rows.columns.get("split", [""] * len(rows.ids))
    )
    for split in sorted(set(splits)):
        places = np.flatnonzero(np.array([each == split for each in splits], bool))
        for number, start in enumerate(range(0, len(places), ROWS_PER_PART)):
            some = places[start : start + ROWS_PER_PART]
            values = np.ascontiguousarray(rows.vectors[some]).tobytes()
            mark = digest([space.to_json(), [rows.ids[place] for place in some], digest(values.hex())])[:12]
            yield _Part(
                name=f"{files.modality}-{number:05d}-{mark}.h5", modality=files.modality, split=split, rows=rows,
                places=some, identity=identity,
            )  # fmt: skip


def _identities(files: VectorFiles, rows: ForeignRows) -> Callable[[int], str]:
    """Row number -> whose it is: by the file itself, by tables, by the id's folder."""
    table = read_identities(files.identities) if files.identities else IdentityTable(identities={})
    said = rows.columns.get("identity", [""] * len(rows.ids))

    def find(place: int) -> str:
        id_ = rows.ids[place]
        found = table.identity(id_) or said[place]
        return found or (id_.partition("/")[0] if files.identity_from_path and "/" in id_ else "")

    nobody = [rows.ids[place] for place in range(len(rows.ids)) if not find(place)]
    if nobody:
        raise InputError(
            f"{rows.where}: nothing says whose {len(nobody)} of {len(rows.ids)} rows are, {nobody[0]!r} first; name a "
            "table with --identities, or give --identity-from-path where ids begin with a person's folder"
        )
    return find
