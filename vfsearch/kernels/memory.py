"""How little memory kernels can do with."""

from vfsearch.errors import DoesNotFitError

_ALWAYS, _A_DIMENSION = 2**24, 2**14


def least_memory(dimension: int) -> int:
    """Bytes that kernels want beside rows and results: tiles of queries, a thousand rows packed, their counts.

    With less the same rows would be packed again for every few queries.

    Example:
        >>> least_memory(128) / 2**20
        18.0
    """
    return _ALWAYS + _A_DIMENSION * dimension


def require_memory(max_memory: int | None, dimension: int) -> None:
    """Refuse a limit that nothing can be computed within.

    Args:
        max_memory: bytes; None: no limit was asked for.
        dimension: of the rows.
    Raises:
        DoesNotFitError: with what is needed.
    """
    needed = least_memory(dimension)
    if max_memory is not None and max_memory < needed:
        raise DoesNotFitError(
            f"{max_memory:,} bytes of memory are too few to compare rows of {dimension} dimensions with: at least "
            f"{needed:,} are needed beside vectors and results; raise --max-memory to {-(-needed // 2**20)}MiB or more"
        )
