"""Samples of many items as evaluation wants them, a batch ahead of who computes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING, Protocol

import numpy as np

from vfsearch.media.preparation import Failure
from vfsearch.train.sample_source import Source, Stopped

if TYPE_CHECKING:
    import torch


class EvaluationInputs(Protocol):
    """How samples become what a network takes, always the same way."""

    def evaluation(self, samples: Sequence[np.ndarray]) -> torch.Tensor:
        """The input of n samples."""


def evaluation_batches(
    source: Source, inputs: EvaluationInputs, rows: Sequence[int], batch_size: int = 64
) -> Iterator[tuple[np.ndarray, torch.Tensor]]:
    """The input of each item that can be decoded.

    Args:
        source: of the samples; what it cannot decode is left out here and stands in its `failures`.
        inputs: what makes them input.
        rows: of the items.
        batch_size: items asked of the source at once.
    Yields:
        (m,) int64 row numbers, in the order given, and the input of those rows, on the CPU; m is 1 to `batch_size`.
    """
    stop = Event()
    coming: deque[Future] = deque()
    thread = ThreadPoolExecutor(1, "vfsearch-evaluation")
    try:
        for start in range(0, len(rows), batch_size):
            chunk = rows[start : start + batch_size]
            coming.append(thread.submit(_batch, source, inputs, chunk, stop.is_set))
            if len(coming) > 1:
                yield from coming.popleft().result()
        while coming:
            yield from coming.popleft().result()
    finally:
        stop.set()
        thread.shutdown(wait=False, cancel_futures=True)


def _batch(
    source: Source, inputs: EvaluationInputs, rows: Sequence[int], stopped: Stopped
) -> list[tuple[np.ndarray, torch.Tensor]]:
    """One batch, or none where every item failed."""
    samples = source.samples(rows, stopped)
    kept = [place for place, sample in enumerate(samples) if not isinstance(sample, Failure)]
    if not kept:
        return []
    return [(np.asarray(rows, dtype=np.int64)[kept], inputs.evaluation([samples[place] for place in kept]))]
