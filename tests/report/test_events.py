import math
import socket
import struct
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import COLUMNS, NAN, RUNS, recorded

from vfsearch.errors import SettingsError
from vfsearch.report.events import event_file, event_file_name


def crc32c(data: bytes) -> int:
    """Castagnoli's checksum, bit by bit (RFC 3720, appendix B.4)."""
    left = 0xFFFFFFFF
    for byte in data:
        left ^= byte
        for _ in range(8):
            left = left >> 1 ^ (0x82F63B78 if left & 1 else 0)
    return left ^ 0xFFFFFFFF


def masked(data: bytes) -> bytes:
    """As records store it: rotated right by 15 bits, plus a constant."""
    value = crc32c(data)
    return struct.pack("<I", ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def records(data: bytes) -> list[bytes]:
    """The records of a file, with every checksum checked."""
    found, place = [], 0
    while place < len(data):
        (length,) = struct.unpack_from("<Q", data, place)
        body = data[place + 12 : place + 12 + length]
        assert len(body) == length
        assert data[place + 8 : place + 12] == masked(data[place : place + 8])
        assert data[place + 12 + length : place + 16 + length] == masked(body)
        found.append(body)
        place += 16 + length
    assert place == len(data)
    return found


def events(data: bytes) -> list:
    from tensorboardX.proto.event_pb2 import Event

    return [Event.FromString(body) for body in records(data)]


def scalars(data: bytes) -> dict[str, list[tuple[int, float]]]:
    """Tag -> (step, value) in the order of the file."""
    found = {}
    for event in events(data):
        for value in event.summary.value:
            found.setdefault(value.tag, []).append((event.step, value.simple_value))
    return found


def test_the_checksum_of_the_tests_is_the_known_one():
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA


def test_every_value_is_read_back():
    rows = recorded(5, 0, 2) + recorded(4, 1, 3)
    wanted = {}
    for row in rows:
        for name, value in zip(COLUMNS[2:], row[2:], strict=True):
            if not math.isnan(value):
                wanted.setdefault(f"{RUNS[row[0]]}/{name}", []).append((row[1], np.float32(value)))
    assert scalars(event_file(COLUMNS, rows, RUNS)) == wanted
    assert len(wanted) == 12


def test_a_file_begins_with_its_version_and_has_an_event_a_row():
    found = events(event_file(COLUMNS, recorded(3), RUNS, first_step=40))
    assert found[0].file_version == "brain.Event:2"
    assert [event.wall_time for event in found] == [40, 40, 41, 42]
    assert [event.step for event in found[1:]] == [0, 1, 2]


def test_rows_without_a_value_have_no_event():
    rows = [(0, 0, NAN), (0, 1, 2.0), (0, 2, NAN)]
    data = event_file(("run", "step", "loss"), rows, RUNS, first_step=7)
    assert [event.wall_time for event in events(data)] == [7, 8]
    assert scalars(data) == {"weights/loss": [(1, 2.0)]}
    assert len(events(event_file(("run", "step", "loss"), [], RUNS))) == 1


def test_segments_hold_what_one_file_holds():
    rows = recorded(7, 0, 3) + recorded(6, 1, 3)
    whole = records(event_file(COLUMNS, rows, RUNS))
    parts = [records(event_file(COLUMNS, rows[start : start + 4], RUNS, start)) for start in range(0, len(rows), 4)]
    assert [body for part in parts for body in part[1:]] == whole[1:]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(width=32), max_size=8), st.integers(0, 10**9))
def test_any_float32_is_read_back(losses, first_step):
    rows = [(1, step, loss) for step, loss in enumerate(losses)]
    found = scalars(event_file(("run", "step", "loss"), rows, RUNS, first_step)).get("retrain/loss", [])
    assert found == [(step, loss) for step, loss in enumerate(losses) if not math.isnan(loss)]


def test_neither_time_nor_machine_is_in_the_file(monkeypatch):
    rows = recorded(20, 0, 5)
    before = event_file(COLUMNS, rows, RUNS)

    def refuse(*_):
        raise AssertionError("the file depends on when or where it was written")

    for module, name in ((time, "time"), (time, "time_ns"), (socket, "gethostname")):
        monkeypatch.setattr(module, name, refuse)
    assert event_file(COLUMNS, rows, RUNS) == before


def test_names_sort_as_their_steps():
    steps = [0, 9, 10, 250, 2400, 12_400, 10**9]
    names = [event_file_name(step) for step in steps]
    assert names == sorted(names)
    assert all("tfevents" in name for name in names)


@pytest.mark.parametrize("make", [event_file_name, lambda step: event_file(COLUMNS, [], RUNS, step)])
def test_a_negative_step_is_refused(make):
    with pytest.raises(SettingsError, match="the first step of an event file is -1, it must not be negative"):
        make(-1)


def test_a_record_that_does_not_go_together_is_refused():
    with pytest.raises(SettingsError, match="row 0 of the record has 2 values for 8 columns"):
        event_file(COLUMNS, [(0, 0)], RUNS)
