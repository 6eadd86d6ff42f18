"""What a command shows: progress on standard error, results on standard output."""

import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Self

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

WIDTH_OF_A_PIPE = 160


class Terminal:
    """Standard output and error of one command.

    Args:
        as_json: print one JSON document instead of text.
        quiet: show no progress and no remarks.
    """

    def __init__(self, as_json: bool, quiet: bool) -> None:
        self.as_json = as_json
        self.quiet = quiet
        self.out = Console(width=None if sys.stdout.isatty() else WIDTH_OF_A_PIPE, soft_wrap=False, highlight=False)
        self.err = Console(stderr=True, highlight=False)
        self._stack = ExitStack()
        self._bars = _Bars(self.err, self._stack, shown=not quiet and self.err.is_terminal)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    @property
    def progress(self) -> "_Bars":
        """The callback that the library is given: a bar for each kind of work, on a terminal only."""
        return self._bars

    def remark(self, text: str) -> None:
        """Something worth knowing beside the result."""
        if not self.quiet:
            self.err.print(text, markup=False, soft_wrap=True)

    def warn(self, text: str) -> None:
        """Something that the user should look at; shown with --quiet too."""
        self.err.print(f"warning: {text}", style="yellow", markup=False, soft_wrap=True)

    def result(self, document: dict, *shown: object) -> None:
        """Print the result: the document as JSON, or what a person reads (tables, lines)."""
        self._stack.close()
        if self.as_json:
            sys.stdout.write(json.dumps(document, indent=1) + "\n")
            return
        for each in shown:
            if isinstance(each, str):
                self.out.print(each, markup=False, soft_wrap=True)
            else:
                self.out.print(each)


class _Bars:
    """Called as progress(what, done, total); `detail` says more of some work, beside its bar."""

    def __init__(self, console: Console, stack: ExitStack, shown: bool) -> None:
        self._console, self._stack, self._shown = console, stack, shown
        self._progress: Progress | None = None
        self._tasks: dict[str, int] = {}

    def __call__(self, what: str, done: int, total: int) -> None:
        """Draw the bar."""
        if self._shown:
            task = self._task(what, total)
            self._progress.update(task, completed=done, total=total)

    def detail(self, what: str, text: str) -> None:
        """What stands behind the bar."""
        if self._shown:
            self._progress_of().update(self._task(what, None), detail=text)

    def _task(self, what: str, total: int | None) -> int:
        progress = self._progress_of()
        if what not in self._tasks:
            self._tasks[what] = progress.add_task(what, total=total, detail="")
        return self._tasks[what]

    def _progress_of(self) -> Progress:
        if self._progress is None:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
                       TimeRemainingColumn(), TextColumn("{task.fields[detail]}"))  # fmt: skip
            self._progress = self._stack.enter_context(Progress(*columns, console=self._console))
        return self._progress


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], title: str = "", caption: str = "") -> Table:
    """A table; columns whose name starts with ">" are flush right."""
    shown = Table(
        title=title or None, caption=caption or None, box=SIMPLE_HEAD, title_justify="left", caption_justify="left"
    )
    for column in columns:
        shown.add_column(column.lstrip(">"), justify="right" if column.startswith(">") else "left", overflow="fold")
    for row in rows:
        shown.add_row(*(str(cell).replace("[", "\\[") for cell in row))
    return shown


def size(count: float) -> str:
    """Bytes with a unit.

    Example:
        >>> size(3 * 2**20)
        '3.0 MiB'
    """
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            break
        count /= 1024
    return f"{count:.0f} bytes" if unit == "bytes" else f"{count:.1f} {unit}"


def duration(seconds: float) -> str:
    """A time with a unit.

    Example:
        >>> duration(4.2), duration(200), duration(3 * 3600 + 1800), duration(400 * 3600)
        ('4.2 s', '3 min 20 s', '3.5 h', '16.7 days')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
    return f"{seconds / 3600:,.1f} h" if seconds < 48 * 3600 else f"{seconds / 86400:,.1f} days"


def counted(count: int, what: str) -> str:
    """A number of things.

    Example:
        >>> counted(1, "setting"), counted(2000, "probe")
        ('1 setting', '2,000 probes')
    """
    return f"{count:,} {what}{'s' * (count != 1)}"


def named(failed: Sequence, most: int = 3) -> str:
    """The first few failed items with their reasons."""
    shown = "; ".join(f"{item.path!r}: {item.reason}" for item in failed[:most])
    return shown + (f"; and {len(failed) - most} more" if len(failed) > most else "")
