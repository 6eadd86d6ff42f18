"""Queries with an index that is not exact, holds other rows than the store, or lies elsewhere."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
from builders import make_space
from lossy_index import BACKEND

from vfsearch.data.embeddings import Embeddings
from vfsearch.data.outcome import Outcome
from vfsearch.data.row_source import rows_in_memory
from vfsearch.errors import ArtefactError, MismatchError, SettingsError, SpaceMismatchError
from vfsearch.index.building import build_index
from vfsearch.index.layout import read_index_artefact
from vfsearch.index.settings import BuildSettings
from vfsearch.kernels.topk import topk
from vfsearch.pipeline.compare_runs import compare_runs
from vfsearch.pipeline.query import QuerySettings, query
from vfsearch.pipeline.runs import read_run_artefact
from vfsearch.pipeline.searched_index import SearchSettings
from vfsearch.pipeline.workspace import Workspace
from vfsearch.store.store import open_store
from vfsearch.tables import get_array, get_texts, reading

ASKED = QuerySettings(probe="voice", gallery="face", n=(2, 5), k=3)
EXACTLY = dataclasses.replace(ASKED, search=SearchSettings(exact=True))


def faces(place: Workspace) -> Embeddings:
    return open_store(place.store_folder).load("face")


def build(place: Workspace, rows: Embeddings, backend: str = BACKEND, origin: str = "") -> None:
    store = origin or open_store(place.store_folder).digest
    build_index(place.index_folder(rows.modality), rows_in_memory(rows, store), BuildSettings(backend=backend))


def change_manifest(place: Workspace, **changes: object) -> None:
    artefact = read_index_artefact(place.index_folder("face"))
    dataclasses.replace(artefact, about={**artefact.about, **changes}).write()


@pytest.fixture
def lossy(built) -> Workspace:
    """The faces are in an index that sees seven rows in ten."""
    build(built, faces(built))
    return built


def searched(report):
    return next(each for each in report.outcome.measurements if each.protocol == "search")


def arrays(report, *names: str) -> list[np.ndarray]:
    with reading(read_run_artefact(report.folder).read("neighbors.h5"), "run") as file:
        return [get_array(file, f"search/{name}") for name in names]


def test_the_protocols_do_not_depend_on_the_index(built):
    exact = query(built, ASKED)
    build(built, faces(built))
    approximate = query(built, ASKED)
    assert approximate.folder != exact.folder
    others = [[each.values for each in report.outcome.measurements if each.protocol != "search"]
              for report in (exact, approximate)]  # fmt: skip
    assert others[0] == others[1] and len(others[0]) == 4
    assert searched(exact).values == {} and searched(exact).lost == {}


def test_recall_and_loss_stand_beside_speed(lossy):
    report = query(lossy, ASKED)
    store = open_store(lossy.store_folder)
    probes, rows = store.load("voice", "test"), faces(lossy).rows_of_split("test")
    gallery = faces(lossy).take(rows)
    truth = topk(probes.vectors, gallery.vectors, 3)
    seen = rows[truth.rows] % 10 < 7
    found = searched(report)
    assert list(found.values) == ["R@3 of exact", "R@1", "R@1 exact", "mAP@3", "mAP@3 exact"]
    assert found.values["R@3 of exact"].value == pytest.approx(seen.mean())
    people = np.array(gallery.identities)[truth.rows[:, 0]] == np.array(probes.identities)
    assert found.values["R@1 exact"].value == pytest.approx(people.mean())
    assert found.lost["R@1"].value == pytest.approx(found.values["R@1 exact"].value - found.values["R@1"].value)
    for latency in (found.latency_median_seconds, found.latency_p95_seconds, found.latency_p99_seconds):
        assert latency > 0
    saved, scores, recall, mine, places = arrays(report, "exact-rows", "exact-scores", "recall", "rows", "gallery-rows")
    assert np.array_equal(saved, rows[truth.rows]) and np.array_equal(scores, truth.scores)
    assert recall.mean() == pytest.approx(seen.mean())
    assert (mine % 10 < 7).all() and np.array_equal(places, rows)


def test_the_outcome_says_how_it_was_searched_and_is_read_back(lossy):
    report = query(lossy, ASKED)
    assert report.outcome.made_from["search"] == {
        "exact": False, "device": "cpu", "settings": {"seen": 7}, "given": [], "tuned": None,
        "built": {"backend": BACKEND, "parameters": {}, "seed": 1},
    }  # fmt: skip
    document = json.loads((report.folder / "outcome.json").read_text())
    assert Outcome.from_json(document).to_json() == document
    assert Outcome.from_json(document).measurements == report.outcome.measurements


def test_what_it_was_tuned_to_is_in_force_and_said(lossy):
    change_manifest(lossy, search={"seen": 9}, tuned={"targets": ["R@10>=0.95"], "probe": "voice", "tried": []})
    search = query(lossy, ASKED).outcome.made_from["search"]
    assert search["settings"] == {"seen": 9} and search["tuned"] == {"targets": ["R@10>=0.95"], "probe": "voice"}
    given = dataclasses.replace(ASKED, search=SearchSettings(knobs={"seen": 8}))
    search = query(lossy, given).outcome.made_from["search"]
    assert search["settings"] == {"seen": 8} and search["tuned"] is None and search["given"] == ["seen"]


def test_settings_of_a_search_are_part_of_the_run(lossy):
    reports = [query(lossy, dataclasses.replace(ASKED, search=SearchSettings(knobs=knobs)))
               for knobs in ({}, {"seen": 10}, {"seen": 1}, {"seen": 10})]  # fmt: skip
    assert [report.measured_now for report in reports] == [True, True, True, False]
    found = [searched(report).values["R@3 of exact"].value for report in reports]
    assert found[1] == found[3] == 1.0 > found[0] > found[2]
    assert searched(reports[1]).lost["mAP@3"].value == 0.0


def test_the_same_index_searched_exactly(lossy):
    approximate, exact = query(lossy, ASKED), query(lossy, EXACTLY)
    assert exact.measured_now and exact.folder != approximate.folder and not query(lossy, EXACTLY).measured_now
    assert searched(exact).values == {} and exact.outcome.made_from["search"]["exact"]
    assert exact.outcome.made_from["backend"] == BACKEND
    mine, truth = arrays(exact, "rows")[0], arrays(approximate, "exact-rows")[0]
    assert np.array_equal(mine, truth)


def test_searching_exactly_wants_no_back_end(lossy):
    change_manifest(lossy, backend="gone_module:Gone")
    assert query(lossy, EXACTLY).measured_now


@pytest.mark.parametrize(
    ("knobs", "message"),
    [({"nprobe": 8}, r"index/face has no search setting 'nprobe'; it has: seen"),
     ({"seen": 11}, "seen is 11, it must be 1 to 10")],
)  # fmt: skip
def test_search_settings_that_the_index_has_not(lossy, knobs, message):
    with pytest.raises(SettingsError, match=message):
        query(lossy, dataclasses.replace(ASKED, search=SearchSettings(knobs=knobs)))


def test_exact_with_search_settings():
    with pytest.raises(SettingsError, match="an exact search has no settings, but seen is given"):
        SearchSettings(exact=True, knobs={"seen": 3})


def test_an_exact_index_has_no_settings(built):
    with pytest.raises(SettingsError, match="has no search setting 'nprobe'; it has: none, it is exact"):
        query(built, dataclasses.replace(ASKED, search=SearchSettings(knobs={"nprobe": 8})))


def test_one_index_in_place_of_the_folder_of_indices(lossy, tmp_path):
    shutil.copytree(lossy.index_folder("face"), tmp_path / "elsewhere")
    there = dataclasses.replace(lossy, index=tmp_path / "elsewhere")
    assert there.searched_folder("face") == there.searched_folder("voice") == tmp_path / "elsewhere"
    assert there.index_folder("face") == tmp_path / "elsewhere" / "face"
    report = query(there, ASKED)
    assert not query(lossy, ASKED).measured_now and searched(report).values["R@3 of exact"].value < 1
    with pytest.raises(MismatchError, match=r"elsewhere holds face rows, but the gallery is voice: name an index of v"):
        query(there, dataclasses.replace(ASKED, gallery="voice"))


def test_a_folder_of_something_else(lossy):
    with pytest.raises(ArtefactError, match=r"embeddings is a store, not an? index; name the folder of an? index"):
        query(dataclasses.replace(lossy, index=lossy.store_folder), ASKED)


def test_runs_are_compared_by_their_protocols_whatever_the_index(lossy):
    one, other = query(lossy, ASKED), query(lossy, EXACTLY)
    report = compare_runs(one.folder, other.folder)
    assert {each.protocol for each in report.figures} == {"matching", "verification", "retrieval"}
    assert all(each.difference.value == 0.0 for each in report.figures)


@pytest.mark.parametrize("backend", ["exact", BACKEND])
def test_rows_in_another_order(built, backend):
    rows = faces(built)
    order = np.random.default_rng(1).permutation(len(rows))
    before = query(built, ASKED)
    build(built, rows.take(order), backend)
    report = query(built, dataclasses.replace(ASKED, search=SearchSettings(exact=True)))
    mine, places = arrays(report, "rows", "gallery-rows")
    assert np.array_equal(order[mine], arrays(before, "rows")[0])
    assert np.array_equal(order[places], rows.rows_of_split("test"))
    assert report.outcome.counts["gallery_not_in_index"] == 0


def test_an_index_of_one_split(built):
    rows = faces(built)
    build(built, rows.take(rows.rows_of_split("test")))
    report = query(built, ASKED)
    assert report.outcome.counts["index_rows"] == report.outcome.counts["gallery"] == 30
    assert report.outcome.counts["store_rows_not_in_index"] == 30
    assert report.outcome.counts["gallery_not_in_index"] == 0
    assert np.array_equal(arrays(report, "gallery-rows")[0], np.arange(30))
    with pytest.raises(ArtefactError, match=r"holds 30 rows, but none of the 30 that are asked for: was it built of"):
        query(built, dataclasses.replace(ASKED, split="train"))


def test_rows_that_the_index_lacks_are_counted_and_not_found(built):
    rows = faces(built)
    kept = np.setdiff1d(np.arange(len(rows)), rows.rows_of_split("test")[:7])
    build(built, rows.take(kept), "exact")
    report = query(built, ASKED)
    assert report.outcome.counts["gallery_not_in_index"] == report.outcome.counts["store_rows_not_in_index"] == 7
    assert next(each for each in report.outcome.measurements if each.protocol == "retrieval").candidates == 30
    mine, places = arrays(report, "rows", "gallery-rows")
    assert (places[:7] == -1).all() and set(mine.ravel()) <= set(places[7:])
    with reading(read_run_artefact(report.folder).read("neighbors.h5"), "run") as file:
        assert [rows.ids[kept[row]] for row in places[7:]] == get_texts(file["gallery"], "ids")[7:]


@pytest.mark.parametrize("backend", ["exact", BACKEND])
def test_within_one_modality_no_probe_finds_itself(built, backend):
    rows = faces(built)
    order = np.random.default_rng(2).permutation(len(rows))[:50]
    build(built, rows.take(order), backend)
    report = query(built, dataclasses.replace(ASKED, probe="face"))
    mine, places = arrays(report, "rows", "gallery-rows")
    assert not ((mine == places[:, None]) & (places >= 0)[:, None]).any()


def test_an_index_with_rows_that_the_store_lacks(built):
    rows = faces(built)
    strange = dataclasses.replace(rows, ids=[*rows.ids[:-2], "x/1", "x/2"])
    build(built, strange)
    with pytest.raises(
        MismatchError, match=r"holds 60 rows, 2 of which are not among the 60 face rows of the store .* as 'x/1': build"
    ):
        query(built, ASKED)


def test_an_index_of_another_store_is_refused_though_its_rows_are_the_same(built):
    build(built, faces(built), origin="1" * 64)
    with pytest.raises(MismatchError, match=r"was built from the store 1{12}, .* up to date with `vfsearch index add`"):
        query(built, ASKED)


def test_an_index_of_another_space(built):
    rows = faces(built)
    build(built, dataclasses.replace(rows, space=make_space("other", 16)))
    with pytest.raises(SpaceMismatchError, match=r"the store .*/embeddings is in the space .*index/face in other:"):
        query(built, ASKED)


def test_little_memory_gives_the_same_figures(lossy):
    first, again = query(lossy, ASKED), query(lossy, ASKED, overwrite=True, max_memory=32 * 2**20)
    assert searched(first).values == searched(again).values and searched(first).lost == searched(again).lost
