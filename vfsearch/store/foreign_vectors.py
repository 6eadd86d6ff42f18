"""Vectors that other programs wrote: a file of names and rows, recognised by its content."""

import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from vfsearch.data.named_vectors import NamedVectors, joined
from vfsearch.errors import InputError, VectorError
from vfsearch.restricted_pickle import read_pickle
from vfsearch.tables import decode, get_array

NAMES, VECTORS = ("names", "ids"), ("vectors", "embeddings")
KNOWN = (
    "a .npz or HDF5 file with `names` (or `ids`) and `vectors` (or `embeddings`), a safetensors, torch.save or pickle "
    "file that holds {name: vector}, or {'name2feat': {name: vector}}"
)


def read_vectors(paths: Sequence[Path]) -> NamedVectors:
    """The rows of some files (voices and faces, say), brought to unit length.

    A file may be `.npz` or HDF5 with the arrays `names` (or `ids`) and `vectors` (or `embeddings`); or a dictionary
    name -> vector as safetensors, torch.save or pickle wrote it, also under the key `name2feat` as in the feature
    files of Wen et al. (CVPR 2021). Nothing that a file holds is run.

    Args:
        paths: at least one file.
    Raises:
        InputError: a file is missing, or of none of these forms.
        VectorError: a row is zero or not finite, or a name comes twice.
        MismatchError: the files differ in dimension.
    """
    return joined([_read(path) for path in paths])


def read_named_rows(path: Path) -> tuple[list[str], np.ndarray]:
    """Names and rows of one such file, as they are: of any length, perhaps zero or not finite.

    Raises:
        InputError: the file is missing, or of none of the forms that `read_vectors` knows.
    """
    with _explained(path):
        return _READERS[_form(path)](path)


def _read(path: Path) -> NamedVectors:
    with _explained(path):
        names, rows = _READERS[_form(path)](path)
        return NamedVectors(names=names, vectors=_unit(rows, names, str(path)), where=str(path))


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """What a foreign reader raises, as an error that says what was wanted."""
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot read the vectors {path}: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, RuntimeError, EOFError, zipfile.BadZipFile) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"cannot read the vectors {path}: {first}; wanted {KNOWN}") from error


def _form(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(16)
    if head.startswith(b"PK"):
        with zipfile.ZipFile(path) as archive:
            return "npz" if any(name.endswith(".npy") for name in archive.namelist()) else "torch"
    if head.startswith(b"\x89HDF"):
        return "hdf5"
    if head[8:9] == b"{":
        return "safetensors"
    # torch.save before version 1.6: a pickled number that no other pickle starts with.
    if head[2:14] == b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19":
        return "torch"
    if head.startswith(b"\x80"):
        return "pickle"
    raise ValueError("unknown content")


def _npz(path: Path) -> tuple[list[str], np.ndarray]:
    with np.load(path, allow_pickle=False) as file:
        named = _named_arrays(file)
        if named is None:
            return _of_mapping({name: file[name] for name in file.files})
        return _texts(file[named[0]]), file[named[1]]


def _hdf5(path: Path) -> tuple[list[str], np.ndarray]:
    import h5py

    with h5py.File(path, "r") as file:
        named = _named_arrays(file)
        if named is None:
            raise ValueError(f"it has {', '.join(file) or 'nothing'}")
        return _texts(get_array(file, named[0])), get_array(file, named[1])


def _named_arrays(file: Mapping) -> tuple[str, str] | None:
    names, vectors = ([name for name in known if name in file] for known in (NAMES, VECTORS))
    return (names[0], vectors[0]) if names and vectors else None


def _texts(values: np.ndarray) -> list[str]:
    if values.ndim != 1:
        raise ValueError(f"the names have the shape {values.shape}, wanted (n,)")
    return [decode(bytes(value)) if isinstance(value, bytes) else str(value) for value in values.tolist()]


def _safetensors(path: Path) -> tuple[list[str], np.ndarray]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return _of_mapping(load_file(path))
    except (SafetensorError, json.JSONDecodeError) as error:
        raise ValueError(str(error)) from error


def _torch(path: Path) -> tuple[list[str], np.ndarray]:
    import pickle

    import torch

    try:
        with torch.serialization.safe_globals(_numpy_globals()):
            return _of_mapping(torch.load(path, map_location="cpu", weights_only=True))
    except pickle.UnpicklingError as error:
        raise ValueError("it holds more than tensors, arrays, texts and numbers") from error


def _numpy_globals() -> list:
    """What a pickled array is made of, under the names of numpy 1 and 2."""
    from numpy._core import multiarray

    makers = [getattr(multiarray, name) for name in ("_reconstruct", "scalar")]
    old = [(maker, f"numpy.core.multiarray.{maker.__name__}") for maker in makers]
    new = [(maker, f"numpy._core.multiarray.{maker.__name__}") for maker in makers]
    kinds = [getattr(np.dtypes, f"Float{bits}DType") for bits in (16, 32, 64)]
    return [*old, *new, np.ndarray, np.dtype, *kinds]


def _pickle(path: Path) -> tuple[list[str], np.ndarray]:
    return _of_mapping(read_pickle(path))


def _of_mapping(content: object) -> tuple[list[str], np.ndarray]:
    """Names and rows of {name: vector}, as the value itself or under `name2feat`."""
    if isinstance(content, Mapping) and "name2feat" in content:
        content = content["name2feat"]
    if not isinstance(content, Mapping) or not content:
        raise ValueError(f"it holds a {type(content).__name__}")
    rows = [np.asarray(value).reshape(-1) for value in content.values()]
    lengths = sorted({len(row) for row in rows})
    if len(lengths) > 1:
        raise ValueError(f"its vectors have {lengths[0]} to {lengths[-1]} entries")
    return [str(name) for name in content], np.stack(rows)


_READERS = {"npz": _npz, "hdf5": _hdf5, "safetensors": _safetensors, "torch": _torch, "pickle": _pickle}


def _unit(rows: np.ndarray, names: Sequence[str], where: str) -> np.ndarray:
    """(n, d) float32 unit rows."""
    if rows.ndim != 2 or len(rows) != len(names) or not np.issubdtype(rows.dtype, np.floating):
        raise ValueError(f"{len(names)} names, but vectors {rows.shape} of {rows.dtype}: wanted (n, d) floats")
    exact = rows.astype(np.float64)
    # Squares of large or small float64 numbers leave the range; those of a row scaled by its largest entry do not.
    with np.errstate(invalid="ignore"):
        exact /= np.maximum(np.abs(exact).max(axis=1, keepdims=True, initial=0.0), np.finfo(np.float64).tiny)
    norms = np.linalg.norm(exact, axis=1)
    bad = np.flatnonzero(~(np.isfinite(norms) & (norms > 0)))
    if len(bad):
        what = "zero" if norms[bad[0]] == 0 else "not finite"
        raise VectorError(f"{where}: {len(bad)} of {len(rows)} vectors cannot be used: {names[bad[0]]!r} is {what}")
    return (exact / norms[:, None]).astype(np.float32)
