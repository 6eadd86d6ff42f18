"""A pooling curve on disk: table, document and figure."""

import io
import json
from pathlib import Path

from vfsearch.data.csv_lines import CsvLines
from vfsearch.data.pooling_curve import PoolingCurve
from vfsearch.files import digest, make_folder, write_file
from vfsearch.measure.catalog import parse_measure
from vfsearch.pipeline.workspace import Workspace
from vfsearch.report.pooling_curve import pooling_figure

CSV_NAME, JSON_NAME, FIGURE_NAME = "pooling-curve.csv", "pooling-curve.json", "pooling-curve.png"
COLUMNS = ("of", "limit", "items", "seconds", "people", "draws", "measure", "value", "low", "high", "chance", "gain",
           "gain_low", "gain_high", "p")  # fmt: skip


def curve_folder(workspace: Workspace, curve: PoolingCurve) -> Path:
    """Where a curve goes that nobody named a place for: the same for the same question of the same store."""
    mark = digest({"settings": curve.settings, "made_from": curve.made_from})[:8]
    return workspace.run_folder(f"curve-{curve.direction.replace(' ', '-')}-{mark}")


def is_percent(measure: str) -> bool:
    """Whether a measure of a curve ("1:2 accuracy", "EER") is a share."""
    return parse_measure(measure.split(" ")[-1]).kind.percent


def csv_text(curve: PoolingCurve) -> str:
    """A line a point and measure; empty where there is no figure."""
    text = io.StringIO()
    table = CsvLines(text)
    table.writerow(COLUMNS)
    for line in curve.lines:
        for point in line.points:
            head = (line.of, point.limit or "all", point.items, point.seconds, line.people, point.draws)
            for name, found in point.values.items():
                gain = point.gains.get(name)
                more = (gain.value, gain.low, gain.high, gain.p) if gain else ("",) * 4
                cells = (*head, name, found.value, found.low, found.high, found.chance, *more)
                table.writerow("" if cell != cell else cell for cell in cells)
    return text.getvalue()


def save_curve(curve: PoolingCurve, folder: Path) -> list[Path]:
    """Write table, document and figure.

    Args:
        curve: what was measured.
        folder: where to.
    Returns:
        The files.
    Raises:
        VfsearchError: the file system refuses.
    """
    make_folder(folder)
    percent = frozenset(filter(is_percent, curve.measures))
    contents = {
        folder / CSV_NAME: csv_text(curve).encode(),
        folder / JSON_NAME: (json.dumps(curve.to_json(), indent=1) + "\n").encode(),
        folder / FIGURE_NAME: pooling_figure(curve, percent),
    }
    for path, data in contents.items():
        write_file(path, data)
    return list(contents)
