"""TensorBoard event files of a training: equal records give equal bytes, on every machine and at any time."""

import struct
from collections.abc import Sequence

from vfsearch.errors import SettingsError
from vfsearch.report.record import Record

# What an event file of today says of itself in its first event.
FILE_VERSION = "brain.Event:2"


def event_file_name(step: int) -> str:
    """The name of the event file that stands at a step, counted over all runs, among those of its folder.

    TensorBoard reads what has "tfevents" in its name, the files of a folder in the order of their names.

    Raises:
        SettingsError: the step is negative.

    Example:
        >>> event_file_name(2400)
        'events.out.tfevents.0000002400.vfsearch'
    """
    _check(step)
    return f"events.out.tfevents.{step:010d}.vfsearch"


def event_file(
    columns: Sequence[str], rows: Sequence[Sequence[float]], run_names: Sequence[str], first_step: int = 0
) -> bytes:
    """The bytes of an event file with the scalar <run name>/<column> of every row that has one.

    A long training is written as several files, one after the other, into one folder (`event_file_name`). The time of
    an event is not when it was written but its step counted over all runs, in seconds: a resumed training gives the
    files of an undisturbed one. TensorBoard keeps scalars as float32.

    Args:
        columns, rows, run_names: see `Record`; a value that is NaN is left out.
        first_step: steps of all runs before the first row.
    Raises:
        SettingsError: columns, rows and names do not go together, or the step is negative.
    Source: format of records and events: TensorFlow's TFRecord (tfrecord guide) and event.proto.
    """
    from tensorboardX.proto.event_pb2 import Event

    _check(first_step)
    record = Record(columns=columns, rows=rows, run_names=run_names)
    events = [Event(wall_time=first_step, file_version=FILE_VERSION), *_scalar_events(record, first_step)]
    return b"".join(_framed(event.SerializeToString(deterministic=True)) for event in events)


def _check(first_step: int) -> None:
    if first_step < 0:
        raise SettingsError(f"the first step of an event file is {first_step}, it must not be negative")


def _scalar_events(record: Record, first_step: int) -> list:
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.proto.summary_pb2 import Summary

    events = []
    for number, row in enumerate(record.rows.tolist()):
        cells = dict(zip(record.columns, row, strict=True))
        run, step = record.run_names[int(cells.pop("run"))], int(cells.pop("step"))
        scalars = [
            Summary.Value(tag=f"{run}/{name}", simple_value=value) for name, value in cells.items() if value == value
        ]
        if scalars:
            events.append(Event(wall_time=first_step + number, step=step, summary=Summary(value=scalars)))
    return events


def _framed(data: bytes) -> bytes:
    """A record: its length, the length's checksum, the data, the data's checksum; little-endian."""
    from tensorboardX.record_writer import masked_crc32c

    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked_crc32c(length)) + data + struct.pack("<I", masked_crc32c(data))
