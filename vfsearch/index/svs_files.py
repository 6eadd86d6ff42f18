"""The files that SVS reads and writes: rows behind a header, and settings beside them."""

import contextlib
import re
import struct
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from vfsearch.errors import DamagedError
from vfsearch.index.vector_file import VectorFile
from vfsearch.progress import Progress

GRAPH, ROWS, ABOUT = "index.graph", "index.rows", "index.json"
"""Roles of the files of an index."""
LINK = np.dtype("<u4")
MAGIC = 0xCAD4A6B2579980FE
HEADER = struct.Struct("<Q16sQQ")
HEADER_BYTES = 1024
CONFIG, GRAPH_FILE, ROWS_FILE = "svs_config.toml", "graph_0.svs", "rows.svs"
UUID = re.compile(r"^(uuid = )'[0-9a-f-]+'", re.MULTILINE)
NO_UUID = "00000000-0000-0000-0000-000000000000"


def header(rows: int, width: int) -> bytes:
    """What stands before `rows` rows of `width` numbers."""
    return HEADER.pack(MAGIC, bytes(16), rows, width).ljust(HEADER_BYTES, b"\0")


def file_bytes(rows: int, width: int, dtype: np.dtype) -> int:
    """Size of a file of rows."""
    return HEADER_BYTES + rows * width * np.dtype(dtype).itemsize


def row_pieces(rows: VectorFile, encode: Callable[[np.ndarray], np.ndarray], progress: Progress) -> Iterator[bytes]:
    """A file of rows, piece by piece.

    Args:
        rows: (n, d) float32 unit rows.
        encode: what is kept of some of them.
        progress: called with rows written.
    """
    yield header(*rows.shape)
    for start, block in rows.blocks():
        yield encode(block).tobytes()
        progress("rows encoded", start + len(block), len(rows))


def require_file(path: Path, rows: int, width: int, dtype: np.dtype) -> None:
    """Refuse a file that does not hold these rows; SVS believes what its header says.

    Raises:
        DamagedError: naming what differs.
    """
    with path.open("rb") as file:
        start = file.read(HEADER.size)
    size, wanted = path.stat().st_size, file_bytes(rows, width, dtype)
    if len(start) < HEADER.size or size != wanted:
        raise DamagedError(f"{path} has {size:,} bytes, the index wants {wanted:,}; make it anew")
    magic, _, got_rows, got_width = HEADER.unpack(start)
    if (magic, got_rows, got_width) != (MAGIC, rows, width):
        raise DamagedError(f"{path} says that it holds {got_rows} x {got_width}, wanted {rows} x {width}; make it anew")


def content(path: Path, rows: int, width: int, dtype: np.dtype) -> np.ndarray:
    """(rows, width) what a file holds, mapped."""
    return np.memmap(path, np.dtype(dtype), "r", HEADER_BYTES, (rows, width))


def without_uuid(text: str) -> str:
    """A file of settings without the name that SVS draws for each file: the same build gives the same bytes.

    Example:
        >>> without_uuid("uuid = '1b4e28ba-2fa1-11d2-883f-0016d3cca427'")
        "uuid = '00000000-0000-0000-0000-000000000000'"
    """
    return UUID.sub(rf"\1'{NO_UUID}'", text)


def remove_uuid(path: Path) -> None:
    """Take the name that SVS drew for a file out of its header."""
    with path.open("r+b") as file:
        file.seek(8)
        file.write(bytes(16))


@contextlib.contextmanager
def laid_out(links: Mapping[str, Path], texts: Mapping[str, str]) -> Iterator[Path]:
    """Files under the names by which SVS looks for them, in a private folder that is gone afterwards.

    Args:
        links: "folder/name" -> file.
        texts: "folder/name" -> content.
    """
    with tempfile.TemporaryDirectory(prefix="vfsearch-") as name:
        folder = Path(name)
        for place, path in links.items():
            (folder / place).parent.mkdir(mode=0o700, exist_ok=True)
            (folder / place).symlink_to(path.resolve())
        for place, text in texts.items():
            (folder / place).parent.mkdir(mode=0o700, exist_ok=True)
            (folder / place).write_text(text)
        yield folder
