import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import NAN

from vfsearch.errors import SettingsError
from vfsearch.report.record import Record


def make(rows, columns=("run", "step", "loss"), run_names=("weights", "retrain")):
    return Record(columns=columns, rows=rows, run_names=run_names)


def test_values_are_read_by_run_and_column():
    record = make([(0, 0, 5.0), (0, 3, 4.0), (1, 0, NAN)])
    assert record.runs == (0, 1)
    assert record.values(0, "step").tolist() == [0, 3]
    assert record.values(0, "loss").tolist() == [5, 4]
    assert np.isnan(record.values(1, "loss")).all()
    assert np.isnan(record.values(0, "accuracy")).tolist() == [True, True]


@pytest.mark.parametrize("value, there", [(1.0, True), (0.0, True), (NAN, False), (float("inf"), False)])
def test_a_column_is_there_when_it_has_a_finite_value(value, there):
    record = make([(0, 0, value), (0, 1, NAN)])
    assert record.has("loss") is there
    assert not record.has("accuracy")


def test_no_rows():
    record = make([])
    assert record.runs == () and not record.has("loss")


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(), max_size=20), st.integers(0, 1))
def test_what_goes_in_comes_out(losses, run):
    record = make([(run, step, loss) for step, loss in enumerate(losses)])
    np.testing.assert_array_equal(record.values(run, "loss"), losses)
    np.testing.assert_array_equal(make(record.rows).rows, record.rows)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"rows": [(0, 0, 1.0), (0, 1)]}, "row 1 of the record has 2 values for 3 columns"),
        ({"columns": ("run", "loss", "loss")}, "columns are run, loss, loss; want each once, run and step among"),
        ({"columns": ("step", "loss", "rate")}, "want each once, run and step among them"),
        ({"run_names": ()}, "the names of the runs are []; want one or more, each once"),
        ({"run_names": ("a", "a")}, "the names of the runs are ['a', 'a']; want one or more, each once"),
        ({"rows": [(0, 0, 1.0), (2, 0, 1.0)]}, "row 1 of the record has the run 2; want 0 to 1, for 2 run names"),
        ({"rows": [(0.5, 0, 1.0)]}, "row 0 of the record has the run 0.5; want 0 to 1"),
        ({"rows": [(0, -1, 1.0)]}, "row 0 of the record has the step -1; want a whole number from 0"),
        ({"rows": [(0, NAN, 1.0)]}, "row 0 of the record has the step nan; want a whole number from 0"),
        ({"rows": [(0, np.inf, 1.0)]}, "row 0 of the record has the step inf; want a whole number from 0"),
        ({"rows": [(0, 4, 1), (1, 0, 1), (0, 4, 1)]}, "in run 0 of the record, step 4 comes after 4; want them rising"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused(change, message):
    with pytest.raises(SettingsError, match=re.escape(message)):
        make(**{"rows": [(0, 0, 1.0)], **change})
