import os
import threading

import pytest

from vfsearch.media.messages import receive, send


@pytest.fixture
def pipe():
    reading, writing = os.pipe()
    ends = {reading, writing}
    yield reading, writing, ends
    for end in ends:
        os.close(end)


@pytest.mark.parametrize("payload", [b"", b"x", bytes(range(256)) * 4000])
def test_a_message_comes_out_as_it_went_in(pipe, payload):
    reading, writing, _ = pipe
    header = {"path": "\udcff é\n", "n": [1, None, 0.5]}
    sender = threading.Thread(target=send, args=(writing, header, payload))
    sender.start()
    assert receive(reading, 5.0) == (header, payload)
    sender.join()


def test_silence_is_a_timeout(pipe):
    reading, writing, _ = pipe
    with pytest.raises(TimeoutError):
        receive(reading, 0.05)
    os.write(writing, b"\x05\0")
    with pytest.raises(TimeoutError):
        receive(reading, 0.05)


def test_a_closed_pipe_is_an_end(pipe):
    reading, writing, ends = pipe
    os.write(writing, b"\x05\0\0")
    os.close(writing)
    ends.remove(writing)
    with pytest.raises(EOFError):
        receive(reading, 5.0)


@pytest.mark.parametrize("data", [b"\xff" * 12, b"\x02\0\0\0" + b"\0" * 8 + b"{]"])
def test_what_is_no_message_is_refused(pipe, data):
    reading, writing, _ = pipe
    os.write(writing, data)
    with pytest.raises(ValueError):
        receive(reading, 5.0)
