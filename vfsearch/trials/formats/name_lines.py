"""Trials as lines of names parted by blanks: the probe first, then one item or, for matching, the mate and others."""

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from vfsearch.data.trial_list import MATCHING, Names, TrialBlock, TrialList
from vfsearch.errors import TrialListError
from vfsearch.trials.formats.lines import first_lines, line_blocks
from vfsearch.trials.formats.written import Written


def name_blocks(path: Path, names: Names, width: int, mated: int) -> Iterator[TrialBlock]:
    """The trials of a file.

    Args:
        path: of the file.
        names: gets those that are new.
        width: names on each line.
        mated: the label of each trial.
    Raises:
        TrialListError: unreadable, or a line has another number of names.
    """
    for lines in line_blocks(path):
        columns = lines.columns(width, f"{width} names parted by blanks{', as in the first line' if width > 2 else ''}")
        probes, *items = [names.numbers(column) for column in columns]
        yield TrialBlock(
            probes=probes,
            items=np.stack(items, axis=1),
            mated=np.full(len(probes), mated, dtype=np.int64),
            lines=lines.line_numbers(),
        )


def matching_list(path: Path, **known: object) -> TrialList:
    """A list of 1:N matching, the mate always second; N is that of the first line.

    Args:
        path: of the file.
        known: what else there is to say of the list.
    Raises:
        TrialListError: unreadable, or the first line has fewer than three names.
    """
    first = first_lines(path, 1)
    width = len(first[0].split()) if first else 0
    if width < 3:
        raise TrialListError(f"{path}, line 1: wanted probe, its mate and at least one other name, got {width} names")
    names = Names()
    blocks = functools.partial(name_blocks, path, names, width, 1)
    return TrialList(kind=MATCHING, names=names, blocks=blocks, candidates=width - 1, **known)


def like_the_first(rows: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    """The rows as wide as the first, if most are: a bad line among many does not make a file another format."""
    alike = [row for row in rows if len(row) == len(rows[0])]
    return alike if 2 * len(alike) > len(rows) else []


def name_lines(block: TrialBlock, names: Written) -> bytes:
    """A block as it is written."""
    columns = [names.texts(block.probes), *(names.texts(column) for column in block.items.T)]
    return "".join(f"{' '.join(row)}\n" for row in zip(*columns, strict=True)).encode()
