import dataclasses
import json
import math

from vfsearch.data.outcome import Difference, Measurement, Outcome, Value


def make_outcome(value: float) -> Outcome:
    measurement = Measurement(
        protocol="verification", direction="voice to face", candidates=None, trials=4, missing=1, tied=0.25,
        values={"AUC": Value(value=value, low=value, high=0.9, chance=0.5)}, trials_per_second=10.0,
        probes_per_second=value, latency_median_seconds=0.1, latency_p95_seconds=0.2,
    )  # fmt: skip
    return Outcome(
        settings={"n": [2]}, made_from={"store": "00"}, measurements=(measurement,), counts={"probes": 4},
        seconds={"load": 0.5}, peak_memory_bytes=1, device="cpu", machine={"cores": 2},
    )  # fmt: skip


def test_written_and_read():
    outcome = make_outcome(0.75)
    assert Outcome.from_json(json.loads(json.dumps(outcome.to_json(), allow_nan=False))) == outcome


def test_a_figure_that_does_not_exist_is_null():
    document = json.loads(json.dumps(make_outcome(math.nan).to_json(), allow_nan=False))
    assert document["measurements"][0]["values"]["AUC"]["value"] is None
    (measurement,) = Outcome.from_json(document).measurements
    assert math.isnan(measurement.values["AUC"].value) and math.isnan(measurement.probes_per_second)
    assert measurement.candidates is None and measurement.values["AUC"].high == 0.9


def test_a_figure_without_bound_is_written_as_text():
    outcome = make_outcome(math.inf)
    document = json.loads(json.dumps(outcome.to_json(), allow_nan=False))
    assert document["measurements"][0]["values"]["AUC"]["value"] == "inf"
    assert Outcome.from_json(document) == outcome


def test_outcomes_of_before_have_no_names_of_lists():
    document = make_outcome(0.5).to_json()
    del document["measurements"][0]["list"]
    (measurement,) = Outcome.from_json(document).measurements
    assert measurement.list == ""


def test_a_list_may_have_any_name():
    outcome = make_outcome(0.5)
    named = dataclasses.replace(outcome, measurements=(dataclasses.replace(outcome.measurements[0], list="inf"),))
    assert Outcome.from_json(json.loads(json.dumps(named.to_json()))) == named


def test_what_older_runs_do_not_say():
    measurement = Measurement(
        protocol="search", direction="voice to face", candidates=10, trials=3, missing=0, tied=0.0, values={},
        trials_per_second=1.0, probes_per_second=1.0, latency_median_seconds=0.1, latency_p95_seconds=0.2,
        latency_p99_seconds=0.3, lost={"R@1": Difference(value=0.1, low=math.nan, high=0.2, p=0.5)},
    )  # fmt: skip
    outcome = Outcome(
        settings={}, made_from={}, measurements=(measurement,), counts={}, seconds={}, peak_memory_bytes=1, device="cpu"
    )
    document = json.loads(json.dumps(outcome.to_json(), allow_nan=False))
    assert Outcome.from_json(document) == outcome
    for name in ("latency_p99_seconds", "lost"):
        del document["measurements"][0][name]
    (old,) = Outcome.from_json(document).measurements
    assert math.isnan(old.latency_p99_seconds) and old.lost == {}
