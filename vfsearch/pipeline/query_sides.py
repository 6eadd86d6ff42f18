"""Both sides of a query: items or templates of a store, and the index that holds the gallery."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from vfsearch.artefact import Artefact
from vfsearch.data.embeddings import Embeddings
from vfsearch.data.failure import FailedItem
from vfsearch.data.neighbors import NO_ROW
from vfsearch.data.pooling import Pooling
from vfsearch.data.templates import failed_groups
from vfsearch.data.text_places import distinct
from vfsearch.errors import ArtefactError, MismatchError, SettingsError
from vfsearch.index.answers import Opener, open_here
from vfsearch.index.base import Index
from vfsearch.index.sharded import ShardedIndex
from vfsearch.index.sharded_ranking import ShardedRanking
from vfsearch.pipeline.engine import SEEN_COLUMN
from vfsearch.pipeline.pooled_rows import pooled
from vfsearch.pipeline.query_settings import QuerySettings
from vfsearch.pipeline.searched_index import exact_index, lost_partitions, open_searched, rows_in_index
from vfsearch.pipeline.workspace import chosen_split
from vfsearch.protocol.comparison import Comparison, compare
from vfsearch.store.store import Store


@dataclass(frozen=True, kw_only=True, eq=False)
class Side:
    """Items, or templates of them.

    Args:
        rows: what is compared.
        items: n ids of the items.
        members: (n,) the row that each item is in; -1 for none.
        failed: what has no row because nothing of it could be embedded.
        pooling: how items became rows; None: each is its own.
        failed_items: how many items could not be embedded.
    """

    rows: Embeddings
    items: Sequence[str]
    members: np.ndarray
    failed: Sequence[FailedItem]
    pooling: Pooling | None
    failed_items: int

    def of_split(self, split: str | None, where: str) -> tuple["Side", np.ndarray]:
        """The rows of one split, and their numbers.

        Raises:
            ArtefactError: there are none.
        """
        chosen = self.rows.rows_of_split(split)
        if not len(chosen):
            raise ArtefactError(f"{where} has no {self.rows.modality} rows with split={split}")
        return self.only(chosen), chosen

    def only(self, chosen: np.ndarray) -> "Side":
        """Some rows.

        Args:
            chosen: (m,) their numbers.
        """
        place = np.full(len(self.rows) + 1, NO_ROW)
        place[chosen] = np.arange(len(chosen))
        return Side(
            rows=self.rows.take(chosen), items=self.items, members=place[self.members], failed=self.failed,
            pooling=self.pooling, failed_items=self.failed_items,
        )  # fmt: skip

    def counts(self, what: str) -> dict:
        """How many items were pooled; nothing where none were."""
        if self.pooling is None:
            return {}
        return {f"{what}_items": int((self.members != NO_ROW).sum()), f"failed_{what}_items": self.failed_items}


def make_side(rows: Embeddings, failed: Sequence[FailedItem], pooling: Pooling | None) -> Side:
    """Items as they are, or pooled.

    Raises:
        SettingsError, VectorError: they cannot be pooled so.
    """
    if pooling is None:
        members, made, gone = np.arange(len(rows)), rows, list(failed)
    else:
        templates = pooled(rows, pooling)
        members, made = templates.members, templates.rows
        gone = failed_groups(failed, made, pooling)
    return Side(
        rows=made, items=rows.ids, members=members, failed=gone, pooling=pooling, failed_items=len(failed)
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class QuerySides:
    """What a query compares.

    Args:
        probes, gallery: the two sides, of one split.
        index: holds the gallery.
        rows: (g,) the row of the index that each row of the gallery has; -1 for what it lacks.
        counts: how many there are of all.
    """

    probes: Side
    gallery: Side
    index: Index
    rows: np.ndarray
    counts: dict

    def compared(self, device: str, max_memory: int | None) -> Comparison:
        """The sides as protocols take them.

        Raises:
            SettingsError: a template would be compared with what it is made of.
            MismatchError: partitions elsewhere lack an item of the gallery.
        """
        itself = shared_rows(self.probes, self.gallery)
        found = compare(self.probes.rows, self.gallery.rows, self.probes.failed, device, max_memory, itself)
        if not _elsewhere(self.index):
            return found
        return replace(found, ranked=ShardedRanking(self.index, self.rows, found.sides.gallery))


def query_sides(
    store: Store,
    settings: QuerySettings,
    artefact: Artefact | None,
    device: str,
    opener: Opener = open_here,
    partial: bool = False,
) -> QuerySides:
    """Load both sides of a query, pool them where that is asked for, and find the gallery in the index.

    Args:
        store: of both.
        settings: what is asked.
        artefact: the index; None: the gallery is pooled for this query, and searched exactly.
        device: where to search.
        opener: opens the partitions of a sharded index.
        partial: leave out partitions that cannot be opened, and what they hold.
    Raises:
        ArtefactError: no items of the split.
        MismatchError: the index has rows that the store lacks.
        SettingsError, VectorError: items cannot be pooled so.
    """
    where = f"the store {store.artefact.folder}"
    # Both sides are asked for the same split: a gallery of seen items would flatter nobody fairly.
    splits = sorted({*store.splits(settings.probe), *store.splits(settings.gallery)})
    split = chosen_split(splits, settings.split, "test", where)
    index = None if artefact is None else open_searched(artefact.folder, settings.search, device, opener, partial)
    probes = make_side(
        store.load(settings.probe, split), store.failures(settings.probe, split), settings.pool_probes
    )  # fmt: skip
    lost = {} if artefact is None else lost_partitions(artefact, index)
    if _elsewhere(index) and artefact.about.get("pooling") is None:
        gallery, rows = _of_index(index, store, split, where, lost)
        more = store.count("rows", settings.gallery) - len(index)
    else:
        everyone = make_side(*_gallery(store, settings, artefact, split))
        gallery, chosen = everyone.of_split(split, where)
        if index is None:
            index = exact_index(gallery.rows, store.digest, device)
            rows = np.arange(len(chosen))
        else:
            rows = rows_in_index(index, everyone.rows, chosen, store.artefact.folder)
        if lost:
            held = np.flatnonzero(rows != NO_ROW)
            gallery, rows = gallery.only(held), rows[held]
        more = len(everyone.rows) - len(index)
    counts = {**_counts(probes, gallery, split, index, rows), "store_rows_not_in_index": more, **lost}
    return QuerySides(probes=probes, gallery=gallery, index=index, rows=rows, counts=counts)


def _elsewhere(index: Index | None) -> bool:
    return isinstance(index, ShardedIndex) and index.answering.elsewhere


def _of_index(
    index: ShardedIndex, store: Store, split: str | None, where: str, lost: dict
) -> tuple[Side, np.ndarray]:  # fmt: skip
    """The gallery as an index knows it, and its rows there: no vector is loaded, workers have them.

    Raises:
        ArtefactError: there are no items of the split.
        MismatchError: the index lacks some of them.
    """
    known = index.gallery
    rows = Embeddings(
        ids=known.ids, identities=known.identities, vectors=index.vectors, modality=known.modality, space=known.space,
        columns=known.columns,
    )  # fmt: skip
    side, chosen = make_side(rows, store.failures(known.modality, split), None).of_split(split, where)
    wanted = sum(store.artefact.files[part]["rows"] for part in store.parts(known.modality, split))
    if wanted > len(chosen) and not lost:
        raise MismatchError(
            f"the index {index.folder} lacks {wanted - len(chosen):,} of the {wanted:,} items of the gallery, and its "
            "partitions rank what they hold: build it of the store as it is, or ask in this process"
        )
    return side, chosen


def _gallery(
    store: Store, settings: QuerySettings, artefact: Artefact | None, split: str | None
) -> tuple[Embeddings, list[FailedItem], Pooling | None]:
    """The items that the gallery is made of, those of it that failed, and how they are pooled."""
    failed = store.failures(settings.gallery, split)
    if artefact is None:
        return store.load(settings.gallery, split), failed, settings.pool_gallery
    pooling = artefact.about.get("pooling")
    if pooling is None:
        return store.load(settings.gallery), failed, None
    # An index of templates of one split says nothing of how the others could be pooled.
    return store.load(settings.gallery, artefact.about.get("split")), failed, Pooling.from_json(pooling)


def _counts(probes: Side, gallery: Side, split: str | None, index: Index, rows: np.ndarray) -> dict:
    return {
        "split": split if split is not None else "all",
        "probes": len(probes.rows),
        "gallery": len(gallery.rows),
        "probe_identities": distinct(probes.rows.identities),
        "gallery_identities": distinct(gallery.rows.identities),
        "probes_seen_in_training": _seen(probes.rows, "item"),
        "probes_of_seen_identities": _seen(probes.rows, "item", "identity"),
        "failed_probes": len(probes.failed),
        "failed_gallery": len(gallery.failed),
        "index_rows": len(index),
        "gallery_not_in_index": int((rows == NO_ROW).sum()),
        **probes.counts("probe"),
        **gallery.counts("gallery"),
    }


def _seen(rows: Embeddings, *kinds: str) -> int | None:
    """How many rows the model's training saw in one of these ways; None where the store does not say."""
    column = rows.columns.get(SEEN_COLUMN)
    return None if column is None else sum(value in kinds for value in column)


def shared_rows(probes: Side, gallery: Side) -> np.ndarray:
    """(p,) the gallery row that has an item in common with each probe, which it is not compared with; -1 for none.

    Raises:
        SettingsError: a probe has items in common with several rows, or nobody is left to be found.
    """
    found = np.full(len(probes.rows), NO_ROW, dtype=np.int64)
    if probes.rows.modality != gallery.rows.modality:
        return found
    row_of = {id_: int(row) for id_, row in zip(gallery.items, gallery.members, strict=True) if row != NO_ROW}
    for id_, probe in zip(probes.items, probes.members.tolist(), strict=True):
        row = row_of.get(id_, NO_ROW)
        if NO_ROW in (probe, row):
            continue
        if found[probe] not in (NO_ROW, row):
            raise SettingsError(
                f"the template {probes.rows.ids[probe]!r} would be compared with the very items that it is made of: "
                "within one modality pool the gallery too, and no finer than the probes (--pool-gallery identity+...)"
            )
        found[probe] = row
    if probes.pooling is not None or gallery.pooling is not None:
        _require_mates(probes.rows, gallery.rows, found)
    return found


def _require_mates(probes: Embeddings, gallery: Embeddings, itself: np.ndarray) -> None:
    """Somebody must be there of whom a probe's gallery has another row than the one that is left out."""
    of_people: dict[str, set[int]] = {}
    for row, identity in enumerate(gallery.identities):
        of_people.setdefault(identity, set()).add(row)
    mates = (of_people.get(identity, set()) - {int(row)}
             for identity, row in zip(probes.identities, itself, strict=True))  # fmt: skip
    if not any(mates):
        raise SettingsError(
            f"every {gallery.modality} template holds the items that it would be asked with, and nobody has another "
            "one: pool the gallery finer (identity+source), from fewer items (--pool-items), or ask across modalities"
        )
