"""How long each clip is: as the store or the manifest says, else as its file does."""

from pathlib import Path

import numpy as np

from vfsearch.data.embeddings import Embeddings
from vfsearch.data.manifest import Item, Manifest
from vfsearch.data.templates import SECONDS, numbers
from vfsearch.errors import ManifestError, MediaError, VectorError
from vfsearch.pipeline.workspace import Workspace


def item_seconds(workspace: Workspace, rows: Embeddings, column: str | None = None) -> np.ndarray:
    """(n,) seconds of each clip.

    Args:
        workspace: whose manifest names the files.
        rows: the clips.
        column: of the store, that says their seconds; None: `seconds` if it is there, else start and end in the
            manifest, else the headers of the files.
    Raises:
        SettingsError: there is no such column.
        VectorError: it holds something else than a number above 0.
        ManifestError: a clip is not in the manifest.
        MediaError: the length of a file cannot be read.
    """
    if column is None and SECONDS not in rows.columns:
        return _of_media(workspace.read_manifest(), rows)
    found = numbers(rows, column or SECONDS)
    wrong = np.flatnonzero(~(np.isfinite(found) & (found > 0)))
    if len(wrong):
        row = int(wrong[0])
        name = column or SECONDS
        raise VectorError(
            f"{len(wrong)} of {len(rows)} clips have no length: {rows.ids[row]!r} has {name}="
            f"{rows.columns[name][row]!r}, wanted seconds above 0"
        )
    return found


def _of_media(manifest: Manifest, rows: Embeddings) -> np.ndarray:
    items = {item.id: item for item in manifest}
    gone = [id_ for id_ in rows.ids if id_ not in items]
    if gone:
        raise ManifestError(
            f"{manifest.where} lacks {len(gone)} clips of the store, such as {gone[0]!r}: nothing says how long they "
            "are; name the manifest that the store was made from, or a column of the store with --seconds-column"
        )
    return np.array([_seconds(manifest, items[id_]) for id_ in rows.ids], dtype=np.float64)


def _seconds(manifest: Manifest, item: Item) -> float:
    start = item.start_seconds or 0.0
    end = _of_file(manifest.media_path(item)) if item.end_seconds is None else item.end_seconds
    if not end > start:
        raise MediaError(f"{item.path} ends after {end:g} s, before the part that starts at {start:g} s")
    return end - start


def _of_file(path: Path) -> float:
    import soundfile

    try:
        return float(soundfile.info(str(path)).duration)
    except (soundfile.LibsndfileError, OSError, RuntimeError) as error:
        raise MediaError(
            f"the length of {path} cannot be read ({error}): give it in the manifest (start_seconds, end_seconds, or "
            "a column of seconds), and its name with --seconds-column"
        ) from error
