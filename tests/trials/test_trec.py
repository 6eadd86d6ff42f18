import pytest
from trials.examples import TREC_QRELS, TREC_RUN
from trials.rows import extra, pairs, read, rows, written

from vfsearch.errors import TrialListError


def test_a_run(tmp_path):
    trials = read(tmp_path, "trec-run", TREC_RUN)
    assert (trials.kind, trials.labelled, trials.scored) == ("ranking", False, True)
    assert rows(trials)[1] == ("q1", ("d5",), -1, (0.9,))
    assert extra(trials) == {"rank": ["1", "2", "1"], "tag": ["run"] * 3}
    assert written("trec-run", trials) == TREC_RUN


def test_ranks_by_score_then_by_name_descending():
    trials = pairs(
        [("q", "a", -1, 0.5), ("q", "b", -1, 0.5), ("q", "c", -1, 0.9), ("p", "a", -1, 0.1)], blocks=3, kind="ranking"
    )
    assert written("trec-run", trials) == (
        b"q Q0 a 3 0.5 vfsearch\nq Q0 b 2 0.5 vfsearch\nq Q0 c 1 0.9 vfsearch\np Q0 a 1 0.1 vfsearch\n"
    )


def test_ranks_of_lines_that_do_not_stand_together():
    trials = pairs([("q", "a", -1, 0.5), ("p", "a", -1, 0.1), ("q", "b", -1, 0.5)], kind="ranking")
    with pytest.raises(TrialListError, match=r"made, line 3, .*the lines of 'q' do not stand together"):
        written("trec-run", trials)


def test_a_run_has_no_place_for_labels():
    with pytest.raises(TrialListError, match="trec-run: it has no place for labels"):
        written("trec-run", pairs([("q", "a", 1, 0.5)], kind="ranking"))


def test_qrels(tmp_path):
    trials = read(tmp_path, "trec-qrels", TREC_QRELS + b"q2 0 d9 -1\n")
    assert (trials.kind, trials.labelled, trials.scored) == ("relevance", True, False)
    assert [grade for _, _, grade, _ in rows(trials)] == [1, 0, 2, -1]
    assert written("trec-qrels", trials) == TREC_QRELS + b"q2 0 d9 -1\n"


@pytest.mark.parametrize("grade", ["1.5", "x", "1_0", "\u0661", "9" * 30, "9" * 5000, "--1"])
def test_what_is_no_grade(tmp_path, grade):
    with pytest.raises(TrialListError, match="line 4: wanted qid, 0, docid and a whole number"):
        list(read(tmp_path, "trec-qrels", TREC_QRELS + f"q 0 d {grade}\n".encode()).blocks())
