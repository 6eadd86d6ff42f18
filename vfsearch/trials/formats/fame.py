"""The lists, score files and keys of the FAME challenge (MAV-Celeb).

A trial has a key in place of the names' two, so scores and labels are measured once they are joined to their list.
"""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from vfsearch.data.trial_list import VERIFICATION, TrialBlock, TrialList
from vfsearch.errors import TrialListError
from vfsearch.trials.formats.field_format import FieldFormat
from vfsearch.trials.formats.roles import KEY, Layout, is_score, layout

_SOURCE = "Saeed et al., Face-voice Association in Multilingual Environments (FAME) Challenge, 2024 to 2026"


class FameList(FieldFormat):
    """`ysuvkz41 voices/English/00000.wav faces/English/00000.jpg`: a key, a voice, a face; no label."""

    name = "fame-list"
    summary = "key voice face"
    source = _SOURCE
    writes_labels = False
    layouts = (layout(f"{KEY} probe item"),)
    wanted = "a key, a voice and a face"

    def certainty(self, layout: Layout, rows: Sequence[Sequence[str]]) -> int:
        """By the folders voices and faces, else by names of clips and of photos, after a key that is no path."""
        keys = [row[0] for row in rows]
        if len(set(keys)) < len(keys) or any("/" in key or "." in key for key in keys):
            return 0
        if all(row[1].startswith("voices/") and row[2].startswith("faces/") for row in rows):
            return 3
        media = all(row[1].endswith((".wav", ".m4a")) and row[2].endswith((".jpg", ".png")) for row in rows)
        return (1 if all(map(is_score, keys)) else 2) if media else 0


class FameScores(FieldFormat):
    """`ysuvkz41 0.9988`: a key and a distance, smaller for one identity; or `ysuvkz41 1`, the key and the label.

    Distances have six decimals, as the challenge's own program writes them: what differs by less is equal afterwards.
    """

    name = "fame-scores"
    summary = "key distance; or key 1|0"
    source = _SOURCE
    distances = True
    writes_scores = True
    layouts = (layout(f"{KEY} label"), layout(f"{KEY} score"))
    wanted = "a key and a distance (or 1 or 0 throughout)"

    def certainty(self, layout: Layout, rows: Sequence[Sequence[str]]) -> int:
        """A number would do as a key, but so it would as something else."""
        return 1 if all(row[0].isdecimal() for row in rows) else 2

    def score_texts(self, scores: np.ndarray) -> list[str]:
        """Six decimals."""
        return [f"{score:f}" for score in scores.tolist()]


def join_scores(trials: TrialList, scores: TrialList) -> TrialList:
    """The list with what another says of the trials of its keys: scores, labels, or both.

    All of the other list is kept in memory.

    Args:
        trials: a list with keys (`FameList`), perhaps joined already.
        scores: scores or labels with keys (`FameScores`).
    Returns:
        The list; its blocks raise TrialListError where the keys of the two are not the same.
    Raises:
        TrialListError: the scores have no keys, or one twice.
    """
    found = _by_key(scores)

    def blocks() -> Iterator[TrialBlock]:
        joined = 0
        for block in trials.blocks():
            joined += len(block)
            yield _with(block, scores, found, trials.where)
        if joined != len(found):
            raise TrialListError(
                f"{scores.where} has {len(found)} keys and {trials.where} has {joined}; give the list that the scores "
                "are of"
            )

    labelled, scored = trials.labelled or scores.labelled, trials.scored or scores.scored
    return dataclasses.replace(trials, kind=VERIFICATION, blocks=blocks, labelled=labelled, scored=scored)


def _by_key(scores: TrialList) -> dict[str, tuple[float, int]]:
    found: dict[str, tuple[float, int]] = {}
    for block in scores.blocks():
        values = np.full(len(block), np.nan) if block.scores is None else block.scores[:, 0]
        for key, line, *said in zip(
            _keys(block, scores.where), block.lines.tolist(), values.tolist(), block.mated.tolist(), strict=True
        ):
            if found.setdefault(key, said) is not said:
                raise TrialListError(f"{scores.where}, line {line}: the key {key!r} is there twice")
    return found


def _keys(block: TrialBlock, where: str) -> Sequence[str]:
    if KEY not in block.extra:
        raise TrialListError(f"{where} has no keys, so nothing can be joined by them; lists and scores of FAME have")
    return block.extra[KEY]


def _with(block: TrialBlock, scores: TrialList, found: dict[str, tuple[float, int]], where: str) -> TrialBlock:
    said = [found.get(key) for key in _keys(block, where)]
    if None in said:
        place = said.index(None)
        raise TrialListError(
            f"{where}, line {block.lines[place]}: {scores.where} has nothing for the key {block.extra[KEY][place]!r}"
        )
    values, labels = (np.array(column) for column in zip(*said, strict=True))
    return dataclasses.replace(
        block,
        scores=values.astype(np.float64)[:, None] if scores.scored else block.scores,
        mated=labels.astype(np.int64) if scores.labelled else block.mated,
    )
