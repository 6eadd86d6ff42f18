"""What a partition answers about its own rows, wherever it is open."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from vfsearch.artefact import Artefact
from vfsearch.data.neighbors import Neighbors
from vfsearch.errors import ArtefactError
from vfsearch.index.base import Index, Opened
from vfsearch.index.exact import ExactIndex
from vfsearch.index.partitions import Partition, partitions_of
from vfsearch.index.settings import BuildSettings
from vfsearch.index.sharded import Facts, ShardedIndex, check_partition, open_partition
from vfsearch.kernels.parted_ranks import MateScores, PartRanks, UnitCounts


class PartitionAnswers:
    """One open partition. Every method may be asked again, after its process died, elsewhere.

    Args:
        index: the partition.
        max_memory: bytes that ranking may use beside rows and results; None: 1 GiB.
    """

    def __init__(self, index: Index, max_memory: int | None = None) -> None:
        self._index, self._max_memory = index, max_memory
        self._settings: Mapping[str, int] | None = dict(index.settings)
        self._exact: ExactIndex | None = None
        self._ranks: PartRanks | None = None

    def facts(self) -> Facts:
        """What is to be known of it."""
        index = self._index
        return Facts(
            exact=index.exact, knobs=index.knobs, exhaustive=index.exhaustive, memory_bytes=index.memory_bytes()
        )

    def inspect(self) -> list[str]:
        """See `Index.inspect`."""
        return self._index.inspect()

    def search(
        self,
        queries: np.ndarray,
        k: int,
        rows: np.ndarray | None,
        exclude: np.ndarray | None,
        max_memory: int | None,
        settings: Mapping[str, int] | None,
    ) -> Neighbors:
        """See `Index.search`.

        Args:
            queries, k, rows, exclude, max_memory: as there; rows are those of the partition.
            settings: of the search; None: compare with every row.
        """
        if settings is None:
            return self._exactly().search(queries, k, rows, exclude, max_memory)
        if settings != self._settings:
            self._index.use(settings)
            self._settings = dict(settings)
        return self._index.search(queries, k, rows, exclude, max_memory)

    def rank_among(self, rows: np.ndarray | None, identities: np.ndarray) -> None:
        """Ranks are among these rows from now on.

        Args:
            rows: (m,) ascending; None: all.
            identities: (m,) int64 whose they are.
        """
        vectors = self._index.vectors if rows is None else self._index.vectors[rows]
        self._ranks = PartRanks(vectors, identities, self._max_memory)

    def mate_scores(self, queries: np.ndarray, identities: np.ndarray, exclude: np.ndarray | None) -> MateScores:
        """See `PartRanks.mate_scores`."""
        return self._ranks.mate_scores(queries, identities, exclude)

    def counts(
        self, queries: np.ndarray, identities: np.ndarray, exclude: np.ndarray | None, mates: MateScores
    ) -> tuple[np.ndarray, np.ndarray]:
        """See `PartRanks.counts`."""
        return self._ranks.counts(queries, identities, exclude, mates)

    def unit_counts(
        self,
        queries: np.ndarray,
        identities: np.ndarray,
        exclude: np.ndarray | None,
        mates: MateScores,
        units: np.ndarray,
        count: int,
    ) -> UnitCounts:
        """See `PartRanks.unit_counts`."""
        return self._ranks.unit_counts(queries, identities, exclude, mates, units, count)

    def _exactly(self) -> Index:
        if self._index.exact:
            return self._index
        self._exact = self._exact or open_exactly(self._index, self._index.device)
        return self._exact


def open_exactly(index: Index, device: str) -> ExactIndex:
    """What searches the rows of an open index exactly, on a device."""
    rows = Opened(
        folder=index.folder, paths={}, gallery=index.gallery, vectors=index.vectors,
        made_with=BuildSettings(backend="exact"), device=device,
    )  # fmt: skip
    return ExactIndex(rows)


class Here:
    """Partitions that are open in this process, one after another asked; `vfsearch.index.sharded.Answering`.

    Args:
        artefact: the list of them.
        device: where they search.
        exactly: open them as rows alone, whatever their back end.
        partial: leave out those that cannot be opened.
    Raises:
        ArtefactError, DamagedError: one cannot be opened.
        MissingExtraError, SettingsError: their back end is not installed here, or does not search on this device.
    """

    def __init__(self, artefact: Artefact, device: str, exactly: bool = False, partial: bool = False) -> None:
        self.lost: dict[str, str] = {}
        self.elsewhere = False
        self.partitions: list[Partition] = []
        self._open: list[PartitionAnswers] = []
        for partition in partitions_of(artefact):
            try:
                check_partition(artefact, partition)
                index = open_partition(partition, device, exactly)
            except ArtefactError as error:
                if not partial:
                    raise
                self.lost[partition.name] = str(error)
                continue
            self.partitions.append(partition)
            self._open.append(PartitionAnswers(index))

    def ask(self, what: str, arguments: Mapping[int, tuple]) -> dict[int, Any]:
        """See `Answering.ask`."""
        return {number: getattr(self._open[number], what)(*given) for number, given in arguments.items()}

    def prepare(self, what: str, arguments: Mapping[int, tuple]) -> None:
        """See `Answering.prepare`."""
        self.ask(what, arguments)


Opener = Callable[[Artefact, str, bool, bool], ShardedIndex]
"""(list of partitions, device, exactly, partial) -> the index."""


def open_here(artefact: Artefact, device: str, exactly: bool = False, partial: bool = False) -> ShardedIndex:
    """A sharded index whose partitions are open in this process; see `Here`."""
    return ShardedIndex(artefact, Here(artefact, device, exactly, partial), device, exactly)
