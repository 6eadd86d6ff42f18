"""Lists of trials as plain values, to compare them."""

import dataclasses
import itertools
from pathlib import Path

import numpy as np

from vfsearch.data.trial_list import Names, TrialBlock, TrialList
from vfsearch.trials.formats.catalog import load_format


def rows(trials: TrialList) -> list[tuple]:
    """(probe, items, label, scores) of each trial, by name."""
    found = []
    for block in trials.blocks():
        texts = trials.names.texts
        scores = itertools.repeat(()) if block.scores is None else block.scores.tolist()
        for probe, items, mated, score in zip(block.probes, block.items, block.mated.tolist(), scores, strict=False):
            found.append((texts[probe], tuple(texts[item] for item in items), mated, tuple(score)))
    return found


def extra(trials: TrialList) -> dict[str, list[str]]:
    """The further columns."""
    found: dict[str, list[str]] = {}
    for block in trials.blocks():
        for name, texts in block.extra.items():
            found.setdefault(name, []).extend(texts)
    return found


def sides(trials: TrialList) -> tuple[list[str], list[str]]:
    """The names on both sides of a retrieval list."""
    both = trials.sides()
    return tuple([trials.names.texts[number] for number in side] for side in (both.probes, both.gallery))


def read(folder: Path, format: str, data: bytes, name: str = "list") -> TrialList:
    """The list in a file of these bytes."""
    path = folder / name
    path.write_bytes(data)
    return load_format(format).read(path)


def written(format: str, trials: TrialList) -> bytes:
    """The file's content."""
    return b"".join(load_format(format).write(trials))


def pairs(rows: list[tuple], blocks: int = 1, **changes: object) -> TrialList:
    """A list of (probe, item, label, score or None), in some blocks."""
    names = Names()
    texts = changes.pop("extra", {})
    numbers = [names.numbers([row[side] for row in rows]) for side in (0, 1)]
    scored = bool(rows) and rows[0][3] is not None

    def made():
        for part in np.array_split(np.arange(len(rows)), blocks):
            yield TrialBlock(
                probes=numbers[0][part],
                items=numbers[1][part][:, None],
                mated=np.array([rows[row][2] for row in part], dtype=np.int64),
                scores=np.array([[rows[row][3]] for row in part], dtype=np.float64).reshape(-1, 1) if scored else None,
                lines=part + 1,
                extra={name: [column[row] for row in part] for name, column in texts.items()},
            )

    usual = TrialList(
        kind="verification", format="", where="made", names=names, blocks=made, scored=scored,
        labelled=bool(rows) and rows[0][2] != -1,
    )  # fmt: skip
    return dataclasses.replace(usual, **changes)
