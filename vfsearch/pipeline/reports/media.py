"""What a report shows of media: decoded in processes that may die."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from vfsearch.data.answers import ShownItem
from vfsearch.media.limits import Limits
from vfsearch.media.preparation import Failure, Preparation, Prepared, Task
from vfsearch.media.views import Outline, Thumbnail
from vfsearch.media.workers import PreparationWorkers
from vfsearch.progress import Progress, silent

NOT_LISTED = "no file is listed for it"
"""Of a template of several items, and where there is no manifest."""


def views(
    items: Iterable[ShownItem],
    pixels: int,
    redact: bool = False,
    workers: int = 2,
    progress: Progress = silent,
    clips: Preparation | None = None,
) -> tuple[dict[tuple[str, str], np.ndarray], dict[str, str]]:
    """Pictures of faces, and of clips their outlines or what else is asked for.

    Args:
        items: each is decoded once, however often it comes.
        pixels: across a picture.
        redact: blur faces.
        clips: what is made of a clip; None: its outline.
        workers: decoding processes; 0: in this process.
        progress: called with media decoded.
    Returns:
        (modality, id) -> picture; and id -> why there is none.
    """
    found: dict[tuple[str, str], np.ndarray] = {}
    failed: dict[str, str] = {}
    ways = {"face": Thumbnail(pixels=pixels, blurred=redact), "voice": clips or Outline()}
    for item, result in prepared_media(items, ways, workers, progress):
        if isinstance(result, Failure):
            failed[item.id] = result.reason
        else:
            found[item.modality, item.id] = result.sample
    return found, failed


def prepared_media(
    items: Iterable[ShownItem], ways: Mapping[str, Preparation], workers: int = 2, progress: Progress = silent
) -> Iterator[tuple[ShownItem, Prepared | Failure]]:
    """Each item with what was made of its media, one at a time.

    Args:
        items: each is decoded once, however often it comes.
        ways: modality -> what is made of it.
        workers: decoding processes; 0: in this process.
        progress: called with media decoded.
    """
    different = {(item.modality, item.id): item for item in items}
    for modality, preparation in ways.items():
        wanted = [item for item in different.values() if item.modality == modality]
        for item in wanted:
            if item.path is None:
                yield item, Failure(stage="decode", reason=NOT_LISTED)
        wanted = [item for item in wanted if item.path is not None]
        if wanted:
            with PreparationWorkers(preparation, Limits(), min(workers, len(wanted))) as pool:
                results = zip(wanted, pool.prepare(map(_task, wanted)), strict=True)
                for done, (item, result) in enumerate(results, start=1):
                    yield item, result
                    progress(f"{modality} media", done, len(wanted))


def _task(item: ShownItem) -> Task:
    return Task(path=item.path, start_seconds=item.start_seconds, end_seconds=item.end_seconds)
