import dataclasses
import math

import numpy as np
import pytest
from builders import make_embeddings, make_failure, unit_rows
from random_searches import plain_detection, plain_fpir, plain_threshold

from vfsearch.errors import SettingsError
from vfsearch.kernels.exact import grid, score_block
from vfsearch.measure.catalog import USUAL
from vfsearch.protocol.comparison import compare
from vfsearch.protocol.identification import Identification

MEASURES = USUAL["identification"]


def sides(people=16, each=4, d=8, noise=0.8, probe="voice", gallery="face"):
    """Each person a direction, each item that direction with noise; some rows are equal, so that scores tie."""
    random = np.random.default_rng(0)
    names = [f"p{row % people:02d}" for row in range(people * each)]
    made = []
    for modality in (probe, gallery):
        rows = np.tile(unit_rows(people, d, 1), (each, 1)) + noise * random.normal(size=(len(names), d)) / d**0.5
        made.append(make_embeddings(len(names), d, modality=modality, identities=names))
        made[-1].vectors[:] = (rows / np.linalg.norm(rows, axis=1, keepdims=True))[np.arange(len(names)) // 2 * 2]
    return made if probe != gallery else made[:1] * 2


def by_loop(comparison, enrolled):
    """The table of scores, whom each search is for by column (N and above: nobody), and which probe is missing."""
    probes = [p for p in range(len(comparison.probes)) if comparison.sides.itself[p] not in enrolled]
    rows = [comparison.gallery.vectors[enrolled], comparison.probes.vectors[probes]]
    table = score_block(grid(rows[1]), grid(rows[0])).numpy()
    people = list(comparison.sides.gallery[enrolled])
    asked = [*comparison.sides.probes[probes], *comparison.missing]
    columns = np.array([people.index(person) if person in people else len(people) for person in asked])
    missing = np.arange(len(asked)) >= len(probes)
    return np.vstack([table, np.zeros((len(comparison.missing), len(people)))]), columns, missing


@pytest.mark.parametrize("gallery", ["face", "voice"], ids=["cross-modal", "same modality"])
@pytest.mark.parametrize("candidates", [None, 1, 5])
def test_figures_are_those_of_a_plain_loop(candidates, gallery):
    failed = [make_failure(f"bad{number}", identity=f"p{number:02d}") for number in range(6)]
    comparison = compare(*sides(gallery=gallery), failed)
    protocol = Identification(seed=4, candidates=candidates)
    measurement = protocol.run(comparison).measurement
    table = by_loop(comparison, protocol.enrolled(comparison))
    wanted = {}
    for number in ("0.01", "0.1"):
        threshold = plain_threshold(*table, float(number))
        assert plain_fpir(*table, threshold) <= float(number)
        wanted[f"DIR@FPIR={number}"] = plain_detection(*table, threshold, 1)
    wanted["FNIR@FPIR=0.1"] = 1 - plain_detection(*table, threshold, 10**9)
    wanted["mated-rank-1"] = plain_detection(*table, -math.inf, 1)
    found = {name: value.value for name, value in measurement.values.items()}
    assert tuple(found) == MEASURES and found == pytest.approx(wanted, abs=1e-12)
    assert (measurement.trials, measurement.missing) == (len(table[0]), 6)
    assert measurement.candidates == (candidates or 8)
    assert measurement.probes_per_second > 0 and measurement.latency_median_seconds > 0


def test_one_item_of_each_enrolled_person_and_smaller_galleries_within_larger_ones():
    comparison = compare(*sides())
    rows = [Identification(seed=2, candidates=n).enrolled(comparison) for n in (3, 8)]
    people = comparison.sides.gallery[rows[1]]
    assert len(np.unique(people)) == 8
    assert rows[0].tolist() == rows[1][:3].tolist()
    assert rows[1].tolist() != Identification(seed=3).enrolled(comparison).tolist()


def test_the_order_of_the_rows_changes_nothing():
    probes, gallery = sides()
    turned = [side.take(np.random.default_rng(1).permutation(len(side))) for side in (probes, gallery)]
    one, two = (Identification(seed=2).run(compare(*both)) for both in ((probes, gallery), turned))
    ids = [[side.ids[row] for row in found.raw["enrolled"]] for side, found in ((gallery, one), (turned[1], two))]
    assert ids[0] == ids[1]
    for name in MEASURES:
        left, right = one.measurement.values[name], two.measurement.values[name]
        assert dataclasses.astuple(left) == pytest.approx(dataclasses.astuple(right), abs=1e-12)


def test_people_without_a_gallery_item_are_searched_for_too():
    probes, gallery = sides()
    known = np.flatnonzero(np.array(gallery.identities) < "p12")
    found = Identification(seed=1).run(compare(probes, gallery.take(known)))
    assert found.measurement.candidates == 6
    assert found.measurement.trials == len(probes)
    assert found.raw["mated"].sum() == 6 * 4


def test_scores_that_are_all_equal_detect_nobody_and_rank_by_chance():
    probes, gallery = sides()
    for side in (probes, gallery):
        side.vectors[:] = unit_rows(1, 8, 9)
    found = Identification(seed=1).run(compare(probes, gallery)).measurement
    assert {name: value.value for name, value in found.values.items()} == pytest.approx(
        {"DIR@FPIR=0.01": 0.0, "DIR@FPIR=0.1": 0.0, "FNIR@FPIR=0.1": 1.0, "mated-rank-1": 1 / 8}
    )
    assert found.values["mated-rank-1"].chance == pytest.approx(1 / 8)
    assert found.tied == 0.5


def test_names():
    assert Identification(seed=1).name == "identification"
    assert Identification(seed=1, candidates=100).name == "identification-100"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"candidates": 9}, "9 of the 16 people of the gallery cannot be enrolled: the share 0.5 allows for 8"),
        ({"share": 0.99}, "somebody must be left who is not; ask for a smaller N"),
        ({"share": 0.01}, "0 of the 16 people"),
        ({"share": 1.0}, "the share of people to enrol is 1.0, it must be between 0 and 1"),
        ({"candidates": 0}, "the gallery's size is 0, it must be at least 1"),
    ],
    ids=["N too large", "nobody left", "nobody enrolled", "share", "N"],
)
def test_settings_that_cannot_be(settings, message):
    with pytest.raises(SettingsError, match=message):
        Identification(seed=1, **settings).run(compare(*sides()))
