"""Probes to tune or measure an index with: of the modality that will ask, never those that a query is measured with."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vfsearch.data.embeddings import Embeddings, numbered
from vfsearch.errors import ArtefactError
from vfsearch.pipeline.workspace import chosen_split
from vfsearch.store.store import Store, join

OF_QUERIES = "test"
FEW = 100


@dataclass(frozen=True, kw_only=True, eq=False)
class TuningProbes:
    """Two sets of probes of different people.

    Args:
        tune: to choose a setting with.
        check: to check it with.
        split: that they are of; "all" for all.
        warnings: what a user should know of them.
    """

    tune: Embeddings
    check: Embeddings
    split: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class MeasuringProbes:
    """One set of probes.

    Args:
        probes: to ask with.
        split: that they are of; "all" for all.
        warnings: what a user should know of them.
    """

    probes: Embeddings
    split: str
    warnings: tuple[str, ...]


def draw_measuring_probes(store: Store, modality: str, split: str | None, count: int, seed: int) -> MeasuringProbes:
    """Draw probes where nothing is chosen with some that others would have to check: all of them measure.

    Args:
        store: an open store.
        modality: of the probes.
        split: of the probes, or "all"; None: as `draw_probes`.
        count: probes; fewer where the store has no more.
        seed: of the draw.
    Raises:
        ArtefactError: the store has no probe of that split.
        ManifestError: it has no such split.
    """
    chosen = _split(store, modality, split)
    drawn = _drawn(store, modality, chosen, count, seed)
    warnings = _of_queries(chosen)
    if len(drawn) < min(count, FEW):
        warnings.append(f"only {len(drawn)} of {count} probes are there: the recall is told within wide limits")
    return MeasuringProbes(probes=drawn, split=chosen or "all", warnings=tuple(warnings))


def draw_probes(store: Store, modality: str, split: str | None, count: int, seed: int) -> TuningProbes:
    """Draw probes from a store, reading only the shards that they are in.

    Args:
        store: an open store.
        modality: of the probes.
        split: of the probes, or "all"; None: "val", else "train", else any but "test", if there is one.
        count: probes of each set; fewer where the store has no more.
        seed: of the draw.
    Raises:
        ArtefactError: the store has fewer than two probes of that split.
        ManifestError: it has no such split.
    """
    chosen = _split(store, modality, split)
    drawn = _drawn(store, modality, chosen, 2 * count, seed)
    if len(drawn) < 2:
        raise ArtefactError(
            f"the store {store.artefact.folder} has {len(drawn)} {modality} rows with split={chosen or 'all'}: tuning "
            "wants at least 2 probes; name another split with --split"
        )
    first = _first_half(drawn.identities, seed)
    halves = [drawn.take(np.flatnonzero(half)) for half in (first, ~first)]
    return TuningProbes(
        tune=halves[0], check=halves[1], split=chosen or "all", warnings=tuple(_warnings(chosen, halves, count))
    )


def _split(store: Store, modality: str, wanted: str | None) -> str | None:
    splits = store.splits(modality)
    if wanted is not None:
        return chosen_split(splits, wanted, OF_QUERIES, f"the store {store.artefact.folder}")
    held_out = [name for name in ("val", "train", *splits) if name in splits and name != OF_QUERIES]
    return held_out[0] if held_out else chosen_split(splits, None, OF_QUERIES, "")


def _warnings(split: str | None, halves: Sequence[Embeddings], count: int) -> list[str]:
    found = _of_queries(split)
    least = min(map(len, halves))
    if least < min(count, FEW):
        found.append(f"only {least} probes to check with: the recall is told within wide limits")
    return found


def _of_queries(split: str | None) -> list[str]:
    if split not in (None, OF_QUERIES, ""):
        return []
    return [
        "the probes are those that queries are measured with, for want of another split: what is chosen with them "
        "cannot be judged with them; embed a split val or train too, or name one with --split"
    ]


def _drawn(store: Store, modality: str, split: str | None, count: int, seed: int) -> Embeddings:
    """Random rows, each at most once, in the order of the store."""
    parts = store.parts(modality, split)
    sizes = np.array([store.artefact.files[part]["rows"] for part in parts], np.int64)
    ends = np.cumsum(sizes)
    total = int(sizes.sum())
    chosen = np.sort(np.random.default_rng(seed).choice(total, min(count, total), replace=False))
    found = []
    for part, start, end in zip(parts, ends - sizes, ends, strict=True):
        rows = chosen[slice(*np.searchsorted(chosen, [start, end]))] - start
        if len(rows):
            found.append(store.shard(part).embeddings.take(rows))
    if not found:
        raise ArtefactError(
            f"the store {store.artefact.folder} has no {modality} rows"
            f"{'' if split is None else f' with split={split}'} to ask with; name another split with --split, or "
            "another probe modality with --probe"
        )
    return join(found)


def _first_half(identities: Sequence[str], seed: int) -> np.ndarray:
    """(n,) bool: about half of the rows, by people; a person's rows are apart only where there is one person."""
    (people,) = numbered(identities)
    order = np.random.default_rng([seed, 1]).permutation(int(people.max()) + 1)
    sizes = np.bincount(people)[order]
    before = np.cumsum(sizes) - sizes
    # The person in the middle goes where most of it lies; there is somebody on either side.
    first = before + sizes / 2 < len(people) / 2
    if len(order) == 1:
        return np.arange(len(people)) % 2 == 0
    first[0], first[-1] = True, False
    of_person = np.zeros(len(order), dtype=bool)
    of_person[order] = first
    return of_person[people]
