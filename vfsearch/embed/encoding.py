"""A batch of samples to rows; one bad sample costs itself only."""

import logging
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from vfsearch.data.embeddings import bad_rows
from vfsearch.data.space import Space
from vfsearch.embed.batches import Sample
from vfsearch.embed.reuse import Reason, Row
from vfsearch.errors import MediaError, VectorError, VfsearchError

logger = logging.getLogger(__name__)

OUT_OF_MEMORY = "OutOfMemoryError"
OF_THE_MACHINE = (OUT_OF_MEMORY, "AcceleratorError")
"""Errors of torch that are the machine's (memory, a lost device), whatever was encoded."""


class EncoderLike(Protocol):
    """What is needed of an encoder here."""

    space: Space

    def encode(self, samples: Sequence) -> np.ndarray:
        """(n, d) unit rows of n samples."""


def encoded(batch: Sequence[Sample], encoder: EncoderLike, halve: bool = False) -> list[tuple[int, Row | Reason]]:
    """What comes of each sample.

    Args:
        batch: at least one sample.
        encoder: of their modality.
        halve: encode the halves of a batch that the device's memory does not hold.
    Returns:
        (place of the item, its row or why there is none), in the order of the batch.
    Raises:
        VfsearchError: the machine, not a sample, is at fault.
    """
    rows, reasons = _rows_or_reasons([each.sample for each in batch], encoder, halve)
    return [
        (each.place, Reason(suffix=each.suffix, stage="encode", reason=reason))
        if reason
        else (each.place, Row(suffix=each.suffix, vector=row, note=each.note))
        for each, row, reason in zip(batch, rows, reasons, strict=True)
    ]


def _rows_or_reasons(samples: Sequence, encoder: EncoderLike, halve: bool) -> tuple[Sequence[np.ndarray], list[str]]:
    """A row for each sample, and why not where there is none."""
    try:
        rows = _encoded(samples, encoder)
    except Exception as error:
        if halve and type(error).__name__ == OUT_OF_MEMORY and len(samples) > 1:
            logger.info("%s: a batch of %d does not fit the device: halved", encoder.space.name, len(samples))
            middle = len(samples) // 2
            return _joined([_rows_or_reasons(half, encoder, halve) for half in (samples[:middle], samples[middle:])])
        _raise_unless_of_an_item(error, len(samples), encoder.space)
        if len(samples) == 1:
            return [np.zeros(encoder.space.dimension, np.float32)], [f"{type(error).__name__}: {error}"]
        # One bad sample must not cost its batch: find it.
        return _joined([_rows_or_reasons([sample], encoder, halve) for sample in samples])
    bad = bad_rows(rows)
    return rows, [f"the encoder's row is {bad[row]}" if row in bad else "" for row in range(len(rows))]


def _joined(pieces: Sequence[tuple[Sequence[np.ndarray], list[str]]]) -> tuple[list[np.ndarray], list[str]]:
    return [row for rows, _ in pieces for row in rows], [reason for _, reasons in pieces for reason in reasons]


def _raise_unless_of_an_item(error: Exception, samples: int, space: Space) -> None:
    """Stop where an error says nothing of the items it came with: they must not be written down as failed."""
    if isinstance(error, VfsearchError) and not isinstance(error, (MediaError, VectorError)):
        raise error
    if isinstance(error, MemoryError) or type(error).__name__ in OF_THE_MACHINE:
        raise VfsearchError(
            f"the encoder {space.name} stopped at a batch of {samples}: {type(error).__name__} {error}; what was "
            "finished is kept: run it again with a smaller --batch-size, or on another --device"
        ) from error


def _encoded(samples: Sequence, encoder: EncoderLike) -> np.ndarray:
    rows = np.asarray(encoder.encode(samples), dtype=np.float32)
    wanted = (len(samples), encoder.space.dimension)
    if rows.shape != wanted:
        raise VectorError(f"the encoder {encoder.space.name} gave rows {rows.shape} for {wanted}")
    return rows
