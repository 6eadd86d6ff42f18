"""Keeping few pages of lists that lie on disk in the memory of the process."""

import ctypes
import mmap
from pathlib import Path

import faiss

MOST_BYTES = 2**29
"""Of mapped files, from which on pages are given back; they stay in the system's cache as long as it has room."""
MADV_DONTNEED = 4


class MappedLists:
    """Lists that are searched where they lie.

    Args:
        lists: of faiss, mapped.
    """

    def __init__(self, lists: faiss.OnDiskInvertedLists) -> None:
        self.list_bytes = max(1, lists.totsize // max(1, lists.nlist))
        self._lists = lists
        self._libc = ctypes.CDLL(None, use_errno=True)

    @property
    def may_fill_memory(self) -> bool:
        """Whether they are so large that their pages must be given back."""
        return self._lists.totsize > MOST_BYTES

    def queries_at_once(self, nprobe: int) -> int:
        """How many queries touch no more pages than may be kept."""
        return max(1, MOST_BYTES // (nprobe * self.list_bytes))

    def give_back(self) -> None:
        """Give pages back where many are held; what is mapped stays as it is, and is read again when it is needed."""
        if held_bytes() > MOST_BYTES:
            # Only read: nothing is lost. Where the system refuses, memory grows and answers stay the same.
            self._libc.madvise(
                ctypes.c_void_p(int(self._lists.ptr)), ctypes.c_size_t(self._lists.totsize), MADV_DONTNEED
            )


def held_bytes() -> int:
    """Bytes of mapped files that are in the memory of this process; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[2]) * mmap.PAGESIZE
    except OSError:
        return 0
