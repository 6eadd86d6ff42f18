"""CSV that reads back as it was, whatever stands in a file name."""

import csv
from collections.abc import Iterable
from typing import TextIO


class CsvLines:
    r"""Writes lines that end in "\n".

    Python's own writer leaves a carriage return unquoted then, and readers take that for the end of a line.

    Args:
        text: where to; opened with newline="".

    Example:
        >>> import io
        >>> text = io.StringIO(newline="")
        >>> CsvLines(text).writerow(["a\rb", 1])
        >>> text.getvalue()
        '"a\rb","1"\n'
    """

    def __init__(self, text: TextIO) -> None:
        self._plain = csv.writer(text, lineterminator="\n")
        self._quoted = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)

    def writerow(self, cells: Iterable[object]) -> None:
        """Write one line."""
        cells = list(cells)
        returns = any(isinstance(cell, str) and "\r" in cell for cell in cells)
        (self._quoted if returns else self._plain).writerow(cells)

    def writerows(self, lines: Iterable[Iterable[object]]) -> None:
        """Write some lines."""
        for line in lines:
            self.writerow(line)
