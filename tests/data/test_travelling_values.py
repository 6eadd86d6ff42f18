import json
import math
from types import SimpleNamespace

import numpy as np
import pytest

from vfsearch.data.neighbors import Neighbors
from vfsearch.data.outcome import Measurement, Outcome, Value
from vfsearch.data.ranks import MateRanks, uninformed
from vfsearch.data.trials import MatchingTrials, VerificationTrials
from vfsearch.errors import SettingsError, VectorError


@pytest.mark.parametrize(("rows", "scores"), [((2, 3), (2, 4)), ((3,), (3,))], ids=["unequal", "not a table"])
def test_neighbors_are_two_tables_of_one_shape(rows, scores):
    with pytest.raises(VectorError, match=r"must have one shape \(q, k\)"):
        Neighbors(rows=np.zeros(rows, int), scores=np.zeros(scores))


@pytest.mark.parametrize("shape", [(3, 1), (2, 4), (3,)])
def test_matching_trials_want_a_mate_and_another(shape):
    with pytest.raises(SettingsError, match=r"3 probes want \(t, N >= 2\) candidates"):
        MatchingTrials(probes=np.zeros(3, int), candidates=np.zeros(shape, int))


def test_verification_trials_want_equal_lengths():
    assert len(VerificationTrials(probes=np.zeros(2), items=np.zeros(2), mated=np.zeros(2, bool))) == 2
    with pytest.raises(SettingsError, match="unequal lengths: 2, 2, 1"):
        VerificationTrials(probes=np.zeros(2), items=np.zeros(2), mated=np.zeros(1, bool))


def test_uninformed_is_one_block_of_the_whole_gallery_for_each_probe_with_mates():
    ranks = MateRanks(
        probe=np.array([0, 0, 2]), above=np.array([1, 4, 7]), tied=np.array([1, 2, 1]),
        mates_above=np.array([0, 1, 0]), mates_tied=np.array([1, 1, 1]),
        mates=np.array([2, 0, 1]), gallery=np.array([9, 9, 8]),
    )  # fmt: skip
    found = SimpleNamespace(**vars(uninformed(ranks)))
    assert found.probe.tolist() == [0, 2] and found.tied.tolist() == [9, 8] and found.mates_tied.tolist() == [2, 1]
    assert not found.above.any() and not found.mates_above.any()


def outcome(value: float, candidates: int | None) -> Outcome:
    measurement = Measurement(
        protocol="verification", direction="voice to face", candidates=candidates, trials=6, missing=1, tied=0.25,
        values={"AUC": Value(value=value, low=math.nan, high=1.0, chance=0.5)}, trials_per_second=5.0,
        probes_per_second=2.0, latency_median_seconds=value, latency_p95_seconds=0.5,
    )  # fmt: skip
    return Outcome(
        settings={"n": [2, 5], "split": None}, made_from={}, measurements=(measurement,), counts={"probes": 3},
        seconds={"load": 0.1}, peak_memory_bytes=7, device="cpu", machine={"cores": 2},
    )  # fmt: skip


@pytest.mark.parametrize("value", [0.75, math.nan])
@pytest.mark.parametrize("candidates", [None, 5])
def test_an_outcome_survives_json_with_figures_that_do_not_exist(value, candidates):
    first = outcome(value, candidates)
    text = json.dumps(first.to_json(), allow_nan=False)
    again = Outcome.from_json(json.loads(text))
    assert json.dumps(again.to_json()) == text
    found = again.measurements[0]
    assert isinstance(again.measurements, tuple) and found.candidates == candidates
    assert math.isnan(found.values["AUC"].low) and found.values["AUC"].value == pytest.approx(value, nan_ok=True)
    assert found.latency_median_seconds == pytest.approx(value, nan_ok=True)
    assert again.settings == {"n": [2, 5], "split": None}
