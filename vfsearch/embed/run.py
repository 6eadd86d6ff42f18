"""Media to rows: each item of a part becomes a row or a named failure."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Protocol

import numpy as np

from vfsearch.data.embeddings import Embeddings, bad_rows
from vfsearch.data.failure import FailedItem
from vfsearch.data.manifest import Item
from vfsearch.data.shard import Shard
from vfsearch.data.space import Space
from vfsearch.embed.plan import Part
from vfsearch.errors import MediaError, VectorError, VfsearchError
from vfsearch.media.preparation import Failure, Prepared
from vfsearch.progress import Progress, silent

logger = logging.getLogger(__name__)

ADDED_COLUMNS = ("path", "media_note")
"""Columns of a shard that are no further columns of the manifest."""
OF_THE_MACHINE = ("OutOfMemoryError", "AcceleratorError")
"""Errors of torch that are the machine's (memory, a lost device), whatever was encoded."""
Prepare = Callable[[Iterable[Item]], Iterator[Prepared | Failure]]


class EncoderLike(Protocol):
    """What is needed of an encoder here."""

    space: Space

    def encode(self, samples: Sequence) -> np.ndarray:
        """(n, d) unit rows of n samples."""


class Writer(Protocol):
    """What is needed of a store that is being filled."""

    def holds(self, part: str) -> bool:
        """Whether the part is there."""

    def add(self, part: str, shard: Shard) -> None:
        """Take the part for good."""


def embed_parts(
    parts: Sequence[Part],
    encoder: EncoderLike,
    prepare: Prepare,
    writer: Writer,
    batch_size: int = 64,
    progress: Progress = silent,
) -> None:
    """Embed every part of one modality that the store does not hold yet.

    The batches of a part depend on the part alone, so its bytes do not depend on where a run before was stopped.

    Args:
        parts: of one modality.
        encoder: of that modality.
        prepare: items in, a sample or a failure for each out, in order; it may work ahead.
        writer: the store.
        batch_size: samples to an `encode` call.
        progress: called with items done.
    Raises:
        VfsearchError: the store cannot be written.
    """
    missing = [part for part in parts if not writer.holds(part.name)]
    total = sum(len(part.items) for part in parts)
    done = total - sum(len(part.items) for part in missing)
    samples = prepare(chain.from_iterable(part.items for part in missing))
    for part in missing:
        batches = []
        for start in range(0, len(part.items), batch_size):
            items = part.items[start : start + batch_size]
            batches.append(_encode(items, list(islice(samples, len(items))), encoder))
            done += len(items)
            progress(f"{part.modality} items", done, total)
        writer.add(part.name, _shard(part, batches, encoder.space))


Batch = tuple[list[Item], list[np.ndarray], list[str], list[FailedItem]]


def _encode(items: Sequence[Item], samples: Sequence[Prepared | Failure], encoder: EncoderLike) -> Batch:
    """The good items of a batch with their rows and notes, and the failed ones."""
    failed = [
        _failed(item, sample.stage, sample.reason)
        for item, sample in zip(items, samples, strict=True)
        if isinstance(sample, Failure)
    ]
    good = [(item, sample) for item, sample in zip(items, samples, strict=True) if not isinstance(sample, Failure)]
    rows, reasons = _rows_or_reasons([sample.sample for _, sample in good], encoder)
    kept = [row for row, reason in enumerate(reasons) if not reason]
    failed += [_failed(good[row][0], "encode", reason) for row, reason in enumerate(reasons) if reason]
    return (
        [good[row][0] for row in kept],
        [rows[row] for row in kept],
        [good[row][1].note for row in kept],
        failed,
    )


def _failed(item: Item, stage: str, reason: str) -> FailedItem:
    logger.info("%s %s: %s", item.modality, item.path, reason)
    return FailedItem(
        id=item.id,
        path=item.path,
        modality=item.modality,
        identity=item.identity,
        stage=stage,
        reason=reason,
        columns=item.columns,
    )


def _rows_or_reasons(samples: Sequence[np.ndarray], encoder: EncoderLike) -> tuple[Sequence[np.ndarray], list[str]]:
    """A row for each sample, and why not where there is none."""
    if not samples:
        return [], []
    try:
        rows = _encoded(samples, encoder)
    except Exception as error:
        _raise_unless_of_an_item(error, len(samples), encoder.space)
        if len(samples) == 1:
            return [np.zeros(encoder.space.dimension, np.float32)], [f"{type(error).__name__}: {error}"]
        # One bad sample must not cost its batch: find it.
        singly = [_rows_or_reasons([sample], encoder) for sample in samples]
        return [rows[0] for rows, _ in singly], [reasons[0] for _, reasons in singly]
    bad = bad_rows(rows)
    return rows, [f"the encoder's row is {bad[row]}" if row in bad else "" for row in range(len(rows))]


def _raise_unless_of_an_item(error: Exception, samples: int, space: Space) -> None:
    """Stop where an error says nothing of the items it came with: they must not be written down as failed."""
    if isinstance(error, VfsearchError) and not isinstance(error, (MediaError, VectorError)):
        raise error
    if isinstance(error, MemoryError) or type(error).__name__ in OF_THE_MACHINE:
        raise VfsearchError(
            f"the encoder {space.name} stopped at a batch of {samples}: {type(error).__name__} {error}; what was "
            "finished is kept: run it again with a smaller --batch-size, or on another --device"
        ) from error


def _encoded(samples: Sequence[np.ndarray], encoder: EncoderLike) -> np.ndarray:
    rows = np.asarray(encoder.encode(samples), dtype=np.float32)
    wanted = (len(samples), encoder.space.dimension)
    if rows.shape != wanted:
        raise VectorError(f"the encoder {encoder.space.name} gave rows {rows.shape} for {wanted}")
    return rows


def _shard(part: Part, batches: Sequence[Batch], space: Space) -> Shard:
    items = [item for batch in batches for item in batch[0]]
    rows = [row for batch in batches for row in batch[1]]
    notes = [note for batch in batches for note in batch[2]]
    place = {item.id: number for number, item in enumerate(part.items)}
    failures = sorted((failure for batch in batches for failure in batch[3]), key=lambda failure: place[failure.id])
    names = sorted({name for item in part.items for name in item.columns})
    columns = {name: [item.columns.get(name, "") for item in items] for name in names}
    embeddings = Embeddings(
        ids=[item.id for item in items],
        identities=[item.identity for item in items],
        vectors=np.array(rows, dtype=np.float32).reshape(len(rows), space.dimension),
        modality=part.modality,
        space=space,
        columns={**columns, **dict(zip(ADDED_COLUMNS, ([item.path for item in items], notes), strict=True))},
    )
    return Shard(embeddings=embeddings, failures=tuple(failures), split=part.split)
