import threading
import time

import pytest

from vfsearch.embed.lanes import Behind, Lanes


def test_lanes_work_at_once():
    both = threading.Barrier(2, timeout=10)
    with Lanes(2) as lanes:
        futures = [lanes.submit(both.wait) for _ in range(2)]
        assert sorted(future.result() for future in futures) == [0, 1]


def test_what_is_behind_keeps_its_order_and_is_waited_for():
    done = []
    with Behind() as behind:
        for number in range(20):
            behind(lambda number=number: (time.sleep(0.001), done.append(number)))
    assert done == list(range(20))


def test_an_error_behind_comes_to_light():
    done = []

    def fail():
        raise OSError("full")

    with pytest.raises(OSError, match="full"), Behind() as behind:
        behind(fail)
        for _ in range(3):
            behind(done.append, 1)
    assert len(done) <= 2
    with pytest.raises(OSError, match="full"), Behind() as behind:
        behind(fail)


def test_another_error_is_not_hidden():
    with pytest.raises(KeyboardInterrupt), Behind() as behind:
        behind(lambda: 1 / 0)
        raise KeyboardInterrupt
