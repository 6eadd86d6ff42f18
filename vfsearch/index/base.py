"""What an index is: gallery rows in, neighbours out."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from vfsearch.data.neighbors import Neighbors
from vfsearch.data.space import Space
from vfsearch.index.settings import BuildSettings, Knob, Parameter, checked_search
from vfsearch.progress import Progress

if TYPE_CHECKING:
    from vfsearch.index.vector_file import VectorFile
    from vfsearch.index.writer import IndexWriter


@dataclass(frozen=True, kw_only=True, eq=False)
class Gallery:
    """What an index knows of its rows beside their vectors.

    Args:
        ids, identities: of each row; lists, or texts that a file holds (`vfsearch.data.texts.Texts`).
        columns: name -> one text a row (path, split, ...).
        modality: of all rows.
        space: of all rows.
        store: digest of the store that they come from.
    """

    ids: Sequence[str]
    identities: Sequence[str]
    columns: Mapping[str, Sequence[str]]
    modality: str
    space: Space
    store: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Opened:
    """What every back end is given of an index that is opened; all files are checked already.

    Args:
        folder: where the index is.
        paths: role ("index.faiss") -> file.
        gallery: what is known of the rows.
        vectors: (n, d) float32 unit rows, mapped.
        made_with: build settings.
        device: where searches run.
    """

    folder: Path
    paths: Mapping[str, Path]
    gallery: Gallery
    vectors: np.ndarray
    made_with: BuildSettings
    device: str


class Index(ABC):
    """Rows of one modality that can be searched; made by `vfsearch.index.building`, opened by `open_index`.

    Args:
        opened: what the files say.
    """

    backend: ClassVar[str]
    parameters: ClassVar[tuple[Parameter, ...]] = ()
    """Build settings that the back end has."""
    devices: ClassVar[tuple[str, ...]] = ("cpu",)
    """Kinds of device that searches can run on."""

    def __init__(self, opened: Opened) -> None:
        self.folder = opened.folder
        self.gallery = opened.gallery
        self.vectors = opened.vectors
        self.made_with = opened.made_with
        self.device = opened.device
        self.settings: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.gallery.ids)

    @property
    def exact(self) -> bool:
        """Whether every search finds the true neighbours."""
        return False

    @property
    def knobs(self) -> tuple[Knob, ...]:
        """Search settings that this index has."""
        return ()

    def use(self, settings: Mapping[str, int]) -> None:
        """Search with these settings from now on; knobs that are not named get their default.

        Raises:
            SettingsError: a name is of no knob, or a value is out of range.
        """
        self.settings = checked_search(self.knobs, settings, f"the index {self.folder}")
        self._apply()

    @property
    def exhaustive(self) -> dict[str, int] | None:
        """Settings under which only quantisation loses neighbours, none the search.

        Recall under them splits a loss into what quantisation takes and what the search takes. None: rows are kept
        whole and no setting is sure to look at all of them, so that whatever is lost is lost by the search.
        """
        return None

    @classmethod
    def prepared(cls, settings: BuildSettings, rows: int, dimension: int) -> BuildSettings:
        """Checked build settings, those that depend on the size chosen; the same for the same arguments.

        Args:
            settings: what was asked for.
            rows, dimension: of the gallery.
        Raises:
            SettingsError: a setting is unknown, out of range, or does not go with this size.
        """
        return settings.completed(cls.parameters)

    @classmethod
    @abstractmethod
    def write(
        cls, rows: "VectorFile", settings: BuildSettings, writer: "IndexWriter", device: str, progress: Progress
    ) -> None:
        """Build from rows that are in their file, and write the files of the back end's own.

        A step that takes long is kept in the writer (`writer.step`), so that a killed build goes on after it. Rows are
        read piece by piece: memory holds what the index itself is made of, never all rows because it is simpler.

        Args:
            rows: (n, d) unit rows, checked.
            settings: as `prepared` gave them.
            writer: takes the files; roles are called "index.*".
            device: "cpu" or "cuda:N".
            progress: called with rows done.
        """

    @classmethod
    def rewrite(
        cls,
        old: Opened,
        keep: np.ndarray,
        added: int,
        rows: "VectorFile",
        settings: BuildSettings,
        writer: "IndexWriter",
        device: str,
        progress: Progress,
    ) -> str:
        """Write the files of an index from which rows were removed and to which rows were added.

        No byte of a removed row may stay in what is written. A back end that can do it without building anew
        overrides this.

        Args:
            old: the index as it is.
            keep: (n,) bool, which of its rows stay.
            added: how many rows are new; they come last.
            rows: the rows as they shall be: those that stay, in their order, then the new ones.
            settings: of the old index.
            writer, device, progress: as for `write`.
        Returns:
            How it was done, for people: "added in place", "built anew: hnswlib keeps removed rows in its file".
        """
        cls.write(rows, cls.prepared(settings, *rows.shape), writer, device, progress)
        return f"built anew: {cls.backend} cannot add to or remove from what it has built"

    @abstractmethod
    def search(
        self,
        queries: np.ndarray,
        k: int,
        rows: np.ndarray | None = None,
        exclude: np.ndarray | None = None,
        max_memory: int | None = None,
    ) -> Neighbors:
        """The k best rows of each query, as far as the index finds them.

        Args:
            queries: (q, d) unit rows of the index's space.
            k: how many.
            rows: (m,) ascending rows to search among; None: all.
            exclude: (q,) one row each query must not get (itself); -1 for none.
            max_memory: bytes to use beside the rows and the answer; None: 1 GiB.
        Returns:
            Neighbors, best first; padded where fewer than k were found.
        Raises:
            VectorError: the queries have another dimension, or one is not finite.
            SettingsError: k is less than 1.
        """

    def _apply(self) -> None:  # noqa: B027 -- a back end without knobs has nothing to do
        """Put `settings` in force."""

    def inspect(self) -> list[str]:
        """Faults of the structure that digests do not see: entries of no row, rows without entry; empty: none.

        This is what proves that removed rows are gone: every entry of every file belongs to a row that is listed.
        """
        return []

    def memory_bytes(self) -> int:
        """Bytes that searches keep in memory, as far as can be told; mapped files are not counted."""
        return 0
