import signal
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


def test_what_was_cancelled_is_not_waited_for():
    begun, go_on = threading.Event(), threading.Event()
    with Lanes(1) as lanes:
        first = lanes.submit(lambda: (begun.set(), go_on.wait(10)))
        others = [lanes.submit(time.sleep, 60) for _ in range(5)]
        begun.wait(10)
        go_on.set()
    assert first.done() and all(other.cancelled() for other in others)


@pytest.fixture
def interrupts():
    """A shell that runs a command in the background has it ignore them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("way", [Behind, lambda: Lanes(1)])
def test_an_interrupt_at_the_end_leaves_no_thread_that_nobody_waits_for(interrupts, way):
    go_on, threads = threading.Event(), []

    def work():
        threads.append(threading.current_thread())
        time.sleep(0.2)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        go_on.wait(10)

    with pytest.raises(KeyboardInterrupt), way() as made:
        getattr(made, "submit", made)(work)
        while not threads:
            time.sleep(0.01)
    # Python would wait for it at its end: it knows that it is alive.
    assert threads[0].is_alive()
    go_on.set()
    threads[0].join(10)
