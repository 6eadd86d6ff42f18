"""Rows that are there already, under another list: only what is new or changed is embedded."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from vfsearch.data.shard import Shard
from vfsearch.data.space import Space
from vfsearch.embed.marks import changed_ns
from vfsearch.embed.plan import Part

OTHER_SIGN = "#"
"""Between an item's id and the number of a further row of it."""
SHARDS_AT_ONCE = 4


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of an item, without what the list says of it.

    Args:
        suffix: "" for the first row of an item, else what follows the item's id.
        vector: (d,) float32.
        note: of its preparation.
    """

    suffix: str
    vector: np.ndarray
    note: str


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why an item, or a further row of it, is none.

    Args:
        suffix: as of a row.
        stage, reason: see `FailedItem`.
    """

    suffix: str
    stage: str
    reason: str


Found = Sequence[Row | Reason]


class Kept:
    """What a store holds of items that are listed anew; vectors stay on the disk until they are asked for.

    Args:
        read: a shard by its name.
        names: of the shards; whether what failed in each of them is kept too, or tried again.
        space: the rows of another are passed over.
        made: when a shard was written, in ns; None: unknown. Rows whose marks are of another kind than asked for are
            kept where the file was not touched since.
    """

    def __init__(
        self,
        read: Callable[[str], Shard] | None = None,
        names: Iterable[tuple[str, bool]] = (),
        space: Space | None = None,
        made: Callable[[str], int] | None = None,
    ) -> None:
        self._made = made
        self._read = lru_cache(SHARDS_AT_ONCE)(read) if read else None
        self._names: list[str] = []
        self._shard_of: dict[str, dict[bytes, int]] = {}
        for name, with_failures in names:
            self._note(name, with_failures, space)

    def _note(self, name: str, with_failures: bool, space: Space | None) -> None:
        """Keep in mind which items a shard has."""
        shard = self._read(name)
        if shard.origins is None or shard.embeddings.space != space:
            return
        known = self._shard_of.setdefault(shard.origins.changed_by, {})
        keys, failed = set(map(bytes, shard.origins.rows)), set(map(bytes, shard.origins.failures))
        for key in keys | failed if with_failures else keys - failed:
            known.setdefault(key, len(self._names))
        self._names.append(name)

    def of(self, part: Part) -> dict[int, Found]:
        """Place in the part -> what is there already of the item."""
        kept: dict[int, Found] = {}
        for changed_by, known in self._shard_of.items():
            for place, key in enumerate(map(bytes, part.keys(changed_by))):
                if key in known and place not in kept and self._untouched(part, place, self._names[known[key]]):
                    kept[place] = _of_item(self._read(self._names[known[key]]), key, part.items[place].id)
        return kept

    def _untouched(self, part: Part, place: int, name: str) -> bool:
        """Whether marks of the kind asked for would have been the same when the shard was written, so far as is known.

        A size alone does not tell, so one that was noted then is no proof now.
        """
        same_kind = self._read(name).origins.changed_by == part.changed_by
        if same_kind or part.changed_by == "size" or self._made is None:
            return True
        return changed_ns(part.folder, part.items[place]) <= self._made(name)


def _of_item(shard: Shard, key: bytes, id_: str) -> Found:
    wanted, rows = np.frombuffer(key, np.uint8), shard.embeddings
    notes = rows.columns.get("media_note", [""] * len(rows))
    return [
        *(
            Row(suffix=rows.ids[row][len(id_) :], vector=rows.vectors[row], note=notes[row])
            for row in np.flatnonzero((shard.origins.rows == wanted).all(axis=1))
        ),
        *(
            Reason(suffix=failure.id[len(id_) :], stage=failure.stage, reason=failure.reason)
            for failure in (
                shard.failures[row] for row in np.flatnonzero((shard.origins.failures == wanted).all(axis=1))
            )
        ),
    ]
