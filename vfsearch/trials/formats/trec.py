"""TREC's files: a run is the ranked list of each probe, qrels are the items relevant to it."""

import dataclasses
import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from vfsearch.data.trial_list import RANKING, RELEVANCE, TrialBlock, TrialList
from vfsearch.trials.formats.field_format import FieldFormat
from vfsearch.trials.formats.roles import Layout, layout

_RANK, _TAG = "rank", "tag"
_LARGEST_GRADE = 2**31


class TrecRun(FieldFormat):
    """`qid Q0 docid rank score tag`. The rank is not used: trec_eval goes by score, equal ones by docid descending.

    A list that has no ranks gets them in that order, for which the lines of a probe must stand together.
    """

    name = "trec-run"
    summary = "qid Q0 docid rank score tag"
    kinds = (RANKING,)
    source = "TREC; trec_eval 9"
    writes_scores = True
    writes_labels = False
    layouts = (layout(f"probe =Q0 item {_RANK} score {_TAG}"),)
    wanted = "qid, Q0, docid, rank, a score and a tag"
    filled = {_TAG: "vfsearch"}  # noqa: RUF012

    def certainty(self, layout: Layout, rows: Sequence[Sequence[str]]) -> int:
        """By its second field."""
        return 3 if all(row[1].upper() == "Q0" for row in rows) else 1

    def completed(self, trials: TrialList) -> Iterator[TrialBlock]:
        """The trials with ranks."""
        blocks = trials.blocks()
        first = next(blocks, None)
        if first is None:
            return
        blocks = itertools.chain([first], blocks)
        yield from blocks if _RANK in first.extra else self._ranked(trials, blocks)

    def _ranked(self, trials: TrialList, blocks: Iterator[TrialBlock]) -> Iterator[TrialBlock]:
        done: set[int] = set()
        for block in _whole_probes(blocks):
            starts = np.flatnonzero(np.diff(block.probes, prepend=-1))
            for start in starts.tolist():
                probe = int(block.probes[start])
                if probe in done:
                    raise self.cannot_write(
                        f"{trials.where}, line {block.lines[start]},",
                        f"the lines of {trials.names.texts[probe]!r} do not stand together, so its ranks are not known",
                    )
                done.add(probe)
            ranks = _ranks(block, starts, trials.names.texts)
            yield dataclasses.replace(block, extra={**block.extra, _RANK: list(map(str, ranks.tolist()))})


def _whole_probes(blocks: Iterator[TrialBlock]) -> Iterator[TrialBlock]:
    """The trials in blocks that end where the lines of a probe do."""
    open_ = None
    for block in blocks:
        block = block if open_ is None else _joined(open_, block)
        last = int(np.flatnonzero(np.diff(block.probes, prepend=-1))[-1])
        if last:
            yield _part(block, slice(None, last))
        open_ = _part(block, slice(last, None))
    if open_ is not None:
        yield open_


_ARRAYS = ("probes", "items", "mated", "lines", "scores")


def _joined(left: TrialBlock, right: TrialBlock) -> TrialBlock:
    arrays = {name: np.concatenate([getattr(left, name), getattr(right, name)]) for name in _ARRAYS}
    return TrialBlock(**arrays, extra={name: [*left.extra[name], *right.extra[name]] for name in left.extra})


def _part(block: TrialBlock, rows: slice) -> TrialBlock:
    arrays = {name: getattr(block, name)[rows] for name in _ARRAYS}
    return TrialBlock(**arrays, extra={name: texts[rows] for name, texts in block.extra.items()})


def _ranks(block: TrialBlock, starts: np.ndarray, texts: Sequence[str]) -> np.ndarray:
    """(t,) ranks from 1 within each probe: by score, equal ones by name descending."""
    items, places = np.unique(block.items[:, 0], return_inverse=True)
    by_name = np.empty(len(items), dtype=np.int64)
    by_name[sorted(range(len(items)), key=lambda item: texts[items[item]])] = np.arange(len(items))
    sizes = np.diff(starts, append=len(block))
    group = np.repeat(np.arange(len(starts)), sizes)
    order = np.lexsort((-by_name[places], -block.scores[:, 0], group))
    ranks = np.empty(len(block), dtype=np.int64)
    ranks[order] = np.arange(len(block)) - np.repeat(starts, sizes) + 1
    return ranks


class TrecQrels(FieldFormat):
    """`qid 0 docid rel`: how relevant an item is to a probe, a whole number; 0 and less is not."""

    name = "trec-qrels"
    summary = "qid 0 docid grade"
    kinds = (RELEVANCE,)
    source = "TREC; trec_eval 9"
    layouts = (layout("probe =0 item label"),)
    wanted = "qid, 0, docid and a whole number"

    def certainty(self, layout: Layout, rows: Sequence[Sequence[str]]) -> int:
        """By its second field."""
        return 3 if all(row[1] in ("0", "Q0") for row in rows) else 1

    def label(self, text: str) -> int | None:
        """The grade."""
        if not text.isascii() or "_" in text:
            return None
        try:
            grade = int(text)
        except ValueError:
            return None
        return grade if abs(grade) < _LARGEST_GRADE else None

    def label_text(self, number: int) -> str | None:
        """The grade; -1 is a grade here as any other."""
        return str(number)
