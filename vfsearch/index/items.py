"""The file that names the rows of an index: texts that are read where they lie, so that ten million cost no memory.

Layout: safetensors with `<column>.ends` (int64) and `<column>.data` (uint8) for "ids", "identities" and each
"columns/<name>".
"""

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from vfsearch.data.space import Space
from vfsearch.data.texts import Texts
from vfsearch.errors import DamagedError
from vfsearch.index.base import Gallery

_TYPES = {"I64": np.dtype("<i8"), "U8": np.dtype("u1")}
_COLUMN = "columns/"


def pack_items(*parts: Gallery) -> Iterator[bytes]:
    """The bytes of the file, in pieces.

    Args:
        parts: what is known of the rows, one part after another, at least one; they are never joined in memory. A
            column that a part lacks is empty there.
    """
    columns = {"ids": [part.ids for part in parts], "identities": [part.identities for part in parts]}
    for name in sorted({name for part in parts for name in part.columns}):
        columns[_COLUMN + name] = [part.columns.get(name) or [""] * len(part.ids) for part in parts]
    texts = {name: [Texts.of(each) for each in column] for name, column in columns.items()}
    yield _header(texts)
    # The wide arrays first, so that all of them are aligned.
    for name in sorted(texts):
        yield from _ends(texts[name])
    for name in sorted(texts):
        yield from (np.ascontiguousarray(part.data).data for part in texts[name])


def _header(texts: Mapping[str, Sequence[Texts]]) -> bytes:
    """The head of a safetensors file: where each array lies."""
    header, end = {}, 0
    for kind, ending in (("I64", "ends"), ("U8", "data")):
        for name in sorted(texts):
            length = sum(len(getattr(part, ending)) for part in texts[name])
            start, end = end, end + length * _TYPES[kind].itemsize
            header[f"{name}.{ending}"] = {"dtype": kind, "shape": [length], "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text


def _ends(parts: Sequence[Texts]) -> Iterator[bytes]:
    """Where each text ends among those of all parts."""
    start = 0
    for part in parts:
        yield (part.ends + start).astype("<i8").tobytes()
        start += len(part.data)


def read_items(path: Path, modality: str, space: Space, store: str) -> Gallery:
    """What an index knows of its rows, mapped from a file that was checked before.

    Raises:
        DamagedError: the file is not what it should be.
    """
    try:
        columns = _mapped(path)
        ids, identities = columns.pop("ids"), columns.pop("identities")
    except (ValueError, KeyError, TypeError, struct.error, OSError) as error:
        raise DamagedError(f"{path} cannot be read as the items of an index: {error}; make it anew") from error
    named = {name.removeprefix(_COLUMN): texts for name, texts in columns.items()}
    wrong = [name for name, texts in {"identities": identities, **named}.items() if len(texts) != len(ids)]
    if wrong:
        raise DamagedError(f"{path} has {len(ids)} ids, but another number of {wrong[0]}; make the index anew")
    return Gallery(ids=ids, identities=identities, columns=named, modality=modality, space=space, store=store)


def _mapped(path: Path) -> dict[str, Texts]:
    whole = np.memmap(path, np.uint8, mode="r")
    (length,) = struct.unpack("<Q", whole[:8].tobytes())
    header = json.loads(whole[8 : 8 + length].tobytes())
    data = whole[8 + length :]
    arrays = {name: data[slice(*facts["data_offsets"])].view(_TYPES[facts["dtype"]]) for name, facts in header.items()}
    names = [name.removesuffix(".ends") for name in arrays if name.endswith(".ends")]
    return {name: Texts(arrays[f"{name}.ends"], arrays[f"{name}.data"]) for name in sorted(names)}
