"""NIST's tables of the speaker recognition evaluations: tabs, the first line names the columns."""

import functools
from collections.abc import Sequence
from pathlib import Path

from vfsearch.data.trial_list import TrialList
from vfsearch.errors import TrialListError
from vfsearch.trials.formats.base import Head
from vfsearch.trials.formats.field_format import NAMELESS, FieldFormat
from vfsearch.trials.formats.lines import first_lines, line_blocks
from vfsearch.trials.formats.roles import ITEM, LABEL, PROBE, SCORE, Layout

_ROLES = {"modelid": PROBE, "imageid": PROBE, "segmentid": ITEM, "segment": ITEM, "targettype": LABEL, "llr": SCORE}
_SIDE = "side"


class Nist(FieldFormat):
    """Trials (`modelid segmentid side`), keys (with targettype) and system outputs (with LLR).

    Face against video has imageid in place of modelid. Further columns of a key are kept. A scored list is written as a
    system output; `files` adds its key. Enrolment tables are read by `read_enrolment`.
    """

    name = "nist"
    summary = "modelid segmentid side [targettype ...] [LLR], with a header, parted by tabs"
    source = "NIST 2016 to 2024 Speaker Recognition Evaluation plans"
    writes_scores = True
    labels = {"target": 1, "nontarget": 0}  # noqa: RUF012
    wanted = "as many fields parted by tabs as the header, target or nontarget, a number as LLR"
    filled = {_SIDE: "a"}  # noqa: RUF012
    suffix = ".tsv"
    separator = "\t"
    layouts = ()

    def recognise(self, head: Head) -> int:
        """By the names of its columns; an enrolment table has the same, so the file's name must not say so."""
        if not head.lines:
            return 0
        names = [name.strip().lower() for name in head.lines[0].split("\t")]
        roles = [_ROLES.get(name) for name in names]
        if roles[:2] != [PROBE, ITEM]:
            return 0
        return 0 if "enrol" in head.name.lower() and not {LABEL, SCORE} & set(roles) else 3

    def read(self, path: Path) -> TrialList:
        """The list in a table."""
        layout = _layout(path)
        rows = functools.partial(line_blocks, path, skip=1)
        return self.listed(path, layout, rows, columns=list(layout.header))

    def fitting(self, trials: TrialList) -> list[Layout]:
        """The columns that the list came with if they hold all of it, else those of a trial list, key or output."""
        if trials.about.get(NAMELESS):
            return []
        header = _header(trials)
        own = _from_header(header)
        if (SCORE in own) == trials.scored and (LABEL in own) == trials.labelled:
            return [own]
        side = [_SIDE] if trials.format != self.name or _SIDE in own else []
        last = ["LLR"] if trials.scored else ["targettype"] if trials.labelled else []
        return [_from_header([*header[:2], *side, *last])]


def _header(trials: TrialList) -> Sequence[str]:
    columns = trials.about.get("columns")
    known = trials.format == Nist.name and isinstance(columns, list) and len(columns) >= 2
    return columns if known else ("modelid", "segmentid", _SIDE)


def _from_header(header: Sequence[str]) -> Layout:
    return Layout(roles=tuple(_ROLES.get(name.lower(), name) for name in header), header=tuple(header))


def _layout(path: Path) -> Layout:
    lines = first_lines(path, 1)
    header = [name.strip() for name in lines[0].split("\t")] if lines else []
    layout = _from_header(header)
    if layout.roles[:2] != (PROBE, ITEM) or len(set(layout.roles)) < len(layout) or "" in header:
        raise TrialListError(
            f"{path}, line 1: wanted a header that begins with modelid (or imageid) and segmentid, parted by tabs, no "
            f"column twice; got {''.join(lines)[:100]!r}"
        )
    return layout


def read_enrolment(path: Path) -> dict[str, list[str]]:
    """The segments that each model is enrolled with.

    Raises:
        TrialListError: it is no such table.
    """
    width = len(_layout(path))
    found: dict[str, list[str]] = {}
    for lines in line_blocks(path, skip=1):
        for model, segment, *_ in lines.fields((width,), "as many fields parted by tabs as the header", "\t"):
            found.setdefault(model, []).append(segment)
    return found
