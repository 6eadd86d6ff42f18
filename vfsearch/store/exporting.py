"""The rows of a store in the files of other programs, written shard by shard."""

import io
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vfsearch.data.csv_lines import CsvLines
from vfsearch.data.embeddings import Embeddings
from vfsearch.errors import ArtefactError, InputError, MissingExtraError, SettingsError
from vfsearch.files import adopt_file, is_there, make_folder, temporary_beside, write_pieces
from vfsearch.kernels.topk import topk
from vfsearch.progress import Progress, silent
from vfsearch.store.store import Store
from vfsearch.tables import build

FORMATS = ("npy", "fvecs", "parquet", "ann-benchmarks")
PARQUET_PIP_LINE = "pip install 'vfsearch[parquet]'"
NEIGHBOURS = 100


@dataclass(frozen=True, kw_only=True)
class Export:
    """What is to be exported.

    Args:
        format: one of `FORMATS`.
        modality: whose rows; in ann-benchmarks those that are searched.
        split: None: all.
        probe: modality of the probes, for ann-benchmarks.
        k: neighbours of each probe, for ann-benchmarks.
    """

    format: str
    modality: str
    split: str | None = None
    probe: str = "voice"
    k: int = NEIGHBOURS

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise SettingsError(f"the format is {self.format!r}, wanted one of {', '.join(FORMATS)}")
        if self.k < 1:
            raise SettingsError(f"k is {self.k}, it must be at least 1")


def export_store(
    store: Store, asked: Export, folder: Path, overwrite: bool = False, progress: Progress = silent
) -> dict[str, int]:
    """Write the rows of one modality.

    * npy: `<modality>.npy`, (n, d) float32, and `<modality>.csv` with id, identity and columns of each row.
    * fvecs: `<modality>.fvecs`, for each row its dimension as int32 and its values as float32, and the same table.
    * parquet: `<modality>.parquet`, with the columns id, identity, vector and all others.
    * ann-benchmarks: `<probe>-<modality>.hdf5` with train (the rows), test (the probes' rows), neighbors (row numbers)
      and distances (1 - cosine, ascending) of the exact nearest.

    Args:
        store: complete.
        asked: what.
        folder: where to; made if it is not there.
        overwrite: replace files that are there.
        progress: called with rows done.
    Returns:
        Path -> bytes written.
    Raises:
        ArtefactError: the store has no such row.
        InputError: a file is there already.
        MissingExtraError: parquet needs pyarrow.
    Source: for the layouts, M. Aumüller, E. Bernhardsson and A. Faithfull, "ANN-Benchmarks", Information Systems 87,
        2020, and H. Jégou et al., TEXMEX corpus (http://corpus-texmex.irisa.fr).
    """
    rows = _Rows(store, asked, progress)
    names = _NAMES[asked.format](asked)
    for name in names:
        if is_there(folder / name) and not overwrite:
            raise InputError(f"{folder / name} is there already: give --overwrite, or --out another folder")
    make_folder(folder)
    facts = _WRITERS[asked.format](rows, asked, [folder / name for name in names])
    return {str(folder / name): each["size"] for name, each in zip(names, facts, strict=True)}


class _Rows:
    """The rows asked for, shard by shard."""

    def __init__(self, store: Store, asked: Export, progress: Progress) -> None:
        self.store, self._modality, self._split, self._progress = store, asked.modality, asked.split, progress
        files = store.artefact.files
        self._parts = [part for part in store.parts(asked.modality, asked.split) if files[part]["rows"]]
        self.count = sum(files[part]["rows"] for part in self._parts)
        if not self.count:
            store.load(asked.modality, asked.split)  # raises, and says what there is
        self.dimension = store.spaces[asked.modality].dimension

    def blocks(self) -> Iterator[Embeddings]:
        """Shard by shard."""
        done = 0
        for part in self._parts:
            block = self.store.shard(part).embeddings
            yield block
            done += len(block)
            self._progress(f"{self._modality} rows", done, self.count)

    def columns(self) -> list[str]:
        """Names of the columns of any shard."""
        return sorted({name for part in self._parts for name in self.store.shard(part).embeddings.columns})


def _write_npy(rows: _Rows, asked: Export, paths: Sequence[Path]) -> list[dict]:
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        head, {"descr": "<f4", "fortran_order": False, "shape": (rows.count, rows.dimension)}
    )  # fmt: skip
    vectors = (block.vectors.astype("<f4").tobytes() for block in rows.blocks())
    return [write_pieces(paths[0], _after(head.getvalue(), vectors)), write_pieces(paths[1], _table(rows))]


def _write_fvecs(rows: _Rows, asked: Export, paths: Sequence[Path]) -> list[dict]:
    dimension = np.frombuffer(struct.pack("<i", rows.dimension), "<f4")

    def framed(block: Embeddings) -> bytes:
        return np.hstack([np.tile(dimension, (len(block), 1)), block.vectors.astype("<f4")]).tobytes()

    return [write_pieces(paths[0], map(framed, rows.blocks())), write_pieces(paths[1], _table(rows))]


def _after(head: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from pieces


def _table(rows: _Rows) -> Iterator[bytes]:
    """CSV of ids, identities and columns."""
    names = rows.columns()
    yield _csv([["id", "identity", *names]])
    for block in rows.blocks():
        columns = [block.columns.get(name, [""] * len(block)) for name in names]
        yield _csv(zip(block.ids, block.identities, *columns, strict=True))


def _csv(lines) -> bytes:
    text = io.StringIO(newline="")
    CsvLines(text).writerows(lines)
    return text.getvalue().encode("utf-8", "surrogateescape")


def _write_parquet(rows: _Rows, asked: Export, paths: Sequence[Path]) -> list[dict]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtraError(f"parquet needs pyarrow; install with: {PARQUET_PIP_LINE}") from error

    names = [name for name in rows.columns() if name not in ("id", "identity", "vector")]
    vector = pa.list_(pa.float32(), rows.dimension)
    schema = pa.schema([("id", pa.string()), ("identity", pa.string()), ("vector", vector),
                        *((name or "(none)", pa.string()) for name in names)])  # fmt: skip
    temporary = temporary_beside(paths[0])
    try:
        with pq.ParquetWriter(temporary, schema) as writer:
            for block in rows.blocks():
                flat = pa.array(block.vectors.astype(np.float32).reshape(-1))
                columns = [_spelt(block.columns.get(name, [""] * len(block))) for name in names]
                vectors = pa.FixedSizeListArray.from_arrays(flat, rows.dimension)
                texts = [pa.array(_spelt(each)) for each in (block.ids, block.identities)]
                writer.write_table(pa.table([*texts, vectors, *map(pa.array, columns)], schema=schema))
        return [adopt_file(temporary, paths[0])]
    finally:
        temporary.unlink(missing_ok=True)


def _spelt(texts: Sequence[str]) -> list[str]:
    """Texts as UTF-8 has them: bytes of file names that are none are written as \\xNN."""
    return [text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace") for text in texts]


def _write_ann_benchmarks(rows: _Rows, asked: Export, paths: Sequence[Path]) -> list[dict]:
    train = np.concatenate([block.vectors for block in rows.blocks()])
    store = rows.store
    if asked.probe not in store.spaces or store.spaces[asked.probe] != store.spaces[asked.modality]:
        raise ArtefactError(
            f"the {asked.probe} rows of {store.artefact.folder} are not in the space of its {asked.modality} rows: "
            "embed both with one model"
        )
    test = store.load(asked.probe, asked.split).vectors
    found = topk(test, train, min(asked.k, len(train)))

    def fill(file) -> None:
        file.attrs.update({"type": "dense", "distance": "angular", "dimension": rows.dimension, "point_type": "float"})
        for name, values in (("train", train), ("test", test), ("neighbors", found.rows.astype(np.int32)),
                             ("distances", (1.0 - found.scores).astype(np.float32))):  # fmt: skip
            file.create_dataset(name, data=values, track_times=False)

    return [write_pieces(paths[0], (build(fill),))]


_Write = Callable[[_Rows, Export, Sequence[Path]], list[dict]]
_WRITERS: dict[str, _Write] = {
    "npy": _write_npy,
    "fvecs": _write_fvecs,
    "parquet": _write_parquet,
    "ann-benchmarks": _write_ann_benchmarks,
}
_NAMES: dict[str, Callable[[Export], list[str]]] = {
    "npy": lambda asked: [f"{asked.modality}.npy", f"{asked.modality}.csv"],
    "fvecs": lambda asked: [f"{asked.modality}.fvecs", f"{asked.modality}.csv"],
    "parquet": lambda asked: [f"{asked.modality}.parquet"],
    "ann-benchmarks": lambda asked: [f"{asked.probe}-{asked.modality}.hdf5"],
}
