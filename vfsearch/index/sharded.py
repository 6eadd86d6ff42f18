"""A sharded index, searched: every partition is asked, and the best of their answers are the answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from vfsearch.artefact import Artefact
from vfsearch.data.neighbors import NO_ROW, Neighbors
from vfsearch.data.parted_vectors import PartedVectors
from vfsearch.data.space import Space
from vfsearch.data.texts import Texts
from vfsearch.errors import ArtefactError, SettingsError
from vfsearch.index.backends import open_index, opened
from vfsearch.index.base import Gallery, Index, Opened
from vfsearch.index.exact import ExactIndex
from vfsearch.index.layout import read_index_artefact
from vfsearch.index.partitions import Partition, manifest_of
from vfsearch.index.settings import BuildSettings, Knob


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is to be known of an open partition.

    Args:
        exact: whether its searches are.
        knobs: its search settings.
        exhaustive: see `Index.exhaustive`.
        memory_bytes: that its searches keep.
    """

    exact: bool
    knobs: tuple[Knob, ...]
    exhaustive: dict[str, int] | None
    memory_bytes: int


class Answering(Protocol):
    """Partitions that are open somewhere.

    `ask` names a method of `vfsearch.index.answers.PartitionAnswers` and gives each partition its own arguments.
    """

    partitions: Sequence[Partition]
    """Those that are there."""
    lost: Mapping[str, str]
    """Name -> why a partition could not be opened and is left out."""
    elsewhere: bool
    """Whether what they compute costs this process nothing, so that they are asked for whatever they can."""

    def ask(self, what: str, arguments: Mapping[int, tuple]) -> dict[int, Any]:
        """Number of a partition -> its answer, of those that were given arguments."""

    def prepare(self, what: str, arguments: Mapping[int, tuple]) -> None:
        """As `ask`, for what a partition must have been told before it can answer; none answers."""


class ShardedIndex(Index):
    """Partitions as one index; rows are numbered through all of them.

    Args:
        artefact: the list of partitions.
        answering: the partitions.
        device: where they search.
        exactly: compare with every row instead.
    """

    backend = "sharded"

    def __init__(self, artefact: Artefact, answering: Answering, device: str, exactly: bool = False) -> None:
        self.answering = answering
        super().__init__(_joined(artefact, answering.partitions, device))
        self._artefact, self._exactly = artefact, exactly
        rows = [partition.rows for partition in answering.partitions]
        self._ends = np.cumsum(rows)
        self.firsts = self._ends - rows
        found = answering.ask("facts", self._all())
        self._facts: list[Facts] = [found[number] for number in sorted(found)]
        self.use({} if exactly else artefact.about["search"])

    @property
    def exact(self) -> bool:
        """See `Index.exact`."""
        return self._exactly or all(facts.exact for facts in self._facts)

    @property
    def knobs(self) -> tuple[Knob, ...]:
        """The settings of the partitions, within the ranges that all of them have."""
        if self._exactly:
            return ()
        return tuple(_common(knobs) for knobs in zip(*(facts.knobs for facts in self._facts), strict=True))

    @property
    def exhaustive(self) -> dict[str, int] | None:
        """See `Index.exhaustive`: the settings of the partitions, where they have the same."""
        first = self._facts[0].exhaustive
        return first if all(facts.exhaustive == first for facts in self._facts) else None

    @classmethod
    def write(cls, rows, settings, writer, device, progress) -> None:
        """Partitions are written by back ends of their own; see `vfsearch.index.sharding`."""
        raise NotImplementedError

    def searching_exactly(self) -> "ShardedIndex":
        """The same partitions, compared row by row."""
        return ShardedIndex(self._artefact, self.answering, self.device, exactly=True)

    def search(
        self,
        queries: np.ndarray,
        k: int,
        rows: np.ndarray | None = None,
        exclude: np.ndarray | None = None,
        max_memory: int | None = None,
    ) -> Neighbors:
        """See `Index.search`; what partitions find is put in the one order of scores and rows."""
        if k < 1:
            raise SettingsError(f"k is {k}, it must be at least 1")
        settings = None if self._exactly else self.settings
        asked = {}
        for number, (first, last) in enumerate(zip(self.firsts, self._ends, strict=True)):
            some = within(rows, first, last)
            if some is None or len(some):
                least = min(k, last - first if some is None else len(some))
                asked[number] = (queries, int(least), some, own(exclude, first, last), max_memory, settings)
        found = self.answering.ask("search", asked)
        return merged([(int(self.firsts[number]), found[number]) for number in sorted(found)], len(queries), k)

    def inspect(self) -> list[str]:
        """See `Index.inspect`."""
        found = self.answering.ask("inspect", self._all())
        return [fault for number in sorted(found) for fault in found[number]]

    def memory_bytes(self) -> int:
        """See `Index.memory_bytes`."""
        return sum(facts.memory_bytes for facts in self._facts)

    def _all(self) -> dict[int, tuple]:
        return dict.fromkeys(range(len(self.answering.partitions)), ())


def within(rows: np.ndarray | None, first: int, last: int) -> np.ndarray | None:
    """Ascending rows of the whole that stand in a partition, as rows of it; None for all of them."""
    if rows is None:
        return None
    some = rows[slice(*np.searchsorted(rows, [first, last]))] - first
    return None if len(some) == last - first else some


def own(rows: np.ndarray | None, first: int, last: int) -> np.ndarray | None:
    """(q,) rows of the whole as rows of a partition; -1 for those elsewhere; None where all are."""
    if rows is None:
        return None
    here = (rows >= first) & (rows < last)
    return np.where(here, rows - first, NO_ROW) if here.any() else None


def merged(found: Sequence[tuple[int, Neighbors]], queries: int, k: int) -> Neighbors:
    """The k best of what several partitions found, equal scores in the order of their rows.

    Args:
        found: first row of a partition, and its neighbours, numbered from there.
        queries: how many there are.
        k: how many neighbours, at least 1.

    Example:
        >>> one = Neighbors(rows=np.array([[1, 0]]), scores=np.array([[0.9, 0.5]]))
        >>> two = Neighbors(rows=np.array([[0, -1]]), scores=np.array([[0.9, -np.inf]]))
        >>> merged([(0, one), (2, two)], 1, 3).rows.tolist()
        [[1, 2, 0]]
    """
    none = Neighbors(rows=np.full((queries, k), NO_ROW), scores=np.full((queries, k), -np.inf))
    parts = [(np.where(each.rows == NO_ROW, NO_ROW, each.rows + first), each.scores) for first, each in found]
    rows = np.concatenate([*(rows for rows, _ in parts), none.rows], axis=1)
    scores = np.concatenate([*(scores for _, scores in parts), none.scores], axis=1)
    # Rows ascend from part to part, those of a part are in order: a stable sort keeps equal scores so.
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return Neighbors(rows=np.take_along_axis(rows, best, axis=1), scores=np.take_along_axis(scores, best, axis=1))


def open_partition(partition: Partition, device: str, exactly: bool = False) -> Index:
    """Open the index of a partition, checked.

    Args:
        partition: which.
        device: where it searches.
        exactly: as rows alone, whatever its back end.
    Raises:
        ArtefactError, DamagedError: it is gone or damaged.
    """
    if not exactly:
        return open_index(partition.folder, device)
    artefact = read_index_artefact(partition.folder)
    artefact.verify()
    return ExactIndex(opened(artefact, device))


def check_partition(artefact: Artefact, partition: Partition) -> None:
    """Refuse a partition that is not the one that was listed.

    Raises:
        ArtefactError, DamagedError: it is not.
    """
    artefact.checked_path(manifest_of(partition.folder))


def _joined(artefact: Artefact, partitions: Sequence[Partition], device: str) -> Opened:
    """What is known of the rows of all partitions."""
    if not partitions:
        raise ArtefactError(f"no partition of the index {artefact.folder} can be opened")
    parts = [opened(read_index_artefact(partition.folder), device) for partition in partitions]
    about = artefact.about
    names = sorted({name for part in parts for name in part.gallery.columns})
    galleries = [part.gallery for part in parts]
    gallery = Gallery(
        ids=Texts.joined([Texts.of(each.ids) for each in galleries]),
        identities=Texts.joined([Texts.of(each.identities) for each in galleries]),
        columns={
            name: Texts.joined([Texts.of(each.columns.get(name) or [""] * len(each.ids)) for each in galleries])
            for name in names
        },
        modality=about["modality"], space=Space(**about["space"]), store=about["store"],
    )  # fmt: skip
    return Opened(
        folder=artefact.folder, paths={}, gallery=gallery, vectors=PartedVectors([part.vectors for part in parts]),
        made_with=BuildSettings.from_json(about["settings"]), device=device,
    )  # fmt: skip


def _common(knobs: Sequence[Knob]) -> Knob:
    """One search setting of several partitions."""
    low, high = max(knob.low for knob in knobs), min(knob.high for knob in knobs)
    first = knobs[0]
    ladder = tuple(value for value in first.ladder if low <= value <= high)
    if high < first.high and high not in ladder:
        ladder = (*ladder, high)
    default = min(max(first.default, low), high)
    return Knob(name=first.name, default=default, low=low, high=high, ladder=ladder, help=first.help)
