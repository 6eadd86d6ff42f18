"""What builds the partitions of an index: this process, or others that are told what to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from vfsearch.data.pooling import Pooling
from vfsearch.data.row_source import RowSource
from vfsearch.index.settings import BuildSettings
from vfsearch.index.sharding import PartitionJob, build_partition
from vfsearch.pipeline.gallery_source import store_source
from vfsearch.pipeline.pooled_rows import template_source
from vfsearch.progress import Progress
from vfsearch.store.store import Store


@dataclass(frozen=True, kw_only=True)
class PartitionWork:
    """What all partitions of an index have in common; it says all that another process must know.

    Args:
        store: its folder.
        modality, split, pooling: of the rows.
        settings: of the index.
        device: where to build.
    """

    store: Path
    modality: str
    split: str | None
    pooling: Pooling | None
    settings: BuildSettings
    device: str


class BuildEngine(Protocol):
    """What builds partitions: this process, or others."""

    def build(
        self, work: PartitionWork, source: RowSource, jobs: Sequence[PartitionJob], progress: Progress
    ) -> None:  # fmt: skip
        """See that they are there; see `vfsearch.index.sharding.build_partition`."""


class Here:
    """This process, one partition after another."""

    def build(
        self, work: PartitionWork, source: RowSource, jobs: Sequence[PartitionJob], progress: Progress
    ) -> None:  # fmt: skip
        """See `BuildEngine.build`."""
        for done, job in enumerate(jobs, start=1):
            build_partition(job, source, work.settings, work.device, work.split, progress)
            progress("partitions built", done, len(jobs))


HERE = Here()


def source_of(store: Store, modality: str, split: str | None, pooling: Pooling | None) -> RowSource:
    """The rows of an index: items, or templates of them.

    Raises:
        ArtefactError: the store has no such items.
        SettingsError, VectorError: they cannot be pooled so.
    """
    if pooling is None:
        return store_source(store, modality, split)
    return template_source(store, modality, split, pooling)
