import math

from vfsearch.protocol.clock import REPEATS, single_latency, timed


def test_short_work_is_repeated_and_its_first_result_given():
    asked = []
    result, seconds = timed(lambda: asked.append(1) or len(asked))
    assert result == 1 and seconds > 0
    assert len(asked) == REPEATS + 1


def test_single_questions_are_spread_over_all():
    asked = []
    median, late, latest = single_latency(asked.append, 1000, singles=5)
    assert asked == [0, 0, 249, 499, 749, 999]
    assert 0 <= median <= late <= latest


def test_no_question_has_no_latency():
    assert all(math.isnan(value) for value in single_latency(lambda number: None, 0))
