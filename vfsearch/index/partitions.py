"""How a sharded index lies on disk: an index of its own for each partition, and the sealed list of them.

The list has no rows itself: its files are the manifests of the partitions, whose digests seal everything below them.
"""

import re
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from vfsearch.artefact import MANIFEST_NAME, Artefact
from vfsearch.errors import SettingsError
from vfsearch.index.layout import read_index_artefact

COUNT = "partitions"
"""What an index says of itself if it is sharded."""
ROLE = "partition"
_OWN_FOLDERS = r"[0-9a-f]{8}-part-\d{5}"


@dataclass(frozen=True, kw_only=True)
class Partition:
    """Consecutive rows of a sharded index.

    Args:
        folder: of their index.
        first: row of the whole that its first row is.
        rows: how many it has.
        size_bytes: of its files.
    """

    folder: Path
    first: int
    rows: int
    size_bytes: int

    @property
    def name(self) -> str:
        """Of its folder."""
        return self.folder.name


def is_sharded(artefact: Artefact) -> bool:
    """Whether an index is a list of partitions."""
    return COUNT in artefact.about


def partitions_of(artefact: Artefact) -> list[Partition]:
    """The partitions of a sharded index, in the order of their rows."""
    found, first = [], 0
    for name, facts in artefact.files.items():
        folder = (artefact.folder / name).parent
        found.append(Partition(folder=folder, first=first, rows=facts["rows"], size_bytes=facts["bytes"]))
        first += facts["rows"]
    return found


def verify_files(artefact: Artefact) -> None:
    """Read every file of an index, sharded or not, and check it.

    Raises:
        ArtefactError, DamagedError: one is gone or damaged.
    """
    artefact.verify()
    for partition in partitions_of(artefact) if is_sharded(artefact) else ():
        read_index_artefact(partition.folder).verify()


def size_bytes(artefact: Artefact) -> int:
    """Bytes of the files of an index, sharded or not."""
    files = artefact.files.values()
    return sum(facts["size"] + facts.get("bytes", 0) for facts in files)


def spans(rows: int, count: int) -> list[tuple[int, int]]:
    """From which row to before which each of so many partitions goes: all as long as one another, to one row.

    Raises:
        SettingsError: there are fewer rows than partitions.

    Example:
        >>> spans(10, 3)
        [(0, 3), (3, 6), (6, 10)]
    """
    if not 1 <= count <= rows:
        raise SettingsError(f"{rows} rows cannot be put into {count} partitions; ask for 1 to {rows}")
    return [(rows * place // count, rows * (place + 1) // count) for place in range(count)]


def manifest_of(partition: Path) -> str:
    """What a sharded index calls the manifest of one of its partitions."""
    return f"{partition.name}/{MANIFEST_NAME}"


def remove_partitions(folder: Path, kept: Collection[str] = ()) -> None:
    """Remove the folders of partitions that an index does not have; call it while holding the index's lock.

    Args:
        folder: of the index.
        kept: names of folders that stay.
    """
    for path in list(folder.iterdir()):
        if re.fullmatch(_OWN_FOLDERS, path.name) and path.name not in kept and path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
