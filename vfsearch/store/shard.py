"""One HDF5 file of rows and failures.

Layout: `vectors` (n, d) float32 or float16; `ids`, `identities`, `columns/<number>` (named by the attribute `name`);
`failures/<field>` and `failures/columns/<number>` likewise; `origins/rows` (n, 16) and `origins/failures`, where known,
with the attribute `changed_by`. Attributes: schema, modality, split, space.
"""

import json

import h5py
import numpy as np

from vfsearch.data.embeddings import Embeddings
from vfsearch.data.failure import FailedItem
from vfsearch.data.shard import Origins, Shard
from vfsearch.data.space import Space
from vfsearch.tables import (
    build,
    decode,
    encode,
    get_array,
    get_columns,
    get_texts,
    put_array,
    put_columns,
    put_texts,
    reading,
)

SCHEMA = 1
DTYPES = ("float32", "float16")
_FAILURE_TEXTS = ("id", "path", "identity", "stage", "reason")


def pack_shard(shard: Shard, dtype: str) -> bytes:
    """The bytes of a shard file.

    Args:
        shard: what it holds.
        dtype: "float32" or "float16", of the stored vectors.
    """
    return build(lambda file: _fill(file, shard, dtype))


def _fill(file: h5py.File, shard: Shard, dtype: str) -> None:
    rows = shard.embeddings
    file.attrs["schema"] = SCHEMA
    # Texts of fixed length, here too: those of variable length lie in a heap that has no checksum.
    file.attrs["modality"] = np.bytes_(encode(rows.modality))
    file.attrs["split"] = np.bytes_(encode(shard.split))
    file.attrs["space"] = np.bytes_(encode(json.dumps(rows.space.to_json(), sort_keys=True)))
    put_array(file, "vectors", rows.vectors.astype(dtype))
    put_texts(file, "ids", rows.ids)
    put_texts(file, "identities", rows.identities)
    put_columns(file.create_group("columns"), rows.columns)
    failures = file.create_group("failures")
    for name in _FAILURE_TEXTS:
        put_texts(failures, name, [getattr(failure, name) for failure in shard.failures])
    names = {name for failure in shard.failures for name in failure.columns}
    columns = {name: [failure.columns.get(name, "") for failure in shard.failures] for name in names}
    put_columns(failures.create_group("columns"), columns)
    if shard.origins is not None:
        _put_origins(file.create_group("origins"), shard.origins)


def _put_origins(group: h5py.Group, origins: Origins) -> None:
    group.attrs["changed_by"] = np.bytes_(encode(origins.changed_by))
    put_array(group, "rows", origins.rows)
    put_array(group, "failures", origins.failures)


def unpack_shard(data: bytes, where: str) -> Shard:
    """The content of a shard file, from bytes that were checked before.

    Args:
        data: the file.
        where: its path, for the message.
    Raises:
        DamagedError: the bytes are no shard.
        VectorError: a row is not finite or not of unit length.
    """
    with reading(data, where) as file:
        modality = decode(bytes(file.attrs["modality"]))
        rows = Embeddings(
            ids=get_texts(file, "ids"),
            identities=get_texts(file, "identities"),
            vectors=_unit(get_array(file, "vectors")),
            modality=modality,
            space=Space(**json.loads(bytes(file.attrs["space"]))),
            columns=get_columns(file["columns"]),
        )
        return Shard(
            embeddings=rows,
            failures=_failures(file["failures"], modality),
            split=decode(bytes(file.attrs["split"])),
            origins=_origins(file["origins"]) if "origins" in file else None,
        )


def _origins(group: h5py.Group) -> Origins:
    return Origins(
        rows=get_array(group, "rows"),
        failures=get_array(group, "failures"),
        changed_by=decode(bytes(group.attrs["changed_by"])),
    )


def _failures(group: h5py.Group, modality: str) -> tuple[FailedItem, ...]:
    texts = {name: get_texts(group, name) for name in _FAILURE_TEXTS}
    columns = get_columns(group["columns"])
    return tuple(
        FailedItem(
            modality=modality,
            columns={name: values[row] for name, values in columns.items()},
            **{name: values[row] for name, values in texts.items()},
        )
        for row in range(len(texts["id"]))
    )


def _unit(vectors: np.ndarray) -> np.ndarray:
    """float32 rows; those stored as float16 are brought back to length one."""
    if vectors.dtype != np.float16:
        return vectors
    exact = vectors.astype(np.float64)
    return (exact / np.linalg.norm(exact, axis=1, keepdims=True)).astype(np.float32)
