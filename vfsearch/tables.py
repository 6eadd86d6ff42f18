"""Arrays and texts as HDF5 bytes: the same content always gives the same bytes, and a flipped bit does not read back.

HDF5 files are built in memory and written by `vfsearch.files`: one that is being written by the HDF5 library when its
process is killed is lost, and a full disk makes the library crash at close.
"""

import contextlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence

import h5py
import numpy as np

from vfsearch.errors import DamagedError


def build(fill: Callable[[h5py.File], None]) -> bytes:
    """The bytes of the HDF5 file that `fill` fills."""
    # The latest layout alone checksums its metadata; without a backing file nothing can be half-written.
    with h5py.File("memory", "w", driver="core", backing_store=False, libver=("v110", "v110")) as file:
        fill(file)
        file.flush()
        return file.id.get_file_image()


@contextlib.contextmanager
def reading(data: bytes, where: str) -> Iterator[h5py.File]:
    """Open bytes that were checked before.

    Args:
        data: an HDF5 file.
        where: its path, for the message.
    Raises:
        DamagedError: the bytes, or what the caller reads from them, are not what they should be.
    """
    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            yield file
    except (OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise DamagedError(f"{where} cannot be read as what it should be: {error}; make it anew") from error


def put_array(group: h5py.Group, name: str, values: np.ndarray) -> h5py.Dataset:
    """Store an array in chunks with a Fletcher-32 checksum each."""
    values = np.asarray(values)
    chunks = tuple(max(1, min(side, 4096)) for side in values.shape)
    limits = tuple(max(1, side) for side in values.shape)
    return group.create_dataset(
        name, data=values, chunks=chunks, maxshape=limits, fletcher32=True, track_times=False
    )  # fmt: skip


def put_texts(group: h5py.Group, name: str, texts: Sequence[str]) -> h5py.Dataset:
    """Store texts as UTF-8 of one fixed length: HDF5 cannot checksum texts of variable length."""
    # Twice, rather than to keep millions of them.
    width = max((len(encode(text)) for text in texts), default=1) or 1
    return put_array(group, name, np.fromiter((encode(text) for text in texts), f"S{width}", len(texts)))


def put_columns(group: h5py.Group, columns: Mapping[str, Sequence[str]]) -> None:
    """Store named texts; a name may hold any character."""
    for number, name in enumerate(sorted(columns)):
        put_texts(group, f"{number:03d}", columns[name]).attrs["name"] = np.bytes_(encode(name))


def get_array(group: h5py.Group, name: str) -> np.ndarray:
    """Read an array that `put_array` stored.

    Raises:
        ValueError: the file names another file as the place of its data.
    """
    dataset = group[name]
    # HDF5 can name any local file as the place of the data; a file of ours never does.
    if not isinstance(dataset, h5py.Dataset) or dataset.external is not None or dataset.is_virtual:
        raise ValueError(f"{name} is no array of this file's own")
    return dataset[()]


def get_texts(group: h5py.Group, name: str) -> list[str]:
    """Read texts that `put_texts` stored."""
    return [decode(value) for value in get_array(group, name)]


def get_columns(group: h5py.Group) -> dict[str, list[str]]:
    """Read texts that `put_columns` stored."""
    return {decode(bytes(group[key].attrs["name"])): get_texts(group, key) for key in group}


def encode(text: str) -> bytes:
    """UTF-8 that keeps undecodable file-name bytes."""
    return text.encode("utf-8", "surrogatepass")


def decode(data: bytes) -> str:
    """What `encode` was given."""
    return data.decode("utf-8", "surrogatepass")
