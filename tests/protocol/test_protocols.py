import dataclasses

import numpy as np
import pytest
from builders import make_embeddings, make_failure, unit_rows
from sklearn.metrics import average_precision_score, roc_auc_score

from vfsearch.data.ranks import MateRanks
from vfsearch.errors import DoesNotFitError
from vfsearch.measure.equal_error import equal_error_rate
from vfsearch.measure.matching import matching_accuracy
from vfsearch.measure.operating_points import ScoredTrials
from vfsearch.measure.ranking import average_precision, hit_at
from vfsearch.measure.verification import auc
from vfsearch.protocol.comparison import compare
from vfsearch.protocol.matching import Matching
from vfsearch.protocol.retrieval import Retrieval
from vfsearch.protocol.verification import Verification

ALL = (Matching(candidates=2, seed=1), Matching(candidates=5, seed=1), Verification(seed=1), Retrieval(seed=1))


def sides(people: int = 12, each: int = 5, d: int = 16, noise: float = 1.0, probe="voice", gallery="face", seed=0):
    """Each person a direction, each item that direction with noise."""
    random = np.random.default_rng(seed)
    names = [f"p{row % people}" for row in range(people * each)]
    centres = np.tile(unit_rows(people, d, seed), (each, 1))
    made = []
    for modality in (probe, gallery):
        rows = centres + noise * random.normal(size=centres.shape) / d**0.5
        made.append(make_embeddings(len(names), d, modality=modality, identities=names))
        made[-1].vectors[:] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return made if probe != gallery else made[:1] * 2


def constant(people: int = 12, each: int = 5, probe="voice", gallery="face"):
    probes, items = sides(people, each, probe=probe, gallery=gallery)
    for side in (probes, items):
        side.vectors[:] = unit_rows(1, 16, 99)
    return probes, items


def figures(result) -> dict[str, float]:
    return {name: value.value for name, value in result.measurement.values.items()}


@pytest.mark.parametrize("gallery", ["face", "voice"], ids=["cross-modal", "same modality"])
@pytest.mark.parametrize("each", [2, 5, 15])
@pytest.mark.parametrize("protocol", ALL, ids=lambda p: p.name)
def test_a_constant_embedding_scores_chance(protocol, each, gallery):
    found = protocol.run(compare(*constant(each=each, gallery=gallery))).measurement
    for name, value in found.values.items():
        assert value.value == pytest.approx(value.chance, abs=1e-12), name
        assert value.low == pytest.approx(value.chance, abs=1e-12)
        assert value.high == pytest.approx(value.chance, abs=1e-12)
    assert found.tied == 1.0


@pytest.mark.parametrize("protocol", ALL, ids=lambda p: p.name)
def test_less_memory_changes_no_figure(protocol):
    voices, faces = sides()
    much, little = (protocol.run(compare(voices, faces, max_memory=memory)) for memory in (None, 2**25))
    assert figures(much) == figures(little)
    for name, values in much.raw.items():
        assert np.array_equal(values, little.raw[name], equal_nan=values.dtype.kind == "f"), name


def test_memory_that_nothing_can_be_computed_in():
    voices, faces = sides()
    with pytest.raises(DoesNotFitError, match="5 bytes of memory are too few to compare rows of 16 dimensions with"):
        compare(voices, faces, max_memory=5)


def test_chance_is_what_arithmetic_says():
    cross, same = (compare(*constant(12, 5, gallery=gallery)) for gallery in ("face", "voice"))
    assert figures(Matching(candidates=5, seed=1).run(cross)) == {"accuracy": pytest.approx(1 / 5)}
    assert figures(Verification(seed=1).run(cross)) == {"AUC": 0.5, "EER": 0.5}
    for comparison, mates, gallery in ((cross, 5, 60), (same, 4, 59)):
        found = figures(Retrieval(seed=1).run(comparison))
        harmonic = sum(1 / place for place in range(1, gallery + 1))
        # Expected precision of m mates in random order among n: ((m - 1) n + (n - m) H_n) / (n (n - 1)).
        precision = ((mates - 1) * gallery + (gallery - mates) * harmonic) / (gallery * (gallery - 1))
        assert found["mAP"] == pytest.approx(precision, abs=1e-14)
        assert found["R@1"] == pytest.approx(mates / gallery, abs=1e-14)
        missed = np.prod([(gallery - mates - i) / (gallery - i) for i in range(10)])
        assert found["R@10"] == pytest.approx(1 - missed, abs=1e-14)


@pytest.mark.parametrize("gallery", ["face", "voice"], ids=["cross-modal", "same modality"])
@pytest.mark.parametrize("protocol", ALL, ids=lambda p: p.name)
def test_a_perfect_embedding_scores_one(protocol, gallery):
    result = protocol.run(compare(*sides(noise=0.0, gallery=gallery)))
    assert figures(result) == {name: pytest.approx(float(name != "EER")) for name in figures(result)}
    assert result.measurement.tied == 0.0  # mates tie with one another, which decides nothing


@pytest.mark.parametrize("protocol", ALL, ids=lambda p: p.name)
def test_what_a_measurement_says_beside_its_figures(protocol):
    found = protocol.run(compare(*sides(noise=2.0))).measurement
    assert found.direction == "voice to face" and found.missing == 0
    assert found.trials == (60 if protocol.name == "retrieval" else 180)
    assert found.candidates == {"retrieval": 60, "verification": None}.get(found.protocol, found.candidates)
    for value in found.values.values():
        assert value.low <= value.value <= value.high and value.low < value.high
    for speed in (found.trials_per_second, found.probes_per_second, found.latency_median_seconds):
        assert speed > 0
    assert found.latency_median_seconds <= found.latency_p95_seconds


@pytest.mark.parametrize("protocol", ALL, ids=lambda p: p.name)
def test_the_same_seed_gives_the_same_result(protocol):
    voices, faces = sides(noise=2.0)
    first, second = (protocol.run(compare(voices, faces)) for _ in range(2))
    assert first.measurement.values == second.measurement.values
    other = dataclasses.replace(protocol, seed=2).run(compare(voices, faces))
    assert other.measurement.values != first.measurement.values


def test_matching_can_be_recomputed_from_its_trials():
    voices, faces = sides(noise=2.0)
    result = Matching(candidates=5, seed=1).run(compare(voices, faces))
    raw = result.raw
    plain = np.einsum("td,tnd->tn", voices.vectors[raw["probes"]], faces.vectors[raw["candidates"]])
    assert raw["scores"] == pytest.approx(plain, abs=1e-6)
    assert figures(result)["accuracy"] == matching_accuracy(raw["scores"]).mean()
    assert figures(result)["accuracy"] == pytest.approx(np.mean(plain.argmax(axis=1) == 0))
    assert (np.array(faces.identities)[raw["candidates"][:, 0]] == np.array(voices.identities)[raw["probes"]]).all()


def test_verification_can_be_recomputed_from_its_trials():
    voices, faces = sides(noise=2.0)
    result = Verification(seed=1).run(compare(voices, faces))
    raw = result.raw
    assert figures(result)["AUC"] == pytest.approx(roc_auc_score(raw["mated"], raw["scores"]), abs=1e-12)
    points = ScoredTrials(raw["scores"], raw["mated"]).operating_points()
    assert figures(result) == {"AUC": auc(points), "EER": equal_error_rate(points)}
    named = np.array(voices.identities)[raw["probes"]] == np.array(faces.identities)[raw["items"]]
    assert np.array_equal(named, raw["mated"])


@pytest.mark.parametrize("gallery", ["face", "voice"], ids=["cross-modal", "same modality"])
def test_retrieval_of_240_rows_equals_a_plain_argsort(gallery):
    probes, items = sides(24, 10, noise=2.0, gallery=gallery)
    result = Retrieval(seed=1).run(compare(probes, items))
    names, scores = np.array(probes.identities), probes.vectors.astype(float) @ items.vectors.astype(float).T
    precisions, first, ten = [], [], []
    for probe in range(240):
        others = np.arange(240) != probe if gallery == "voice" else np.full(240, True)
        mates = (names == names[probe])[others]
        in_order = mates[np.argsort(-scores[probe, others])]
        precisions.append(average_precision_score(mates, scores[probe, others]))
        first.append(in_order[0])
        ten.append(in_order[:10].any())
    wanted = {"mAP": np.mean(precisions), "R@1": np.mean(first), "R@10": np.mean(ten)}
    assert figures(result) == {name: pytest.approx(value, abs=1e-12) for name, value in wanted.items()}
    assert result.raw["mAP"] == pytest.approx(np.array(precisions), abs=1e-12)


def test_retrieval_can_be_recomputed_from_its_ranks():
    voices, faces = sides(noise=2.0)
    result = Retrieval(seed=1).run(compare(voices, faces))
    names = ("probe", "above", "tied", "mates_above", "mates_tied", "mates")
    ranks = MateRanks(**{name: result.raw[name] for name in names}, gallery=np.full(60, 60))
    assert figures(result)["mAP"] == average_precision(ranks).mean()
    assert figures(result)["R@10"] == hit_at(ranks, 10).mean()


def missing(count: int, identity: str = "p0"):
    return [make_failure(f"bad-{number}", identity=identity) for number in range(count)]


def test_missing_probes_are_misses_in_matching():
    # 60 probes that are all right and 20 that are not there: 60 of 80.
    found = Matching(candidates=5, seed=1).run(compare(*sides(noise=0.0), missing(20))).measurement
    assert (found.trials, found.missing) == (240, 60)
    assert found.values["accuracy"].value == pytest.approx(60 / 80)


def test_missing_probes_are_misses_in_retrieval():
    found = Retrieval(seed=1).run(compare(*sides(noise=0.0), missing(20))).measurement
    assert (found.trials, found.missing) == (80, 20)
    for value in found.values.values():
        assert value.value == pytest.approx(60 / 80)


def test_missing_probes_are_misses_in_verification():
    result = Verification(seed=1).run(compare(*sides(noise=0.0), missing(20)))
    mated = int(result.raw["mated"].sum())
    other, absent = 180 - mated, 30
    # A missing probe's score is below all: its 30 mated trials beat none of the others, and tie with 30 absent ones.
    area = (mated * (other + absent) + absent * absent / 2) / ((mated + absent) * (other + absent))
    assert figures(result)["AUC"] == pytest.approx(area, abs=1e-12)
    # However many of the others are accepted, the absent mates stay rejected.
    assert figures(result)["EER"] == pytest.approx(absent / (mated + absent), abs=1e-12)
    assert (result.measurement.trials, result.measurement.missing) == (240, 60)


@pytest.mark.parametrize("protocol", ALL, ids=lambda p: p.name)
def test_missing_probes_of_unknown_people_and_probes_without_a_mate_are_not_asked(protocol):
    voices, faces = sides(noise=0.0)
    names = [*voices.identities[:-5], *["nobody"] * 5]
    voices = dataclasses.replace(voices, identities=names)
    found = protocol.run(compare(voices, faces, missing(3, "someone else"))).measurement
    assert found.missing == 0
    assert found.trials == (55 if protocol.name == "retrieval" else 165)
    assert all(value.value == pytest.approx(float(name != "EER")) for name, value in found.values.items())


@pytest.mark.parametrize("protocol", ALL, ids=lambda p: p.name)
def test_no_probe_has_a_mate(protocol):
    voices, faces = sides(noise=0.0)
    voices = dataclasses.replace(voices, identities=["nobody"] * 60)
    found = protocol.run(compare(voices, faces)).measurement
    assert found.trials == 0 and found.tied == 0.0
    assert all(np.isnan([value.value, value.low, value.high]).all() for value in found.values.values())


@pytest.mark.parametrize("protocol", ALL, ids=lambda p: p.name)
def test_every_probe_is_missing(protocol):
    voices, faces = sides(noise=0.0)
    found = protocol.run(compare(voices.take([]), faces, missing(4))).measurement
    assert found.missing == found.trials == (4 if protocol.name == "retrieval" else 12)
    wanted = {"AUC": 0.5, "EER": 0.5}
    assert {name: value.value for name, value in found.values.items()} == {
        name: wanted.get(name, 0.0) for name in found.values
    }


def test_the_order_of_the_gallery_changes_no_figure_of_retrieval():
    voices, faces = sides(noise=2.0)
    protocol, order = Retrieval(seed=1), np.random.default_rng(1).permutation(60)
    assert figures(protocol.run(compare(voices, faces))) == figures(protocol.run(compare(voices, faces.take(order))))
