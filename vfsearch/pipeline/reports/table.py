"""Outcomes of runs to one table."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from vfsearch.data.outcome import Measurement, Value
from vfsearch.data.result_table import Column, ResultTable, Row
from vfsearch.errors import ArtefactError
from vfsearch.measure.catalog import parse_measure
from vfsearch.pipeline.reports.runs import ReportedRun
from vfsearch.report.published import NOTE, published_rows

_SHOWN = ("matching", "verification", "retrieval", "identification")
_WITH_N = ("matching", "identification")


def result_table(runs: Sequence[ReportedRun], measures: Sequence[str] = (), published: bool = True) -> ResultTable:
    """The figures of runs, a row a name and direction.

    Where two runs of one name have the same figure, the first one's is shown, and a note says so.

    Args:
        runs: at least one.
        measures: names of those to show; none: all that were measured.
        published: show reported results beside them.
    Raises:
        UnknownNameError: no measure is named so.
        ArtefactError: no run has any figure of these.
    """
    wanted = {parse_measure(name).name for name in measures}
    rows: dict[tuple[str, str], tuple[dict, dict]] = {}
    notes = []
    for run in runs:
        for measurement in run.outcome.measurements:
            values, asked = rows.setdefault((measurement.direction, run.name), ({}, {}))
            for column, value in _figures(measurement, wanted):
                if column in values:
                    notes.append(
                        f"{run.name}: {column.title}, {measurement.direction}, comes twice; shown is the first"
                    )
                else:
                    values[column] = value
                    asked[column] = (measurement.trials, None if column.candidates else measurement.candidates)
    measured = [
        Row(name=name, direction=direction, values=values, asked=asked)
        for (direction, name), (values, asked) in rows.items()
        if values
    ]
    if not measured:
        what = ", ".join(sorted(wanted)) or ", ".join(_SHOWN)
        raise ArtefactError(f"the runs {', '.join(run.name for run in runs)} have no figure of {what}")
    columns = sorted({column for row in measured for column in row.values}, key=_order)
    directions = sorted({row.direction for row in measured}, key=lambda name: (not name.startswith("voice"), name))
    reported = published_rows(columns, directions) if published else []
    ordered = [row for direction in directions for row in [*reported, *measured] if row.direction == direction]
    notes += [NOTE] if reported else []
    table = ResultTable(columns=columns, rows=ordered, notes=tuple(notes))
    return replace(table, notes=(*_not_ranked(table, directions), *notes))


def _not_ranked(table: ResultTable, directions: Sequence[str]) -> Iterator[str]:
    for direction in directions:
        names = [column.title for column in table.columns if table.differ(table.rivals(direction, column), column)]
        if names:
            yield f"{direction}: {', '.join(names)} are of other trials from run to run, so none is marked as best."


def _figures(measurement: Measurement, wanted: set[str]) -> Iterator[tuple[Column, Value]]:
    if measurement.protocol not in _SHOWN:
        return
    for name, value in measurement.values.items():
        kind = parse_measure(name).kind
        if wanted and parse_measure(name).name not in wanted:
            continue
        column = Column(
            protocol=measurement.protocol,
            candidates=measurement.candidates if measurement.protocol in _WITH_N else None,
            group=measurement.group,
            # Lists of the two directions are one question.
            list=re.sub(r"_(v2f|f2v)(?=_|$)", "", measurement.list),
            measure=name,
            percent=kind.percent,
            higher_is_better=kind.higher_is_better,
        )
        yield column, value


def _order(column: Column) -> tuple:
    return (_SHOWN.index(column.protocol), column.list, column.group != "U", column.group, column.candidates or 0,
            column.measure != "mAP", column.measure)  # fmt: skip
