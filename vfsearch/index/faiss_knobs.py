"""What can be set when an index of faiss is searched."""

from collections.abc import Callable, Mapping

import faiss
import numpy as np

from vfsearch.index.faiss_shape import FaissShape
from vfsearch.index.settings import Knob

STEP = 2**0.25
MOST_EF = 4096
LADDER_EF = 8, 800
QUERY_BITS = (1, 2, 3, 4, 6, 8)


def knobs_of(shape: FaissShape, refine_knob: Callable[[int], Knob]) -> tuple[Knob, ...]:
    """The search settings that an index has.

    Args:
        shape: the index.
        refine_knob: makes the knob of exact scores from its default.
    """
    knobs = []
    if shape.is_ivf:
        knobs.append(nprobe_knob(shape.inner.nlist))
    if shape.is_graph:
        knobs.append(ef_knob())
    if hasattr(shape.inner, "qb"):
        knobs.append(query_bits_knob(shape.inner.qb))
    if not shape.keeps_whole_rows:
        knobs.append(refine_knob(candidates_for(shape)))
    return tuple(knobs)


def nprobe_knob(lists: int) -> Knob:
    """How many lists are looked at; twice their square root unless tuned."""
    return Knob(
        name="nprobe", default=min(lists, round(2 * lists**0.5)), low=1, high=lists, ladder=ladder(1, lists),
        help="lists that are looked at, those with the nearest centres",
    )  # fmt: skip


def ef_knob() -> Knob:
    """How many candidates a walk through a graph keeps."""
    return Knob(
        name="ef", default=128, low=1, high=MOST_EF, ladder=ladder(*LADDER_EF),
        help="candidates of a walk in the graph, at least the neighbours wanted",
    )  # fmt: skip


def query_bits_knob(default: int) -> Knob:
    """How finely RaBitQ rounds the numbers of a query."""
    return Knob(
        name="qb", default=default or 8, low=1, high=8, ladder=QUERY_BITS, help="bits a number of a rounded query"
    )


def ladder(low: int, high: int) -> tuple[int, ...]:
    """Values from low to high, each about a fifth above the one before.

    Example:
        >>> ladder(1, 12)
        (1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12)
    """
    steps = int(np.floor(np.log(high / low) / np.log(STEP) + 1e-9))
    return tuple(sorted({*(round(low * STEP**step) for step in range(steps + 1)), high}))


def candidates_for(shape: FaissShape) -> int:
    """How many candidates of each wanted row are scored exactly, unless tuned: more for coarser codes."""
    bits = 8 * (shape.code_bytes or 0) / shape.index.d
    return next(count for least, count in ((15, 1), (7, 2), (3.9, 8), (0, 16)) if bits >= least)


def chosen_among(
    shape: FaissShape, settings: Mapping[str, int], rows: np.ndarray, total: int
) -> faiss.SearchParameters | None:
    """Parameters for a search among some rows; None where faiss has none for this index.

    Args:
        shape: the index.
        settings: in force.
        rows: (m,) row numbers.
        total: of all rows.
    """
    if not shape.is_plain:
        return None
    bits = np.zeros(total, dtype=bool)
    bits[rows] = True
    packed = np.packbits(bits, bitorder="little")
    chosen = _parameters(shape, settings, faiss.IDSelectorBitmap(packed))
    for _ in shape.wrappers:
        chosen = faiss.SearchParametersPreTransform(index_params=chosen) if chosen is not None else None
    return chosen


def _parameters(
    shape: FaissShape, settings: Mapping[str, int], selector: faiss.IDSelector
) -> faiss.SearchParameters | None:
    if "qb" in settings and shape.is_ivf:
        return faiss.IVFRaBitQSearchParameters(sel=selector, nprobe=settings["nprobe"], qb=settings["qb"])
    if "qb" in settings:
        return faiss.RaBitQSearchParameters(sel=selector, qb=settings["qb"])
    if shape.is_ivf:
        return faiss.SearchParametersIVF(sel=selector, nprobe=settings["nprobe"])
    if shape.is_graph:
        return faiss.SearchParametersHNSW(sel=selector, efSearch=settings["ef"])
    chooses = isinstance(shape.inner, (faiss.IndexFlat, faiss.IndexScalarQuantizer))
    return faiss.SearchParameters(sel=selector) if chooses else None
