"""The index that a query searches: opened, its settings chosen, its rows found among those of the store."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vfsearch.artefact import Artefact
from vfsearch.data.embeddings import Embeddings
from vfsearch.data.neighbors import NO_ROW
from vfsearch.data.space import Space, require_same_space
from vfsearch.data.text_places import places_of
from vfsearch.errors import ArtefactError, MismatchError, SettingsError
from vfsearch.index.answers import Opener, open_exactly, open_here
from vfsearch.index.backends import open_index, opened, working_device
from vfsearch.index.base import Gallery, Index, Opened
from vfsearch.index.exact import ExactIndex
from vfsearch.index.layout import read_index_artefact
from vfsearch.index.partitions import COUNT, is_sharded
from vfsearch.index.settings import BuildSettings
from vfsearch.index.sharded import ShardedIndex


@dataclass(frozen=True, kw_only=True)
class SearchSettings:
    """How to search an index.

    Args:
        exact: compare with every row of it instead, with our own kernels.
        knobs: search setting -> value, in place of those that it was tuned to or has by default.
    """

    exact: bool = False
    knobs: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.exact and self.knobs:
            name = next(iter(self.knobs))
            raise SettingsError(f"an exact search has no settings, but {name} is given: ask for one of the two")

    def to_json(self) -> dict:
        """The settings as JSON."""
        return {"exact": self.exact, "search": dict(sorted(self.knobs.items()))}


def open_searched(
    folder: Path, settings: SearchSettings, device: str, opener: Opener = open_here, partial: bool = False
) -> Index:
    """Open an index, ready to be searched as the settings say.

    Args:
        folder: of the index.
        settings: how to search.
        device: where computing happens; a back end that cannot search there searches on the CPU.
        opener: opens the partitions of a sharded one.
        partial: leave out partitions that cannot be opened.
    Raises:
        ArtefactError: there is none.
        DamagedError: a file is damaged.
        SettingsError: a search setting is unknown or out of range, or the back end needs a GPU.
        UnknownNameError, MissingExtraError: its back end is not known or not installed here.
    """
    artefact = read_index_artefact(folder)
    where = device if settings.exact else working_device(artefact.about["backend"], device)
    if is_sharded(artefact):
        index: Index = opener(artefact, where, settings.exact, partial)
    elif settings.exact:
        artefact.verify()
        return ExactIndex(opened(artefact, device))
    else:
        index = open_index(folder, where)
    if settings.knobs:
        index.use({**artefact.about["search"], **settings.knobs})
    return index


def lost_partitions(artefact: Artefact | None, index: Index) -> dict:
    """What is not searched because its partitions could not be opened; nothing where all were."""
    if artefact is None or not isinstance(index, ShardedIndex) or not index.answering.lost:
        return {}
    return {
        "partitions": artefact.about[COUNT],
        "partitions_lost": len(index.answering.lost),
        "index_rows": len(index),
        "index_rows_lost": artefact.about["rows"] - len(index),
    }


def true_index(index: Index, device: str) -> Index | None:
    """What searches the rows of an open index exactly; None for one that does so itself."""
    if index.exact:
        return None
    return index.searching_exactly() if isinstance(index, ShardedIndex) else open_exactly(index, device)


def exact_index(rows: Embeddings, store: str, device: str) -> ExactIndex:
    """An index of rows that are in memory, made for one query.

    Args:
        rows: to search.
        store: digest of the store that they are from.
        device: where to search.
    """
    gallery = Gallery(
        ids=rows.ids, identities=rows.identities, columns=rows.columns, modality=rows.modality, space=rows.space,
        store=store,
    )  # fmt: skip
    settings = BuildSettings(backend="exact")
    return ExactIndex(
        Opened(
            folder=Path("(pooled)"), paths={}, gallery=gallery, vectors=rows.vectors, made_with=settings, device=device
        )
    )


def require_fitting(artefact: Artefact, modality: str, space: Space, where: str) -> None:
    """Refuse an index of other rows than those to be searched.

    Args:
        artefact: the index.
        modality: that is to be searched.
        space: of what it is compared with.
        where: what that is, for the message.
    Raises:
        MismatchError: the index is of the other modality.
        SpaceMismatchError: it is of another space, or of another dimension.
    """
    if artefact.about["modality"] != modality:
        raise MismatchError(
            f"the index {artefact.folder} holds {artefact.about['modality']} rows, but the gallery is {modality}: "
            f"name an index of {modality} rows, or ask with --gallery {artefact.about['modality']}"
        )
    require_same_space(space, where, Space(**artefact.about["space"]), f"the index {artefact.folder}")


def rows_in_index(index: Index, store_rows: Embeddings, chosen: np.ndarray, store: Path) -> np.ndarray:
    """The row of the index that each of some rows of the store has.

    Args:
        index: of the store's rows, of some of them, in any order.
        store_rows: all rows of its modality in the store.
        chosen: (g,) which of them are asked for.
        store: its folder, for messages.
    Returns:
        (g,) int64 rows of the index; -1 for what it lacks.
    Raises:
        MismatchError: the index has rows that the store lacks.
        ArtefactError: it has none of the rows asked for.
    """
    place = places_of(index.gallery.ids, store_rows.ids)
    _require_known(index, place, len(store_rows), store)
    row_of = np.full(len(store_rows), NO_ROW, np.int64)
    row_of[place] = np.arange(len(place))
    found = row_of[chosen]
    if (found == NO_ROW).all():
        raise ArtefactError(
            f"the index {index.folder} holds {len(index):,} rows, but none of the {len(chosen):,} that are asked for: "
            "was it built of another split? Ask with its --split, or build an index of these rows"
        )
    return found


def _require_known(index: Index, place: np.ndarray, rows: int, store: Path) -> None:
    strange = np.flatnonzero(place == NO_ROW)
    if len(strange):
        raise MismatchError(
            f"the index {index.folder} holds {len(index):,} rows, {len(strange):,} of which are not among the {rows:,} "
            f"{index.gallery.modality} rows of the store {store}, such as {index.gallery.ids[int(strange[0])]!r}: "
            "build it anew with `vfsearch index build`, or name the store that it was built from"
        )
