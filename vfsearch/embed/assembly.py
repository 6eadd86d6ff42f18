"""Rows and reasons, in whatever order they come, to the shard of a part."""

import logging
from collections.abc import Mapping, Sequence

import numpy as np

from vfsearch.data.embeddings import Embeddings
from vfsearch.data.failure import FailedItem
from vfsearch.data.manifest import Item
from vfsearch.data.shard import Origins, Shard
from vfsearch.data.space import Space
from vfsearch.embed.plan import Part
from vfsearch.embed.reuse import Found, Reason, Row

logger = logging.getLogger(__name__)

ADDED_COLUMNS = ("path", "media_note")
"""Columns of a shard that are no further columns of the manifest."""


class Assembly:
    """Collects what comes of one part after another.

    Args:
        space: of the rows.
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        self._found: list[tuple[int, Row | Reason]] = []

    def add(self, found: Sequence[tuple[int, Row | Reason]]) -> None:
        """Take what came of some samples: (place of the item in the part, row or reason)."""
        self._found += found

    def shard(self, part: Part, kept: Mapping[int, Found]) -> Shard:
        """The shard of a part, in the order of its items; from now on the next part is collected.

        Args:
            part: all of whose fresh items were added.
            kept: place -> rows and reasons that were there already.
        """
        every = [*self._found, *((place, each) for place, found in kept.items() for each in found)]
        self._found = []
        # Suffixes are "", then "#2" to "#10": by length first.
        every.sort(key=lambda pair: (pair[0], len(pair[1].suffix), pair[1].suffix))
        rows = [pair for pair in every if isinstance(pair[1], Row)]
        reasons = [pair for pair in every if isinstance(pair[1], Reason)]
        keys = part.keys()
        origins = Origins(rows=_keys(keys, rows), failures=_keys(keys, reasons), changed_by=part.changed_by)
        failures = tuple(_failed(part.items[place], reason) for place, reason in reasons)
        return Shard(embeddings=self._embeddings(part, rows), failures=failures, split=part.split, origins=origins)

    def _embeddings(self, part: Part, rows: Sequence[tuple[int, Row]]) -> Embeddings:
        items = [part.items[place] for place, _ in rows]
        names = sorted({name for item in part.items for name in item.columns})
        columns = {name: [item.columns.get(name, "") for item in items] for name in names}
        added = ([item.path for item in items], [row.note for _, row in rows])
        vectors = np.array([row.vector for _, row in rows], dtype=np.float32)
        return Embeddings(
            ids=[item.id + row.suffix for item, (_, row) in zip(items, rows, strict=True)],
            identities=[item.identity for item in items],
            vectors=vectors.reshape(len(rows), self._space.dimension),
            modality=part.modality,
            space=self._space,
            columns={**columns, **dict(zip(ADDED_COLUMNS, added, strict=True))},
        )


def _keys(keys: np.ndarray, found: Sequence[tuple[int, object]]) -> np.ndarray:
    return keys[np.array([place for place, _ in found], dtype=np.int64)]


def _failed(item: Item, reason: Reason) -> FailedItem:
    logger.info("%s %s: %s", item.modality, item.path, reason.reason)
    return FailedItem(
        id=item.id + reason.suffix,
        path=item.path,
        modality=item.modality,
        identity=item.identity,
        stage=reason.stage,
        reason=reason.reason,
        columns=item.columns,
    )
