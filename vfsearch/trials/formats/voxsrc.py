"""The VoxSRC challenge: trials as VoxCeleb's, and files of scores with the score first."""

from collections.abc import Sequence

from vfsearch.trials.formats.field_format import FieldFormat
from vfsearch.trials.formats.roles import LABEL, Layout, layout


class VoxSRC(FieldFormat):
    """`0.007 034374.wav 053313.wav`: the score, then the trial; or a label in place of the score."""

    name = "voxsrc"
    summary = "score enrol test; or 1|0 enrol test"
    source = "VoxCeleb Speaker Recognition Challenge 2019-2023: trials and compute_min_dcf.py"
    writes_scores = True
    layouts = (layout("label probe item"), layout("score probe item"))
    wanted = "a score (or 1 or 0 throughout) and two names"
    names_tell = True

    def certainty(self, layout: Layout, rows: Sequence[Sequence[str]]) -> int:
        """Lines with labels are VoxCeleb's first of all."""
        return 1 if LABEL in layout else 2
