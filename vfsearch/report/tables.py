"""Figures of runs as Markdown, LaTeX and CSV, ready for a paper."""

import io
import math
from collections.abc import Callable, Iterator

from vfsearch.data.csv_lines import CsvLines
from vfsearch.data.result_table import Column, ResultTable, Row

CSV_COLUMNS = ("run", "direction", "protocol", "N", "group", "list", "measure", "value", "low", "high", "chance",
               "best", "reported")  # fmt: skip
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    '"': r"\textquotedbl{}", "|": r"\textbar{}",
}  # fmt: skip
_MARKDOWN = "\\`*_{}[]<>#|!~&$"


def markdown_table(table: ResultTable, digits: int = 1) -> str:
    """A table in GitHub's Markdown: directions and runs downwards, the best of each column and direction bold.

    Args:
        table: what to show.
        digits: after the point.
    """
    head = ["", *(_markdown(heading(column)) for column in table.columns)]
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * len(table.columns)]
    for direction, rows in _by_direction(table):
        lines.append(f"| *{_markdown(direction)}* |" + " |" * len(table.columns))
        for row in rows:
            cells = [
                _cell(table, row, column, digits, "**{}**".format, "{} [{}, {}]".format) for column in table.columns
            ]
            lines.append(f"| {_markdown(_name(row))} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, *(f"\n{_markdown(note)}" for note in table.notes)]) + "\n"


def latex_table(table: ResultTable, digits: int = 1) -> str:
    r"""A tabular for the package booktabs, as `markdown_table` shows it.

    Args:
        table: what to show.
        digits: after the point.
    """
    across = len(table.columns) + 1
    lines = [
        "% needs \\usepackage{booktabs}",
        f"\\begin{{tabular}}{{l{'r' * len(table.columns)}}}",
        "\\toprule",
        " & ".join(["", *(_latex(heading(column)) for column in table.columns)]) + " \\\\",
    ]
    for direction, rows in _by_direction(table):
        lines += ["\\midrule", f"\\multicolumn{{{across}}}{{l}}{{\\emph{{{_latex(direction)}}}}} \\\\"]
        for row in rows:
            cells = [
                _cell(table, row, column, digits, "\\textbf{{{}}}".format, "{} {{\\scriptsize [{}, {}]}}".format)
                for column in table.columns
            ]
            lines.append(" & ".join([_latex(_name(row)), *cells]) + " \\\\")
    notes = [f"% {' '.join(note.split())}" for note in table.notes]
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}", *notes]) + "\n"


def csv_table(table: ResultTable) -> str:
    """A line a figure, as fractions with all digits; empty where there is none."""
    text = io.StringIO(newline="")
    out = CsvLines(text)
    out.writerow(CSV_COLUMNS)
    for row in table.rows:
        for column in table.columns:
            if column in row.values:
                out.writerow(_csv_line(table, row, column))
    return text.getvalue()


def _csv_line(table: ResultTable, row: Row, column: Column) -> tuple:
    found = row.values[column]
    numbers = ["" if number != number else number for number in (found.value, found.low, found.high, found.chance)]
    return (
        row.name, row.direction, column.protocol, column.candidates or "", column.group, column.list, column.measure,
        *numbers, int(table.is_best(row, column)), int(row.reported),
    )  # fmt: skip


def _by_direction(table: ResultTable) -> Iterator[tuple[str, list[Row]]]:
    for direction in dict.fromkeys(row.direction for row in table.rows):
        yield direction, [row for row in table.rows if row.direction == direction]


def _name(row: Row) -> str:
    return f"{row.name} (reported)" if row.reported else row.name


def heading(column: Column) -> str:
    """What stands over a column."""
    return f"{column.title}, %" if column.percent else column.title


def _cell(
    table: ResultTable,
    row: Row,
    column: Column,
    digits: int,
    bold: Callable[[str], str],
    with_interval: Callable[[str, str, str], str],
) -> str:
    found = row.values.get(column)
    if found is None or math.isnan(found.value):
        return "-"
    text = figure_text(found.value, column, digits)
    text = bold(text) if table.is_best(row, column) else text
    if not (math.isfinite(found.low) and math.isfinite(found.high)):
        return text
    return with_interval(text, figure_text(found.low, column, digits), figure_text(found.high, column, digits))


def figure_text(value: float, column: Column, digits: int) -> str:
    """A figure with its digits, in percent where it is a share."""
    if math.isinf(value):
        return "inf"
    return f"{100 * value:.{digits}f}" if column.percent else f"{value:.{digits + 2}g}"


def _markdown(text: str) -> str:
    return "".join(f"\\{sign}" if sign in _MARKDOWN else sign for sign in " ".join(text.split()))


def _latex(text: str) -> str:
    return "".join(_LATEX.get(sign, sign) for sign in " ".join(text.split()))
