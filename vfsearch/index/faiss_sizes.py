"""How large the parts of a faiss index shall be: rules that need no faiss."""

import math
import re

from vfsearch.errors import SettingsError

MOST_LISTS = 65_536
ROWS_A_LIST = 39
"""Fewest rows a list, in the mean; faiss warns of centres learned from fewer."""
TRAIN_ROWS_A_LIST = 48
LEAST_TRAIN_ROWS = 65_536
"""What 256 centres of product codes are learned from by faiss' own choice."""
PLACES = ("lists", "half", "quarter", "dimension")


def lists_for(rows: int) -> int:
    """How many lists suit so many rows: about four times their square root, a power of two.

    Example:
        >>> [lists_for(rows) for rows in (1, 1_000, 300_000, 10_000_000)]
        [1, 16, 2048, 16384]
    """
    wanted = 2 ** round(math.log2(4 * math.sqrt(rows)))
    affordable = 2 ** int(math.log2(max(1, rows // ROWS_A_LIST)))
    return min(wanted, affordable, MOST_LISTS)


def train_rows_for(lists: int, rows: int) -> int:
    """How many rows centres and codes are learned from.

    Example:
        >>> train_rows_for(16_384, 10_000_000), train_rows_for(64, 1_000)
        (786432, 1000)
    """
    return min(rows, max(LEAST_TRAIN_ROWS, TRAIN_ROWS_A_LIST * lists))


def pieces_for(dimension: int, share: int) -> int:
    """Into how many pieces of equal length a row is cut: a share of its dimension, or less where that does not go.

    Example:
        >>> pieces_for(128, 2), pieces_for(12, 8), pieces_for(7, 2)
        (64, 1, 1)
    """
    most = max(1, dimension // share)
    return next(pieces for pieces in range(most, 0, -1) if dimension % pieces == 0)


def filled(factory: str, lists: int, dimension: int) -> str:
    """A faiss factory string whose places have their numbers.

    Args:
        factory: may have the places {lists}, {half}, {quarter} and {dimension}.
        lists: how many.
        dimension: of the rows.
    Raises:
        SettingsError: it has another place.

    Example:
        >>> filled("IVF{lists},PQ{half}x4fs", 1024, 128)
        'IVF1024,PQ64x4fs'
    """
    numbers = (lists, pieces_for(dimension, 2), pieces_for(dimension, 4), dimension)
    text = factory
    for place, number in zip(PLACES, numbers, strict=True):
        text = text.replace(f"{{{place}}}", str(number))
    if left := re.search(r"[{}].*", text):
        known = ", ".join(f"{{{place}}}" for place in PLACES)
        raise SettingsError(f"the factory string {factory!r} is not clear at {left[0]!r}; it may have {known}")
    return text
