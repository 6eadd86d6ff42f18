"""Several items of a person as one row: a template."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vfsearch.data.embeddings import Embeddings, numbered
from vfsearch.data.failure import FailedItem
from vfsearch.data.item_draws import drawn_items
from vfsearch.data.neighbors import NO_ROW
from vfsearch.data.pooling import IDENTITY, Pooling
from vfsearch.errors import SettingsError, VectorError

SPLIT, ITEMS, SECONDS = "split", "items", "seconds"
SHORTEST = 1e-6
"""A mean of unit rows that is shorter points nowhere in particular: what is left of it is rounding."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Templates:
    """Rows that each stand for several items.

    Args:
        rows: one a template, in the order of their ids.
        members: (n,) int64, the template that each item went into; -1 for an item that was not drawn.
    """

    rows: Embeddings
    members: np.ndarray


def pool(embeddings: Embeddings, pooling: Pooling) -> Templates:
    """Make one unit row of all items of each group: v = sum w_i v_i / |sum w_i v_i|.

    Sums are float64 and taken in the order of the ids, so that the order of the rows changes no bit; a template of one
    item is that item's row. The id of a template is what its group is called: "p17", "p17@talk-show". Columns keep what
    all items of a template agree in, and are empty elsewhere; `items` is how many there are, and `seconds`, where every
    item has a number there, their sum.

    Args:
        embeddings: the items.
        pooling: which of them go together.
    Raises:
        SettingsError: there is no such column; or a group has items of several splits, which a template would mix.
        VectorError: an item has no value in a column it is pooled by, a weight is no number from 0, all weights of a
            template are 0, or its items sum to nothing.
    """
    names = group_names(embeddings, pooling)
    order = _in_order(names, embeddings.ids)
    if pooling.items is not None:
        drawn = drawn_items(names, embeddings.ids, np.ones(len(names)), pooling.items, pooling.seed)
        order = order[np.isin(order, drawn)]
    labels = [names[row] for row in order]
    (number,) = numbered(labels)
    starts = np.flatnonzero(np.diff(number, prepend=-1))
    _require_one_identity(embeddings, order, starts, labels)
    _require_one_split(embeddings, order, starts, labels, pooling)
    weights = _weights(embeddings, order, starts, labels, pooling.weight)
    rows = Embeddings(
        ids=[labels[start] for start in starts],
        identities=[embeddings.identities[order[start]] for start in starts],
        vectors=_means(embeddings, order, starts, labels, weights),
        modality=embeddings.modality,
        space=embeddings.space,
        columns=_columns(embeddings, order, starts),
    )
    members = np.full(len(embeddings), NO_ROW, dtype=np.int64)
    members[order] = number
    return Templates(rows=rows, members=members)


def group_names(embeddings: Embeddings, pooling: Pooling) -> list[str]:
    """What the template of each item is called.

    Raises:
        SettingsError: there is no such column.
        VectorError: an item has no value there.
    """
    columns = [_column(embeddings, name) for name in pooling.by]
    for name, values in zip(pooling.by, columns, strict=True):
        empty = [row for row, value in enumerate(values) if not value]
        if empty:
            raise VectorError(
                f"{_these(len(empty), embeddings)} have no {name}, such as {embeddings.ids[empty[0]]!r}: nothing says "
                f"which template they belong to; fill the column in, or pool by other columns than "
                f"{'+'.join(pooling.by)}"
            )
    return ["@".join(values) for values in zip(*columns, strict=True)]


def failed_groups(failures: Sequence[FailedItem], templates: Embeddings, pooling: Pooling) -> list[FailedItem]:
    """One failed item for each group of which none could be embedded; of the others a template is there.

    Args:
        failures: items without a row.
        templates: of those with one.
        pooling: how they were made.
    """
    there, gone = set(templates.ids), {}
    for failure in failures:
        values = {**failure.columns, IDENTITY: failure.identity}
        name = "@".join(values.get(column, "") for column in pooling.by)
        if name not in there:
            gone.setdefault(name, failure)
    return [gone[name] for name in sorted(gone)]


def _column(embeddings: Embeddings, name: str) -> Sequence[str]:
    if name == IDENTITY:
        return embeddings.identities
    if name not in embeddings.columns:
        known = ", ".join(sorted(embeddings.columns)) or "none"
        raise SettingsError(
            f"the {embeddings.modality} items have no column {name!r} to pool by: wanted identity or one of {known}"
        )
    return embeddings.columns[name]


def _these(count: int, embeddings: Embeddings) -> str:
    return f"{count:,} of {len(embeddings):,} {embeddings.modality} items"


def _in_order(names: Sequence[str], ids: Sequence[str]) -> np.ndarray:
    """(n,) rows by group, in a group by id."""
    return np.array(sorted(range(len(ids)), key=lambda row: (names[row], ids[row])), dtype=np.int64)


def _require_one_identity(embeddings: Embeddings, order: np.ndarray, starts: np.ndarray, labels: list[str]) -> None:
    """Texts that hold an "@" themselves could give two groups one name."""
    for start, stop in _spans(starts, len(order)):
        found = sorted({embeddings.identities[row] for row in order[start:stop]})
        if len(found) > 1:
            raise VectorError(
                f"{found[0]!r} and {found[1]!r} would both have the template {labels[start]!r}: rename one of them"
            )


def _require_one_split(
    embeddings: Embeddings, order: np.ndarray, starts: np.ndarray, labels: list[str], pooling: Pooling
) -> None:
    splits = embeddings.columns.get(SPLIT)
    if splits is None or SPLIT in pooling.by:
        return
    for start, stop in _spans(starts, len(order)):
        found = sorted({splits[row] for row in order[start:stop]})
        if len(found) > 1:
            raise SettingsError(
                f"the {embeddings.modality} items of {labels[start]!r} are of the splits "
                f"{' and '.join(map(repr, found))}, which one template would mix: pool by {'+'.join(pooling.by)}+split"
            )


def _spans(starts: np.ndarray, end: int) -> list[tuple[int, int]]:
    return list(zip(starts.tolist(), [*starts[1:].tolist(), end], strict=True)) if len(starts) else []


def _weights(
    embeddings: Embeddings, order: np.ndarray, starts: np.ndarray, labels: list[str], column: str | None
) -> np.ndarray | None:
    """(m,) float64 weights of the items in their order; None where all count alike."""
    if column is None:
        return None
    values = numbers(embeddings, column)
    wrong = [row for row in order if not (math.isfinite(values[row]) and values[row] >= 0)]
    if wrong:
        texts = embeddings.columns[column]
        raise VectorError(
            f"{_these(len(wrong), embeddings)} have no weight: {embeddings.ids[wrong[0]]!r} has "
            f"{column}={texts[wrong[0]]!r}, wanted a number of at least 0; fill the column in, or pool without it"
        )
    weights = values[order]
    nothing = np.flatnonzero(np.add.reduceat(weights, starts) <= 0) if len(starts) else ()
    if len(nothing):
        raise VectorError(
            f"all items of {len(nothing)} templates have {column}=0, such as those of {labels[starts[nothing[0]]]!r}: "
            "a template wants an item that counts; leave these people out, or pool without the column"
        )
    return weights


def numbers(embeddings: Embeddings, column: str) -> np.ndarray:
    """(n,) float64 what a column says of each item; NaN where that is no number.

    Raises:
        SettingsError: there is no such column.
    """
    return np.array([_number(text) for text in _column(embeddings, column)], dtype=np.float64)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _means(
    embeddings: Embeddings, order: np.ndarray, starts: np.ndarray, labels: list[str], weights: np.ndarray | None
) -> np.ndarray:
    """(t, d) float32 unit rows."""
    means = np.empty((len(starts), embeddings.vectors.shape[1]), dtype=np.float32)
    for place, (start, stop) in enumerate(_spans(starts, len(order))):
        rows = embeddings.vectors[order[start:stop]]
        own = None if weights is None else weights[start:stop]
        means[place] = rows[0] if len(rows) == 1 else _mean(rows, own, labels[start], embeddings.modality)
    return means


def _mean(rows: np.ndarray, weights: np.ndarray | None, name: str, modality: str) -> np.ndarray:
    shares = np.ones(len(rows)) if weights is None else weights / weights.max()
    shares /= shares.sum()
    total = np.zeros(rows.shape[1])
    # One after another: the order of a library's own sums is not ours to know.
    for share, row in zip(shares, rows, strict=True):
        total += share * row
    length = float(np.sqrt((total * total).sum()))
    if length <= SHORTEST:
        raise VectorError(
            f"the {len(rows)} {modality} items of {name!r} point in opposite directions and sum to nothing, which is "
            "no template: look whether they are of one person, or leave them out"
        )
    return total / length


def _columns(embeddings: Embeddings, order: np.ndarray, starts: np.ndarray) -> dict[str, list[str]]:
    """What all items of a template agree in; then how many there are, and how long they are together."""
    spans = _spans(starts, len(order))
    kept = {
        name: [_shared({values[row] for row in order[start:stop]}) for start, stop in spans]
        for name, values in embeddings.columns.items()
    }
    kept[ITEMS] = [str(stop - start) for start, stop in spans]
    if SECONDS in embeddings.columns:
        seconds = numbers(embeddings, SECONDS)[order]
        totals = [math.fsum(seconds[start:stop]) for start, stop in spans]
        kept[SECONDS] = [f"{total:.6g}" if math.isfinite(total) else "" for total in totals]
    return kept


def _shared(values: set[str]) -> str:
    return values.pop() if len(values) == 1 else ""
