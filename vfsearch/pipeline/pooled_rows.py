"""Templates of the items of a store."""

from collections.abc import Sequence
from dataclasses import replace

from vfsearch.data.embeddings import Embeddings
from vfsearch.data.neighbors import NO_ROW
from vfsearch.data.pooling import Pooling
from vfsearch.data.row_source import RowSource, rows_in_memory
from vfsearch.data.templates import Templates, pool
from vfsearch.pipeline.engine import SEEN_COLUMN
from vfsearch.pipeline.gallery_source import store_source
from vfsearch.store.store import Store

_SEEN = ("", "identity", "item")
"""What training saw of an item, least first."""


def pooled(rows: Embeddings, pooling: Pooling) -> Templates:
    """The templates of some items; one that holds an item that the model was trained on was seen in training itself.

    Raises:
        SettingsError, VectorError: the items cannot be pooled so.
    """
    templates = pool(rows, pooling)
    if SEEN_COLUMN not in rows.columns:
        return templates
    seen = _most_seen(rows.columns[SEEN_COLUMN], templates)
    columns = {**templates.rows.columns, SEEN_COLUMN: seen}
    return replace(templates, rows=replace(templates.rows, columns=columns))


def _most_seen(values: Sequence[str], templates: Templates) -> list[str]:
    most = [0] * len(templates.rows)
    for value, template in zip(values, templates.members.tolist(), strict=True):
        if template != NO_ROW and value in _SEEN:
            most[template] = max(most[template], _SEEN.index(value))
    return [_SEEN[each] for each in most]


def template_source(store: Store, modality: str, split: str | None, pooling: Pooling) -> RowSource:
    """The templates of one modality, and of one split (None: of all), for an index.

    All items are in memory while they are pooled.

    Raises:
        ArtefactError: the store has no such items.
        SettingsError, VectorError: they cannot be pooled so.
    """
    # For its message where there is none.
    store_source(store, modality, split)
    templates = pooled(store.load(modality, split), pooling)
    return replace(rows_in_memory(templates.rows, store.digest), pooling=pooling)
