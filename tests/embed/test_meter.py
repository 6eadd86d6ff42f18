import time

from vfsearch.embed.meter import Meter


def test_what_was_waited_for_limits():
    meter = Meter()
    with meter.waiting("encode"):
        time.sleep(0.02)
    with meter.waiting("decode"):
        pass
    assert meter.limit == "encode" and meter.waited["encode"] >= 0.02 > meter.waited["decode"]


def test_figures():
    meter = Meter(items=30, audio_seconds=7200.0, waited={"decode": 2.0, "encode": 1.0, "write": 0.0})
    meter._begun, meter._ended = 0.0, 10.0
    assert meter.text() == "3.0 items/s, 720 h of sound an hour, decode limits"
    assert meter.to_json() == {
        "items": 30, "seconds": 10.0, "items_per_second": 3.0, "audio_seconds": 7200.0, "limit": "decode",
        "waited_seconds": {"decode": 2.0, "encode": 1.0, "write": 0.0},
    }  # fmt: skip
