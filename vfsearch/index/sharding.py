"""Making a sharded index: its partitions, which nothing joins, and then the list of them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vfsearch.artefact import MANIFEST_NAME, Artefact, exists, require_replaceable
from vfsearch.data.row_source import RowSource
from vfsearch.data.text_places import first_repeated
from vfsearch.data.texts import Texts
from vfsearch.errors import ArtefactError, LockedError, VectorError
from vfsearch.files import digest, make_folder, read_file, sha256, writer_lock
from vfsearch.index.backends import BACKENDS, opened, require_device
from vfsearch.index.base import Index
from vfsearch.index.building import about_index, build_index
from vfsearch.index.layout import OWN_NAMES, SCHEMA, read_index_artefact
from vfsearch.index.partitions import COUNT, ROLE, manifest_of, remove_partitions, spans
from vfsearch.index.settings import BuildSettings
from vfsearch.index.writer import remove_building
from vfsearch.progress import Progress, silent

LOCKED_SECONDS = 60.0
"""A worker whose node was given up for lost may hold a partition's lock until it learns of it."""


@dataclass(frozen=True, kw_only=True)
class PartitionJob:
    """A partition that shall be there.

    Args:
        folder: of its index.
        first, last: from which row of the source to before which.
    """

    folder: Path
    first: int
    last: int


Build = Callable[[Sequence[PartitionJob], Progress], None]
"""See that partitions are there; in any order, in any process."""


def build_partition(
    job: PartitionJob,
    source: RowSource,
    settings: BuildSettings,
    device: str = "cpu",
    split: str | None = None,
    progress: Progress = silent,
) -> bool:
    """See that a partition is there; one that was built of this very source before is kept.

    Args:
        job: which.
        source: all rows of the sharded index.
        settings, device, split: as for `build_index`.
        progress: called with its rows done.
    Returns:
        Whether it was built now.
    Raises:
        VfsearchError: as `build_index` does.
    """
    part = source.part(job.first, job.last)
    begun = time.monotonic()
    while True:
        if _is_there(job.folder, part, settings, split):
            return False
        try:
            build_index(job.folder, part, settings, device, progress, split)
            return True
        except LockedError:
            if time.monotonic() - begun > LOCKED_SECONDS:
                raise
            time.sleep(1.0)


def _is_there(folder: Path, part: RowSource, settings: BuildSettings, split: str | None) -> bool:
    if not exists(folder):
        return False
    kind: type[Index] = BACKENDS.load(settings.backend)
    chosen = kind.prepared(settings, len(part), part.space.dimension)
    try:
        artefact = read_index_artefact(folder)
        artefact.verify()
    except ArtefactError:
        return False
    return artefact.about == about_index(chosen, part, len(part), split)


def about_sharded(settings: BuildSettings, source: RowSource, count: int, split: str | None = None) -> dict:
    """What a fresh sharded index says of itself; the settings are those of its largest partition."""
    first, last = max(spans(len(source), count), key=lambda span: span[1] - span[0])
    kind: type[Index] = BACKENDS.load(settings.backend)
    chosen = kind.prepared(settings, last - first, source.space.dimension)
    return {**about_index(chosen, source, len(source), split), COUNT: count}


def build_sharded(
    folder: Path,
    source: RowSource,
    settings: BuildSettings,
    count: int,
    build: Build | None = None,
    device: str = "cpu",
    progress: Progress = silent,
    split: str | None = None,
    overwrite: bool = False,
) -> Artefact:
    """Index rows in partitions; a build that was killed goes on where it was.

    Args:
        folder: of the index; what is there is replaced once the new one is whole.
        source: the rows.
        settings: what to build of each partition.
        count: partitions.
        build: sees that they are there; None: one after another, in this process.
        device: where to build.
        progress: called with partitions done.
        split: the split that the rows are of; None: all.
        overwrite: build partitions anew that are there already.
    Raises:
        ArtefactError: there are no rows.
        LockedError: another process writes there.
        SettingsError, UnknownNameError, MissingExtraError: the settings do not go with these rows or this machine.
        SpaceMismatchError, VectorError: as `build_index`.
    """
    if not len(source):
        raise ArtefactError(f"there are no {source.modality} rows to index")
    require_device(BACKENDS.load(settings.backend), settings.backend, device)
    about = about_sharded(settings, source, count, split)
    with writer_lock(folder):
        require_replaceable(folder, "index")
        # Names differ from those of an index before, which others may have open.
        mark = digest(about)[:8]
        jobs = [
            PartitionJob(folder=folder / f"{mark}-part-{place:05d}", first=first, last=last)
            for place, (first, last) in enumerate(spans(len(source), count))
        ]
        if overwrite:
            remove_partitions(folder)
        for job in jobs:
            make_folder(job.folder)
        if build is None:
            for done, job in enumerate(jobs, start=1):
                build_partition(job, source, settings, device, split, progress)
                progress("partitions built", done, count)
        else:
            build(jobs, progress)
        return _listed(folder, about, jobs)


def _listed(folder: Path, about: dict, jobs: Sequence[PartitionJob]) -> Artefact:
    """Put the list of partitions in place; what else was there is gone afterwards."""
    artefact = Artefact(folder=folder, kind="index", schema=SCHEMA, about=about)
    ids = []
    for job in jobs:
        part = read_index_artefact(job.folder)
        data = read_file(job.folder / MANIFEST_NAME, "index manifest")
        ids.append(opened(part).gallery.ids)
        artefact.files[manifest_of(job.folder)] = {
            "size": len(data), "sha256": sha256(data), "role": ROLE, "rows": job.last - job.first,
            "bytes": sum(facts["size"] for facts in part.files.values()),
        }  # fmt: skip
    twice = first_repeated(Texts.joined(ids))
    if twice is not None:
        remove_partitions(folder)
        raise VectorError(
            f"two {about['modality']} rows have the id {twice!r}: an answer could not say which is meant; "
            "give each item an id of its own and embed anew"
        )
    artefact.write()
    artefact.remove_unlisted(OWN_NAMES)
    remove_building(folder)
    remove_partitions(folder, {job.folder.name for job in jobs})
    return artefact
