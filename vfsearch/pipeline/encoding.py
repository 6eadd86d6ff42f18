"""How samples become rows: batches, precision, what is tried again."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from vfsearch.devices import keep_freed_memory, set_threads, threads
from vfsearch.embed.batches import Batching
from vfsearch.embed.marks import require_changed_by
from vfsearch.embed.run import Running
from vfsearch.encoders.base import Encoder
from vfsearch.encoders.inference import PRECISIONS
from vfsearch.errors import SettingsError

USUAL_BATCH_CPU, USUAL_BATCH_GPU = 32, 512


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """How samples become rows.

    Args:
        device: "cpu" or "cuda[:N]", where the encoders are.
        batch_size: samples to an `encode` call; None: as the device likes, and half as many where its memory does not
            hold them.
        precision: "fp32", "bf16" or "fp16"; an encoder that does not know it computes in fp32.
        changed_by: how a file that has changed is noticed: "size", "time" or "digest".
        retry_failed: look again at the items that failed before.
        strict: stop at the first item that fails.
    """

    device: str = "cpu"
    batch_size: int | None = None
    precision: str = "fp32"
    changed_by: str = "size"
    retry_failed: bool = False
    strict: bool = False

    def __post_init__(self) -> None:
        require_changed_by(self.changed_by)
        if self.precision not in PRECISIONS:
            raise SettingsError(f"the precision is {self.precision!r}, wanted one of {', '.join(PRECISIONS)}")
        if self.precision == "fp16" and self.device == "cpu":
            raise SettingsError("fp16 is for GPUs; on a CPU use --precision bf16 or fp32")

    def precision_of(self, encoder: Encoder) -> str:
        """What an encoder computes in."""
        return self.precision if self.precision in encoder.precisions else "fp32"

    def require_known(self, encoders: Collection[Encoder]) -> None:
        """Refuse a precision that no encoder knows.

        Raises:
            SettingsError: the message names them.
        """
        named = [encoder.name for encoder in encoders]
        if named and not any(self.precision in encoder.precisions for encoder in encoders):
            raise SettingsError(f"{' and '.join(named)} compute in fp32 alone: leave --precision {self.precision} away")

    @property
    def batching(self) -> Batching:
        """Samples to a call."""
        usual = USUAL_BATCH_CPU if self.device == "cpu" else USUAL_BATCH_GPU
        return Batching(size=usual if self.batch_size is None else self.batch_size, halve=self.batch_size is None)

    @contextmanager
    def running(self, encoder: Encoder) -> Iterator[Running]:
        """How to run an encoder: on a CPU with a batch for each thread, where it can.

        Threads that share the work of one batch wait for one another, at the latest where a decoder has a core; threads
        with a batch each do not.
        """
        encoder.precision = self.precision_of(encoder)
        count = threads() if encoder.concurrent and self.device == "cpu" else 1
        if count == 1:
            yield Running(batching=self.batching, strict=self.strict)
            return
        keep_freed_memory()
        try:
            yield Running(batching=self.batching, lanes=count, begin=_one_thread, strict=self.strict)
        finally:
            set_threads(count)


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)
