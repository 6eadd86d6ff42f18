"""wespeaker's files of scores."""

from vfsearch.trials.formats.field_format import FieldFormat
from vfsearch.trials.formats.roles import layout


class Wespeaker(FieldFormat):
    """`enrol test 0.12345 target`; normalised scores (as-norm) are followed by four numbers of the cohort."""

    name = "wespeaker"
    summary = "enrol test score target|nontarget [enrol_norm test_norm enrol_mean test_mean]"
    source = "wespeaker: bin/score.py, bin/score_norm.py"
    writes_scores = True
    layouts = (
        layout("probe item score label"),
        layout("probe item score label enrol_norm test_norm enrol_mean test_mean"),
    )
    labels = {"target": 1, "nontarget": 0}  # noqa: RUF012
    wanted = "enrol, test, a score, target or nontarget, and four further numbers or none, as in the first line"
    names_tell = True
