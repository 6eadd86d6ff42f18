"""Compiling loops: kept on disk where that is possible, without Python's lock."""

from collections.abc import Callable
from pathlib import Path

from numba import njit


def compiled(function: Callable | None = None, *, reassociate: bool = False, borrows: bool = False) -> Callable:
    """A function compiled when it is first called, and read back from disk by later processes.

    It runs without Python's lock, so that threads of Python share the work and no second OpenMP runtime comes in.

    Args:
        function: of arrays and numbers.
        reassociate: sums may be taken in any order, which lets them use vector registers; only where every order
            gives the same result or a bound covers the difference.
        borrows: it makes no arrays, only works on those of its caller, so that no references need be counted: the
            atomic steps of counting can cost more than the work that they stand between.
    """
    if function is None:
        return lambda each: compiled(each, reassociate=reassociate, borrows=borrows)
    fastmath = {"reassoc", "contract"} if reassociate else False
    options = {"nogil": True, "_nrt": not borrows, "fastmath": fastmath}
    try:
        found = njit(cache=True, **options)(function)
    except RuntimeError:
        # No folder is there to keep it in: neither the package's own nor the user's can be written.
        return njit(**options)(function)
    # A loop holds the code of those that it calls, from other files too: numba looks at its own file only.
    found._cache._cache_file._source_stamp = (*found._cache._cache_file._source_stamp, _SOURCES)
    return found


_SOURCES = tuple(sorted((path.name, path.stat().st_mtime_ns) for path in Path(__file__).parent.glob("*.py")))
