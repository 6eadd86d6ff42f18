"""The rows of a store as an index takes them: shard by shard."""

from vfsearch.data.row_source import RowSource
from vfsearch.errors import ArtefactError
from vfsearch.store.store import Store


def store_source(store: Store, modality: str, split: str | None = None) -> RowSource:
    """The rows of one modality, and of one split (None: of all), never more than one shard of them in memory.

    Args:
        store: an open store.
        modality: "voice" or "face".
        split: a value of the column `split`.
    Raises:
        ArtefactError: the store has no such rows.
    """
    parts = [part for part in store.parts(modality, split) if store.artefact.files[part]["rows"]]
    if not parts:
        of_split = "" if split is None else f" with split={split}"
        has = ", ".join(f"{name} ({store.count('rows', name)} rows)" for name in store.spaces) or "nothing"
        splits = ", ".join(map(repr, sorted({name for each in store.spaces for name in store.splits(each)})))
        raise ArtefactError(
            f"the store {store.artefact.folder} has no {modality} rows{of_split}: it holds {has}, splits {splits}"
        )
    return RowSource(
        modality=modality,
        space=store.spaces[modality],
        origin=store.digest,
        sizes=tuple(store.artefact.files[part]["rows"] for part in parts),
        read=lambda number: store.shard(parts[number]).embeddings,
    )
