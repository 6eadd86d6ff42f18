"""What the rows of a store are like, and whether something is wrong with them; exact, in one pass over the shards."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from vfsearch.data.embeddings import Embeddings
from vfsearch.data.row_statistics import RowStatistics, StoreStatistics
from vfsearch.errors import ArtefactError
from vfsearch.progress import Progress, silent
from vfsearch.store.store import Store
from vfsearch.tables import get_array, reading

COLLAPSED_COSINE = 0.98
"""Rows that are this near to one another on average hardly differ; those of working encoders reach 0.95 (dlib's, whose
faces lie in a narrow cone)."""
LEAST_GAP = 5e-3
"""By which mated pairs must be nearer than others, on average."""
COLLAPSED_RANK = 2.0
SHOWN = 10


def store_statistics(store: Store, split: str | None = None, progress: Progress = silent) -> StoreStatistics:
    """The figures of a store; shard by shard, so that memory is that of a vector for each identity.

    Args:
        store: complete or not.
        split: None: all.
        progress: called with shards done.
    Raises:
        ArtefactError: it has no row.
        DamagedError: a shard is damaged.
    """
    sums = {}
    for modality in store.spaces:
        parts = [part for part in store.parts(modality, split) if store.artefact.files[part]["rows"]]
        if parts:
            sums[modality] = _Sums(store, parts, progress)
    if not sums:
        raise ArtefactError(f"the store {store.artefact.folder} has no row{'' if split is None else f' of {split!r}'}")
    mated, nonmated = _across(sums) if len({store.spaces[modality] for modality in sums}) < len(sums) else (None, None)
    return StoreStatistics(
        of={modality: each.figures() for modality, each in sums.items()}, mated=mated, nonmated=nonmated
    )  # fmt: skip


class _Sums:
    """What one pass over the rows of a modality adds up, in float64."""

    def __init__(self, store: Store, parts: Sequence[str], progress: Progress) -> None:
        self._store, self._parts = store, parts
        self.count: Counter[str] = Counter()
        self.by_identity: dict[str, np.ndarray] = {}
        self._groups: dict[bytes, list[tuple[str, str]]] = {}
        self._first: dict[bytes, tuple[str, str]] = {}
        self._norms, self._square = [np.inf, 0.0], 0.0
        self._low = self._high = None
        for done, rows in enumerate(self._blocks(), start=1):
            self._add(rows)
            progress("shards", done, len(parts))

    def _blocks(self) -> Iterator[Embeddings]:
        return (self._store.shard(part).embeddings for part in self._parts)

    def _add(self, rows: Embeddings) -> None:
        vectors = rows.vectors.astype(np.float64)
        self._square = self._square + vectors.T @ vectors
        low, high = vectors.min(axis=0), vectors.max(axis=0)
        self._low = low if self._low is None else np.minimum(self._low, low)
        self._high = high if self._high is None else np.maximum(self._high, high)
        self.count.update(rows.identities)
        for id_, identity, vector, kept in zip(rows.ids, rows.identities, vectors, rows.vectors, strict=True):
            known = self.by_identity.get(identity)
            self.by_identity[identity] = vector.copy() if known is None else known + vector
            self._note(hashlib.blake2b(kept.tobytes(), digest_size=16).digest(), id_, identity)

    def _note(self, mark: bytes, id_: str, identity: str) -> None:
        """Keep rows with the same vector."""
        if mark in self._first:
            self._groups.setdefault(mark, [self._first[mark]]).append((id_, identity))
        else:
            self._first[mark] = (id_, identity)

    @property
    def rows(self) -> int:
        """How many."""
        return sum(self.count.values())

    @property
    def total(self) -> np.ndarray:
        """(d,) sum of all rows."""
        return np.sum(list(self.by_identity.values()), axis=0)

    def figures(self) -> RowStatistics:
        """The figures."""
        n, mean = self.rows, self.total / self.rows
        values = np.linalg.eigvalsh(self._square / n - np.outer(mean, mean)).clip(0.0)
        spread = max(float(values.sum()), 1e-12)
        # All rows being one is no direction at all.
        rank = spread**2 / max(float((values**2).sum()), 1e-24) if spread > 1e-9 else 0.0
        random, mated, nonmated = self._cosines()
        groups = list(self._groups.values())
        return RowStatistics(
            rows=n,
            identities=len(self.count),
            dimension=len(mean),
            single=sum(count == 1 for count in self.count.values()),
            norms=self._stored_norms(),
            mean_length=float(np.linalg.norm(mean)),
            cosine_random=random,
            cosine_mated=mated,
            cosine_nonmated=nonmated,
            effective_rank=rank,
            top_share=float(values[-1] / spread) if spread > 1e-9 else 1.0,
            constant=int((self._low == self._high).sum()),
            duplicates=len(groups),
            duplicate_rows=sum(map(len, groups)),
            across=sum(len({identity for _, identity in group}) > 1 for group in groups),
            duplicate_ids=tuple(tuple(id_ for id_, _ in group[:SHOWN]) for group in groups[:SHOWN]),
            outliers=self._outliers(),
            alarms=_alarms(n, (random, mated, nonmated), rank, groups),
        )

    def _cosines(self) -> tuple[float | None, float | None, float | None]:
        """Means over pairs, from sums: of n unit rows with the sum s, all pairs add up to (s.s - n) / 2."""
        n = self.rows
        pairs = n * (n - 1) / 2
        every = (float(self.total @ self.total) - n) / 2
        mated_pairs = sum(count * (count - 1) / 2 for count in self.count.values())
        mated = sum(
            (float(self.by_identity[name] @ self.by_identity[name]) - count) / 2 for name, count in self.count.items()
        )
        return (
            every / pairs if pairs else None,
            mated / mated_pairs if mated_pairs else None,
            (every - mated) / (pairs - mated_pairs) if pairs > mated_pairs else None,
        )

    def _outliers(self) -> tuple[tuple[str, str, float], ...]:
        worst: list[tuple[float, str, str]] = []
        for rows in self._blocks():
            for id_, identity, vector in zip(rows.ids, rows.identities, rows.vectors, strict=True):
                if self.count[identity] >= 3:
                    others = self.by_identity[identity] - vector
                    length = float(np.linalg.norm(others))
                    worst.append((float(others @ vector) / length if length > 1e-9 else 0.0, id_, identity))
            worst = sorted(worst)[:SHOWN]
        return tuple((id_, identity, cosine) for cosine, id_, identity in worst)

    def _stored_norms(self) -> tuple[float, float]:
        """Lengths of the vectors as they lie in the files: what float16 loses shows here."""
        low, high = np.inf, 0.0
        for part in self._parts:
            with reading(self._store.artefact.read(part), part) as file:
                norms = np.linalg.norm(get_array(file, "vectors").astype(np.float64), axis=1)
            low, high = min(low, float(norms.min())), max(high, float(norms.max()))
        return low, high


def _across(sums: dict[str, _Sums]) -> tuple[float | None, float | None]:
    """Mean cosine of the rows of two modalities: of one identity, and of two."""
    left, right = sums.values()
    every, pairs = float(left.total @ right.total), left.rows * right.rows
    both = [name for name in left.count if name in right.count]
    mated = sum(float(left.by_identity[name] @ right.by_identity[name]) for name in both)
    mated_pairs = sum(left.count[name] * right.count[name] for name in both)
    return (
        mated / mated_pairs if mated_pairs else None,
        (every - mated) / (pairs - mated_pairs) if pairs > mated_pairs else None,
    )


def _alarms(
    n: int, cosines: tuple[float | None, float | None, float | None], rank: float, groups: Sequence[Sequence]
) -> tuple[str, ...]:
    random, mated, nonmated = cosines
    found = []
    if random is not None and random > COLLAPSED_COSINE:
        found.append(
            f"collapsed: two rows have a cosine of {random:.3f} on average, so that rows hardly tell people apart; "
            "look at the training (its rate, its losses), or at the encoder's input"
        )
    elif n > 2 and rank < COLLAPSED_RANK:
        found.append(
            f"collapsed: the rows vary in {rank:.1f} directions; look at the training, or at the encoder's input"
        )
    largest = max(map(len, groups), default=0)
    if n > 2 and 10 * largest > n:
        found.append(
            f"{largest} rows have one and the same vector: look at what was decoded (silence? one placeholder?)"
        )
    if mated is not None and nonmated is not None and mated - nonmated < LEAST_GAP:
        found.append(
            f"rows of one identity are no nearer to one another ({mated:.3f}) than to others ({nonmated:.3f}): look at "
            "the identities in the manifest, or at the encoder"
        )
    return tuple(found)
