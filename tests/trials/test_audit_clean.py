import numpy as np
import pytest
from audited_lists import face, galleries, gallery_list, pair_list, pairs, people_table, side_list, voice

from vfsearch.data.trial_list import TrialBlock
from vfsearch.errors import UnknownNameError
from vfsearch.trials.audit.clean import clean, usual_offenders
from vfsearch.trials.audit.knowledge import Knowledge
from vfsearch.trials.audit.run import audit


def rows_of(trials) -> list[tuple]:
    names = trials.names.texts
    return [
        (names[probe], *(names[item] for item in items), int(label))
        for block in trials.blocks()
        for probe, items, label in zip(block.probes, block.items, block.mated, strict=True)
    ]


@pytest.mark.parametrize("block", [1, 7, 5000])
def test_offenders_are_left_out_and_the_rest_stays_in_order(block):
    good = pairs(200)
    rows = [*good[:100], good[0], (voice(3, 9), face(5, 9), 1), *good[100:], good[150]]
    listed = pair_list(rows, block)
    report = audit(listed, Knowledge(table=people_table()))
    assert usual_offenders(report) == ["false-mated", "duplicates"]
    cleaned = clean(listed, report)
    assert rows_of(cleaned) == good
    assert cleaned.about["without"] == ["false-mated", "duplicates"]
    again = audit(cleaned, Knowledge(table=people_table()))
    assert not again.named("duplicates") and not again.named("false-mated")


def test_only_what_was_asked_for_is_left_out():
    rows = [("a", "b", 1), ("a", "b", 1), ("a", "b", 0)]
    listed = pair_list(rows)
    report = audit(listed)
    assert rows_of(clean(listed, report, ["duplicates"])) == [rows[0], rows[2]]
    assert rows_of(clean(listed, report, ["contradictory-labels"])) == []
    assert rows_of(clean(listed, report, [])) == rows


def test_scores_and_further_columns_go_with_their_trials():
    listed = pair_list([("a", "b", 1), ("a", "b", 1), ("c", "d", 0)])
    (block,) = listed.blocks()
    scored = TrialBlock(
        probes=block.probes, items=block.items, mated=block.mated, lines=block.lines,
        scores=np.array([[0.1], [0.2], [0.3]]), extra={"language": ["x", "y", "z"]},
    )  # fmt: skip
    object.__setattr__(listed, "blocks", lambda: iter([scored]))
    (kept,) = clean(listed, audit(listed)).blocks()
    assert kept.scores.tolist() == [[0.1], [0.3]]
    assert kept.extra == {"language": ["x", "z"]}
    assert kept.lines.tolist() == [1, 3]


def test_galleries_and_sides():
    rows = galleries(50)
    listed = gallery_list([*rows, rows[3]])
    assert [list(row[:-1]) for row in rows_of(clean(listed, audit(listed)))] == rows
    sides = side_list(["a", "b", "a"], ["c", "c", "d"])
    kept = clean(sides, audit(sides)).sides()
    assert [[sides.names.texts[n] for n in each] for each in (kept.probes, kept.gallery)] == [["a", "b"], ["c", "d"]]


def test_an_unknown_finding_is_refused():
    listed = pair_list(pairs(20))
    with pytest.raises(UnknownNameError, match=r"no finding named label-share says which trials.*known: false-mated"):
        clean(listed, audit(listed), ["duplicates", "label-share"])
