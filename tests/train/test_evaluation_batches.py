import threading

import numpy as np
import pytest
from training_media import Inputs, Workers, tasks

from vfsearch.train.evaluation_batches import evaluation_batches
from vfsearch.train.sample_source import MediaSource


def source(bad=(), rows: int = 20) -> MediaSource:
    return MediaSource(tasks(rows), Workers(bad))


@pytest.mark.parametrize("batch_size", [1, 3, 7, 50])
def test_every_item_once_in_the_order_given(batch_size):
    rows = [5, 3, 8, 3, 0, 19, 4]
    batches = list(evaluation_batches(source(), Inputs(), rows, batch_size))
    assert [len(numbers) for numbers, _ in batches] == [
        len(rows[start : start + batch_size]) for start in range(0, 7, batch_size)
    ]
    assert np.concatenate([numbers for numbers, _ in batches]).tolist() == rows
    for numbers, inputs in batches:
        assert numbers.dtype == np.int64
        np.testing.assert_array_equal(inputs[:, 0], numbers)


def test_what_cannot_be_decoded_is_left_out_and_told():
    held = source(bad=[1, 4, 5, 6])
    batches = list(evaluation_batches(held, Inputs(), range(8), 3))
    assert [numbers.tolist() for numbers, _ in batches] == [[0, 2], [3], [7]]
    assert sorted(held.failures) == [1, 4, 5, 6]
    assert [numbers.tolist() for numbers, _ in evaluation_batches(held, Inputs(), range(3, 6), 2)] == [[3]]
    assert list(evaluation_batches(held, Inputs(), [4, 5, 6], 2)) == []


def test_one_batch_is_made_while_the_caller_has_the_one_before():
    begun = threading.Semaphore(0)

    class Watched(MediaSource):
        def samples(self, rows, stopped):
            begun.release()
            return super().samples(rows, stopped)

    batches = evaluation_batches(Watched(tasks(9), Workers()), Inputs(), range(9), 3)
    next(batches)
    assert begun.acquire(timeout=10) and begun.acquire(timeout=10)
    assert not begun.acquire(blocking=False)


def test_no_rows_give_no_batches():
    assert list(evaluation_batches(source(), Inputs(), [])) == []


def test_an_error_of_the_source_reaches_the_caller():
    held = MediaSource([], Workers())
    with pytest.raises(IndexError):
        list(evaluation_batches(held, Inputs(), [0]))


def test_leaving_early_ends_the_thread():
    before = set(threading.enumerate())
    batches = evaluation_batches(source(), Inputs(), range(20), 2)
    next(batches)
    threads = set(threading.enumerate()) - before
    batches.close()
    for thread in threads:
        thread.join(10)
    assert threads and not any(thread.is_alive() for thread in threads)
