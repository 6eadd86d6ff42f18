"""Looking at a store from outside: what it holds, and whether it is whole."""

from pathlib import Path

from vfsearch.artefact import MANIFEST_NAME
from vfsearch.errors import ArtefactError, VectorError
from vfsearch.files import LOCK_NAME
from vfsearch.progress import Progress, silent
from vfsearch.store.store import FAILURES_NAME, open_store


def describe(folder: Path) -> dict:
    """What a store says it holds, as JSON; its shards are not read.

    Raises:
        ArtefactError: there is no store.
        DamagedError: its manifest is damaged.
    """
    store = open_store(folder, complete=False)
    files = store.artefact.files
    contents = [
        {
            "modality": modality,
            "split": split,
            "rows": sum(files[part]["rows"] for part in store.parts(modality, split)),
            "failures": sum(files[part]["failures"] for part in store.parts(modality, split)),
            "space": str(space),
        }
        for modality, space in store.spaces.items()
        for split in store.splits(modality)
    ]
    return {
        "store": str(folder),
        "digest": store.digest,
        "complete": store.artefact.about["complete"],
        "dtype": store.artefact.about["dtype"],
        "spaces": {modality: space.to_json() for modality, space in store.spaces.items()},
        "contents": contents,
        "shards": len([name for name in files if name != FAILURES_NAME]),
        "size_bytes": sum(facts["size"] for facts in files.values()),
    }


def verify(folder: Path, progress: Progress = silent) -> dict:
    """Read and check every shard.

    Args:
        folder: of the store.
        progress: called with files done.
    Returns:
        JSON: "store", "files", "problems" (one line a damaged file), "unlisted" (names that the store ignores).
    Raises:
        ArtefactError: there is no store.
        DamagedError: its manifest is damaged.
    """
    store = open_store(folder, complete=False)
    problems = []
    for done, name in enumerate(store.artefact.files, start=1):
        try:
            if name == FAILURES_NAME:
                store.artefact.read(name)
            else:
                store.shard(name)
        except (ArtefactError, VectorError) as error:
            problems.append(str(error))
        progress("files", done, len(store.artefact.files))
    known = {*store.artefact.files, MANIFEST_NAME, LOCK_NAME}
    unlisted = sorted(path.name for path in folder.iterdir() if path.name not in known)
    return {"store": str(folder), "files": len(store.artefact.files), "problems": problems, "unlisted": unlisted}
