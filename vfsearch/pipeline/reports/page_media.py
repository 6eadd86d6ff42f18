"""The media of a page: in the page while they are small, else in a folder beside it, named by their content."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from vfsearch.files import make_folder, remove_file, write_cached

MOST_INSIDE_BYTES = 24 * 2**20
"""Beyond it a page is slow to open."""
FOLDER_NAME = "media"
_OWN_NAME = re.compile(r"[0-9a-f]{20}\.(jpg|mp3)")


class PageMedia:
    """Media that were made for a page; of many the memory is not more than of few.

    Args:
        folder: of the page.
        most_inside_bytes: up to which they go into the page.
    """

    def __init__(self, folder: Path, most_inside_bytes: int = MOST_INSIDE_BYTES) -> None:
        self.folder = folder / FOLDER_NAME
        self.names: set[str] = set()
        self._inside: dict[str, bytes] | None = {}
        self._bytes, self._most = 0, most_inside_bytes

    @property
    def are_beside(self) -> bool:
        """Whether they are in the folder."""
        return self._inside is None

    def put(self, data: bytes, suffix: str) -> str:
        """Keep a medium; the same name for the same content.

        Args:
            data: of the file.
            suffix: "jpg" or "mp3".
        Raises:
            VfsearchError: the disk is full, ...
        """
        name = f"{hashlib.sha256(data).hexdigest()[:20]}.{suffix}"
        if name in self.names:
            return name
        self.names.add(name)
        self._bytes += len(data)
        if self._inside is not None:
            self._inside[name] = data
            if self._bytes > self._most:
                make_folder(self.folder)
                for each, kept in self._inside.items():
                    write_cached(self.folder / each, kept)
                self._inside = None
        else:
            write_cached(self.folder / name, data)
        return name

    def inside(self) -> Iterator[tuple[str, bytes]] | None:
        """Name and content of each; None: they are in the folder."""
        return None if self._inside is None else iter(self._inside.items())

    def tidy(self) -> None:
        """Remove what an earlier page left in the folder; other files stay."""
        if not self.folder.is_dir():
            return
        wanted = self.names if self.are_beside else set()
        for path in list(self.folder.iterdir()):
            if _OWN_NAME.fullmatch(path.name) and path.name not in wanted:
                remove_file(path)
        if not any(self.folder.iterdir()):
            self.folder.rmdir()
