"""From a factory string to an index of faiss that has learned nothing yet."""

import re
from dataclasses import replace

import faiss

from vfsearch.errors import SettingsError
from vfsearch.index.faiss_shape import FaissShape
from vfsearch.index.faiss_sizes import filled, lists_for, train_rows_for
from vfsearch.index.settings import BuildSettings, Parameter

PARAMETERS = (
    Parameter(name="factory", kind=str, default="IVF{lists},Flat",
              help="faiss factory string; {lists}, {half}, {quarter} and {dimension} are filled in by size"),
    Parameter(name="lists", low=1, default=None, help="what {lists} stands for; else by the number of rows"),
    Parameter(name="train_rows", low=1, default=None, help="rows that centres and codes are learned from"),
    Parameter(name="train_rounds", low=1, default=10, help="rounds of k-means"),
    Parameter(name="ef_construction", low=1, default=80, help="candidates for the edges of a new row of a graph"),
    Parameter(name="repeatable", kind=bool, default=True,
              help="add to graphs with one thread: the same rows give the same bytes"),
)  # fmt: skip
REFUSED = (faiss.IndexIVFFlatDedup, faiss.IndexIDMap)
PRODUCT_CODES_FROM = 16_384
"""Rows; more made codes of 8 bits no better in recall, and their training four times as long."""


def settled(settings: BuildSettings, rows: int, dimension: int) -> BuildSettings:
    """Settings with nothing left to choose; the factory string is tried.

    Raises:
        SettingsError: faiss does not know the factory string, or it goes with another number of rows or dimensions.
    """
    chosen = dict(settings.completed(PARAMETERS).parameters)
    chosen["lists"] = chosen["lists"] or lists_for(rows)
    chosen["factory"] = filled(chosen["factory"], chosen["lists"], dimension)
    shape = FaissShape.of(made(chosen["factory"], dimension))
    require_usable(shape, chosen["factory"], rows)
    chosen["lists"] = shape.inner.nlist if shape.is_ivf else None
    if (chosen["train_rows"] or rows) < (chosen["lists"] or 0):
        raise SettingsError(
            f"train_rows is {chosen['train_rows']}, {chosen['lists']} lists want at least as many; leave it out"
        )
    chosen["train_rows"] = min(rows, chosen["train_rows"] or train_rows_for(chosen["lists"] or 0, rows))
    return replace(settings, parameters=chosen)


def with_fewer_lists(settings: BuildSettings, rows: int) -> BuildSettings:
    """The settings of an index for another number of rows: lists are fewer where there are not rows enough for them."""
    asked = settings.parameters["factory"]
    factory = re.sub(r"IVF(\d+)", lambda lists: lists[0] if int(lists[1]) <= rows else f"IVF{lists_for(rows)}", asked)
    return replace(settings, parameters={**settings.parameters, "factory": factory})


def made(factory: str, dimension: int) -> faiss.Index:
    """What faiss makes of a factory string.

    Raises:
        SettingsError: it does not know it.
    """
    try:
        return faiss.index_factory(dimension, factory, faiss.METRIC_INNER_PRODUCT)
    except RuntimeError as error:
        raise SettingsError(
            f"faiss makes no index of {dimension} dimensions and the inner product of the factory string {factory!r}: "
            f"{word_of(error)}; see https://github.com/facebookresearch/faiss/wiki/The-index-factory"
        ) from error


def word_of(error: RuntimeError) -> str:
    """What faiss has to say, without its place in the source of faiss."""
    return re.sub(r"^Error in .*? at \S+:\d+: (Error: )?", "", str(error), flags=re.DOTALL).strip()


def require_usable(shape: FaissShape, factory: str, rows: int) -> None:
    """Refuse what cannot be kept as an index of ours, or not with so few rows.

    Raises:
        SettingsError: it cannot.
    """
    if isinstance(shape.index, REFUSED) or isinstance(shape.inner, REFUSED):
        raise SettingsError(
            f"the factory string {factory!r} gives rows other numbers than their own; leave out IDMap and Dedup"
        )
    if shape.is_ivf and shape.inner.nlist > max(1, rows):
        raise SettingsError(
            f"the factory string {factory!r} asks for {shape.inner.nlist} lists, there are {rows} rows; "
            "write {lists} in place of the number, or a smaller one"
        )


def untrained(settings: BuildSettings, dimension: int) -> FaissShape:
    """An index as settings want it, every random choice of it decided.

    Args:
        settings: as `settled` gave them.
        dimension: of the rows.
    """
    parameters = settings.parameters
    shape = FaissShape.of(made(parameters["factory"], dimension))
    for learner in _learners(shape):
        learner.seed, learner.niter, learner.min_points_per_centroid = settings.seed, parameters["train_rounds"], 1
    for holder in _coded(shape):
        holder.pq.cp.max_points_per_centroid = max(1, PRODUCT_CODES_FROM // holder.pq.ksub)
        if hasattr(holder, "do_polysemous_training"):
            # It orders codes for a filter that nothing here uses, and takes ten times as long as learning them.
            holder.do_polysemous_training = False
    for graph in (shape.inner if shape.is_graph else None, shape.coarse_graph):
        if graph is not None:
            graph.hnsw.efConstruction = parameters["ef_construction"]
    return shape


def _coded(shape: FaissShape) -> list[faiss.Index]:
    """What has product codes."""
    held = faiss.downcast_index(shape.inner.storage) if shape.is_graph else shape.inner
    return [held] if hasattr(held, "pq") else []


def _learners(shape: FaissShape) -> list[faiss.ClusteringParameters]:
    """Every k-means of an index."""
    return [holder.pq.cp for holder in _coded(shape)] + ([shape.inner.cp] if shape.is_ivf else [])
