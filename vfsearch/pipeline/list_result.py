"""The authors' result file: one figure a list."""

from pathlib import Path

from vfsearch.data.outcome import Outcome
from vfsearch.errors import SettingsError
from vfsearch.files import write_file
from vfsearch.trials.formats.wen2021 import result_lines

FIGURES = {"matching": "accuracy", "verification": "AUC", "retrieval": "mAP"}
"""What the file has of each kind of list."""


def write_result(path: Path, outcome: Outcome) -> None:
    """Write `list value` for each list of a run: accuracy, AUC or mAP.

    Raises:
        SettingsError: a list was measured without that figure.
        VfsearchError: the file cannot be written.
    """
    values = {}
    for each in outcome.measurements:
        name = FIGURES[each.protocol]
        if name not in each.values:
            raise SettingsError(f"{path} wants the {name} of {each.list}, which was not measured: add it to --measures")
        values[each.list] = each.values[name].value
    write_file(path, result_lines(values).encode())
