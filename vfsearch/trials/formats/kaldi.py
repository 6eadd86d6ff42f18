"""Kaldi's trials and scores."""

from vfsearch.trials.formats.field_format import FieldFormat
from vfsearch.trials.formats.roles import layout


class Kaldi(FieldFormat):
    """`enrol test target`, a list; `enrol test 0.1234`, its scores; `0.1234 target`, what compute-eer takes."""

    name = "kaldi"
    summary = "enrol test target|nontarget; enrol test score; or score target|nontarget"
    source = "Kaldi: egs/*/v*/local, ivector-plda-scoring, compute-eer"
    writes_scores = True
    layouts = (layout("probe item label"), layout("probe item score"), layout("score label"))
    labels = {"target": 1, "nontarget": 0}  # noqa: RUF012
    wanted = "`enrol test target` (or nontarget), `enrol test score` or `score target`, as in the first lines"
