"""What a report shows of media: decoded in processes that may die."""

from collections.abc import Iterable, Mapping

import numpy as np

from vfsearch.data.answers import ShownItem
from vfsearch.media.limits import Limits
from vfsearch.media.preparation import Failure, Preparation, Task
from vfsearch.media.views import Outline, Thumbnail
from vfsearch.media.workers import PreparationWorkers
from vfsearch.progress import Progress, silent


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
    ways: Mapping[str, Preparation] = {"face": Thumbnail(pixels=pixels, blurred=redact), "voice": clips or Outline()}
    different = {(item.modality, item.id): item for item in items}
    for modality, preparation in ways.items():
        wanted = [item for item in different.values() if item.modality == modality]
        failed |= {item.id: "no file is listed for it" for item in wanted if item.path is None}
        wanted = [item for item in wanted if item.path is not None]
        if not wanted:
            continue
        tasks = map(_task, wanted)
        with PreparationWorkers(preparation, Limits(), min(workers, len(wanted))) as pool:
            for done, (item, result) in enumerate(zip(wanted, pool.prepare(tasks), strict=True), start=1):
                if isinstance(result, Failure):
                    failed[item.id] = result.reason
                else:
                    found[modality, item.id] = result.sample
                progress(f"{modality} media", done, len(wanted))
    return found, failed


def _task(item: ShownItem) -> Task:
    return Task(path=item.path, start_seconds=item.start_seconds, end_seconds=item.end_seconds)
