"""The rows that the names of a list stand for."""

import bisect
from collections.abc import Iterator, Sequence

import numpy as np

from vfsearch.data.named_vectors import NamedVectors
from vfsearch.data.neighbors import NO_ROW
from vfsearch.data.trial_list import Names
from vfsearch.devices import one_device
from vfsearch.errors import TrialListError
from vfsearch.kernels.exact import on_device
from vfsearch.kernels.memory import require_memory

_SEVERAL = -2


class ListedRows:
    """Vectors to be found by the names that lists use for them.

    A list may write a name shorter or longer than the vectors' own: `id1/v/1.wav` for `wav/id1/v/1.wav`, or the other
    way round. What is the end of the other, at whole path parts, is taken for the same item if nothing else could be.

    Args:
        vectors: names and unit rows.
        paths: n further names of the rows, those of their media files; none at all where nothing is known of them.
        device: where scores are computed.
        max_memory: bytes that computing them may use beside rows and results; None: 1 GiB.
    Raises:
        DoesNotFitError: that is too little memory.
    """

    def __init__(
        self,
        vectors: NamedVectors,
        paths: Sequence[str] = (),
        device: str = "cpu",
        max_memory: int | None = None,
    ) -> None:
        require_memory(max_memory, vectors.vectors.shape[1])
        self.where = vectors.where
        self.names = vectors.names
        self.device, self.max_memory = device, max_memory
        self._vectors = vectors.vectors
        # Copied to a GPU once, not for every block of a list.
        self.vectors = self._vectors if device == "cpu" else on_device(self._vectors, one_device(device))
        self._rows = {**_once(paths), **{name: row for row, name in enumerate(vectors.names)}}
        self._backwards: list[tuple[str, int]] | None = None

    def __len__(self) -> int:
        return len(self.names)

    def taken(self, rows: np.ndarray) -> np.ndarray:
        """(m, d) copies of some rows, in memory."""
        return self._vectors[rows]

    def rows(self, texts: Sequence[str]) -> np.ndarray:
        """(n,) int64 rows of names, -1 for those that have none.

        Raises:
            TrialListError: a name may stand for either of two rows.
        """
        return np.array([self._row(text) for text in texts], dtype=np.int64)

    def _row(self, text: str) -> int:
        found = self._rows.get(text)
        if found == _SEVERAL:
            raise TrialListError(f"{text!r} is the path of several items in {self.where}: name them by their ids")
        return self._by_ending(text) if found is None else found

    def _by_ending(self, text: str) -> int:
        """The row of a name that ends as the text does, else of the longest name that the text ends with."""
        found = self._rows_ending_with(text)
        if len(found) > 1:
            one, other = (self.names[row] for row in sorted(found)[:2])
            raise TrialListError(
                f"{text!r} is the end of {one!r} and of {other!r} in {self.where}: write the names of the list in full"
            )
        if found:
            return found.pop()
        return next((self._row(end) for end in _endings(text) if end in self._rows), NO_ROW)

    def _rows_ending_with(self, text: str) -> set[int]:
        if self._backwards is None:
            # Read backwards, names with a common end stand side by side.
            self._backwards = sorted((name[::-1], row) for name, row in self._rows.items())
        start = f"{text[::-1]}/"
        found: set[int] = set()
        for place in range(bisect.bisect_left(self._backwards, (start,)), len(self._backwards)):
            backwards, row = self._backwards[place]
            if not backwards.startswith(start) or len(found) > 1:
                break
            found.add(row)
        return found


def _once(paths: Sequence[str]) -> dict[str, int]:
    """Path -> its row."""
    rows: dict[str, int] = {}
    for row, path in enumerate(paths):
        rows[path] = _SEVERAL if path in rows else row
    return rows


def _endings(text: str) -> Iterator[str]:
    """The text without its first path part, without its first two, ..."""
    rest = text.partition("/")[2]
    while rest:
        yield rest
        rest = rest.partition("/")[2]


class RowsOfNames:
    """The rows of the names of one list, as blocks bring new names.

    Args:
        names: of the list.
        listed: where rows are found.
        where: the list, for messages.
    """

    def __init__(self, names: Names, listed: ListedRows, where: str) -> None:
        self._names, self._listed, self._where = names, listed, where
        self._known = np.zeros(0, dtype=np.int64)

    def __call__(self, numbers: np.ndarray) -> np.ndarray:
        """Rows of numbers of names, -1 for a name that has none.

        Raises:
            TrialListError: two names of the list stand for one row, or one may stand for two.
        """
        if len(self._known) < len(self._names):
            more = self._listed.rows(self._names.texts[len(self._known) :])
            self._known = np.concatenate([self._known, more])
            self._refuse_shared()
        return self._known[numbers]

    def _refuse_shared(self) -> None:
        found = np.flatnonzero(self._known != NO_ROW)
        rows, first = np.unique(self._known[found], return_index=True)
        if len(rows) < len(found):
            again = np.setdiff1d(np.arange(len(found)), first)[0]
            row = self._known[found[again]]
            one, other = (self._names.texts[each] for each in np.flatnonzero(self._known == row)[:2])
            raise TrialListError(
                f"{self._where}: {one!r} and {other!r} are both {self._listed.names[row]!r} in {self._listed.where}: "
                "the names of the list are too long or too short to tell them apart"
            )

    def require_found(self) -> None:
        """Refuse a list none of whose names has a row.

        Raises:
            TrialListError: naming an example of either side.
        """
        if len(self._known) and (self._known == NO_ROW).all():
            raise TrialListError(
                f"{self._where}: none of its {len(self._known)} names is in {self._listed.where}, which holds names "
                f"like {self._listed.names[0]!r}, where the list has {self._names.texts[0]!r}"
            )
