import csv
import io
import math

from hypothesis import given
from hypothesis import strategies as st

from vfsearch.data.outcome import Value
from vfsearch.data.result_table import Column, ResultTable, Row
from vfsearch.report.published import published_rows
from vfsearch.report.tables import CSV_COLUMNS, csv_table, latex_table, markdown_table

V2F, F2V = "voice to face", "face to voice"


def column(protocol="verification", measure="AUC", candidates=None, group="U", better=True, percent=True, list_=""):
    return Column(protocol=protocol, candidates=candidates, group=group, list=list_, measure=measure, percent=percent,
                  higher_is_better=better)  # fmt: skip


AUC, EER, MEDR = column(), column(measure="EER", better=False), column("retrieval", "MedR", better=False, percent=False)


def value(number, low=math.nan, high=math.nan):
    return Value(value=number, low=low, high=high, chance=0.5)


def row(name, direction=V2F, trials=10, reported=False, **values):
    found = {{"auc": AUC, "eer": EER, "medr": MEDR}[key]: each for key, each in values.items()}
    return Row(name=name, direction=direction, values=found, asked=dict.fromkeys(found, (trials, None)),
               reported=reported)  # fmt: skip


def table(*rows, columns=(AUC, EER, MEDR), notes=()):
    return ResultTable(columns=columns, rows=rows, notes=notes)


GOOD = row("good", auc=value(0.9, 0.85, 0.95), eer=value(0.1), medr=value(3.0))
BAD = row("bad", auc=value(0.8, 0.7, 0.9), eer=value(0.2), medr=value(12.345))


def test_markdown():
    text = markdown_table(table(GOOD, BAD, notes=["a note"]))
    assert text == (
        "|  | AUC, % | EER, % | MedR |\n|---|---:|---:|---:|\n| *voice to face* | | | |\n"
        "| good | **90.0** [85.0, 95.0] | **10.0** | **3** |\n| bad | 80.0 [70.0, 90.0] | 20.0 | 12.3 |\n\na note\n"
    )


def test_latex():
    text = latex_table(table(GOOD, BAD, notes=["50 %\nmore"]), digits=2)
    assert "\\begin{tabular}{lrrr}\n\\toprule\n & AUC, \\% & EER, \\% & MedR \\\\\n\\midrule\n" in text
    assert "\\multicolumn{4}{l}{\\emph{voice to face}} \\\\\n" in text
    assert "good & \\textbf{90.00} {\\scriptsize [85.00, 95.00]} & \\textbf{10.00} & \\textbf{3} \\\\\n" in text
    assert text.endswith("\\bottomrule\n\\end{tabular}\n% 50 % more\n")


def test_csv_has_fractions_and_no_figure_twice():
    lines = list(csv.DictReader(io.StringIO(csv_table(table(GOOD, BAD)))))
    assert tuple(lines[0]) == CSV_COLUMNS and len(lines) == 6
    assert (lines[0]["value"], lines[0]["low"], lines[1]["low"], lines[0]["best"]) == ("0.9", "0.85", "", "1")
    assert [line["best"] for line in lines[3:]] == ["0"] * 3


def test_what_is_best():
    alone = table(GOOD)
    assert not alone.is_best(GOOD, AUC)
    equal = row("equal", auc=value(0.9))
    assert all(table(GOOD, BAD, equal).is_best(each, AUC) for each in (GOOD, equal))
    other = row("other", trials=11, auc=value(0.99))
    assert not any(table(GOOD, BAD, other).is_best(each, AUC) for each in (GOOD, BAD, other))
    reported = row("paper", auc=value(0.99), reported=True)
    assert table(GOOD, BAD, reported).is_best(GOOD, AUC) and not table(GOOD, BAD, reported).is_best(reported, AUC)
    nan, back = row("nan", auc=value(math.nan)), row("back", F2V, auc=value(0.95))
    assert table(GOOD, BAD, nan, back).is_best(GOOD, AUC) and not table(GOOD, BAD, nan, back).is_best(nan, AUC)


def test_figures_that_are_not_there():
    text = markdown_table(table(row("a", auc=value(math.nan), medr=value(math.inf)), BAD))
    assert "| a | - | - | inf |" in text


@given(st.text(max_size=30))
def test_names_break_no_table(name):
    shown = table(row(name, auc=value(0.5)), BAD, columns=(AUC,), notes=[name])
    lines = markdown_table(shown).split("\n")
    assert lines[3].replace("\\|", "").count("|") == 3 and "<" not in lines[3].replace("\\<", "")
    body = latex_table(shown).split("\n")
    assert body[-1] == "" and body[-2].startswith("%")
    assert next(csv.DictReader(io.StringIO(csv_table(shown), newline="")))["run"] == name


def test_titles():
    assert column("matching", "accuracy", 2, "G").title == "1:2 accuracy (G)"
    assert column("identification", "DIR@FPIR=0.1", 50).title == "50 enrolled DIR@FPIR=0.1"
    assert column(list_="verify_test").title == "AUC [verify_test]"


def test_published_results_stand_beside_figures_of_the_same_question_alone():
    matching, grouped = (
        column("matching", "accuracy", 2),
        column("matching", "accuracy", 2, "U", list_="match_g_2_test"),
    )
    (found,) = published_rows([AUC, EER, matching, grouped], [F2V])
    assert found.reported and found.direction == F2V
    assert {each.title: value.value for each, value in found.values.items()} == {
        "AUC": 0.87, "1:2 accuracy": 0.865, "1:2 accuracy [match_g_2_test]": 0.753
    }  # fmt: skip
    assert published_rows([EER], [V2F]) == [] and published_rows([AUC], ["voice to voice"]) == []
