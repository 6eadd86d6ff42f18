"""Queries of templates: against plain loops, against queries of items, and what is refused."""

import dataclasses
import json

import numpy as np
import pytest
from builders import ID_HASH, IN_PROCESS, make_embeddings, make_failure, write_manifest

from vfsearch.data.pooling import Pooling, pooling_by
from vfsearch.data.templates import pool
from vfsearch.errors import ArtefactError, MismatchError, SettingsError
from vfsearch.pipeline.compare_runs import compare_runs
from vfsearch.pipeline.embed import embed_manifest
from vfsearch.pipeline.index import IndexRequest, build_indices
from vfsearch.pipeline.query import QuerySettings, query
from vfsearch.pipeline.query_sides import make_side, shared_rows
from vfsearch.pipeline.runs import read_run_artefact
from vfsearch.pipeline.searched_index import SearchSettings
from vfsearch.store.store import open_store
from vfsearch.tables import get_array, get_texts, reading

PLAIN = QuerySettings(probe="voice", gallery="face", n=(2, 5), k=3)
POOLED = dataclasses.replace(PLAIN, pool_probes=Pooling())
BOTH = dataclasses.replace(POOLED, pool_gallery=Pooling())


def figures(report) -> dict[tuple, float]:
    return {
        (each.protocol, each.candidates, name): value.value
        for each in report.outcome.measurements
        for name, value in each.values.items()
    }


def test_retrieval_of_templates_is_what_a_loop_finds(built):
    report = query(built, BOTH)
    store = open_store(built.store_folder)
    probes, gallery = (pool(store.load(side, "test"), Pooling()).rows for side in ("voice", "face"))
    first, precision = [], []
    for vector, identity in zip(probes.vectors, probes.identities, strict=True):
        scores = [float(np.dot(vector.astype(float), row.astype(float))) for row in gallery.vectors]
        order = sorted(range(len(scores)), key=lambda place, scores=scores: -scores[place])
        place = [gallery.identities[row] for row in order].index(identity)
        first.append(place == 0)
        precision.append(1 / (place + 1))
    found = figures(report)
    assert found["retrieval", 6, "mAP"] == pytest.approx(np.mean(precision))
    assert found["retrieval", 6, "R@1"] == pytest.approx(np.mean(first))
    counts = report.outcome.counts
    assert (counts["probes"], counts["probe_items"], counts["gallery"], counts["gallery_items"]) == (6, 30, 6, 30)
    with reading(read_run_artefact(report.folder).read("neighbors.h5"), "run") as file:
        assert get_texts(file["probes"], "ids") == probes.ids
        assert get_array(file, "search/rows").shape == (6, 3)


def test_templates_of_one_item_give_the_figures_of_the_items(built):
    # Fewer than ten, so that names sort as the manifest has them: trials are drawn by row.
    write_manifest(built.folder, identities=8, items=1)
    embed_manifest(built, overwrite=True)
    build_indices(built)
    asked = dataclasses.replace(PLAIN, n=(2, 4))
    pooled = dataclasses.replace(asked, pool_probes=Pooling(), pool_gallery=Pooling())
    found = figures(query(built, asked))
    assert found == figures(query(built, pooled)) and len(found) == 7


def test_an_index_of_templates_is_found_by_its_kind(built):
    build_indices(built, ["face"], [IndexRequest(pooling=Pooling())])
    indexed = query(dataclasses.replace(built, index=built.index_folder("face-pooled")), POOLED)
    in_memory = query(built, BOTH)
    assert indexed.folder != in_memory.folder
    assert figures(indexed) == figures(in_memory)
    assert indexed.outcome.made_from["pooling"] == Pooling().to_json()
    assert indexed.outcome.counts["index_rows"] == 12 and in_memory.outcome.counts["index_rows"] == 6
    assert indexed.outcome.counts["store_rows_not_in_index"] == 0


def test_an_approximate_index_of_templates(built):
    build_indices(built, ["face"], [IndexRequest(preset="ivf", parameters={"lists": 4}, pooling=Pooling())])
    place = dataclasses.replace(built, index=built.index_folder("face-ivf-pooled"))
    report = query(place, dataclasses.replace(POOLED, search=SearchSettings(knobs={"nprobe": 4})))
    searched = report.outcome.measurements[-1]
    assert searched.protocol == "search" and searched.values["R@3 of exact"].value == 1.0


def test_all_protocols_take_templates_and_have_intervals(built):
    asked = dataclasses.replace(
        BOTH, protocols=("matching", "verification", "retrieval", "identification"), enrolled=(3,), by=("split",)
    )
    report = query(built, asked)
    assert [each.protocol for each in report.outcome.measurements] == [
        "matching", "matching", "verification", "retrieval", "identification", "search",
    ]  # fmt: skip
    for each in report.outcome.measurements[:4]:
        for value in each.values.values():
            assert value.low <= value.value <= value.high
    assert json.loads(json.dumps(report.outcome.settings))["pool_probes"] == Pooling().to_json()


def test_runs_of_other_pooling_are_other_runs(built):
    folders = {
        query(built, dataclasses.replace(PLAIN, pool_probes=each)).folder
        for each in (None, Pooling(), Pooling(items=2), Pooling(items=2, seed=2))
    }
    assert len(folders) == 4
    assert "pool_probes" not in query(built, PLAIN).outcome.settings
    assert not query(built, POOLED).measured_now
    with pytest.raises(MismatchError, match="with other settings; give another --name"):
        query(built, PLAIN, name=query(built, POOLED).folder.name)


def test_runs_are_compared_where_their_trials_are_the_same(built):
    two, all_ = (query(built, dataclasses.replace(POOLED, pool_probes=Pooling(items=each))) for each in (2, None))
    compared = compare_runs(two.folder, all_.folder)
    assert {each.measure for each in compared.figures} >= {"accuracy", "EER", "mAP"}
    with pytest.raises(MismatchError, match="are common to both: figures of different trials say nothing"):
        compare_runs(query(built, PLAIN).folder, all_.folder)


def test_a_template_is_not_asked_for_what_it_is_made_of(built):
    within = dataclasses.replace(PLAIN, probe="face", protocols=("retrieval",))
    with pytest.raises(SettingsError, match="would be compared with the very items that it is made of"):
        query(built, dataclasses.replace(within, pool_probes=Pooling()))
    with pytest.raises(SettingsError, match="nobody has another one: pool the gallery finer"):
        query(built, dataclasses.replace(within, pool_probes=Pooling(), pool_gallery=Pooling()))
    # Three photos are enrolled; the two others of each person ask.
    report = query(built, dataclasses.replace(within, pool_gallery=Pooling(items=3)))
    retrieval = report.outcome.measurements[0]
    assert (retrieval.trials, retrieval.candidates) == (12, 6)


def test_rows_that_share_items():
    rows = make_embeddings(identities=["a", "a", "a", "b", "b", "b"], take=list("112112"))
    items, finer = make_side(rows, (), None), make_side(rows, (), pooling_by("identity+take"))
    coarse = make_side(rows, (), Pooling(items=2))
    assert shared_rows(items, finer).tolist() == [0, 0, 1, 2, 2, 3]
    assert shared_rows(finer, finer).tolist() == [0, 1, 2, 3]
    assert shared_rows(items, items).tolist() == list(range(6))
    left_out = shared_rows(items, coarse)
    assert sorted(left_out.tolist()) == [-1, -1, 0, 0, 1, 1]
    with pytest.raises(SettingsError, match=r"the template 'a@1' would be compared with the very items"):
        shared_rows(finer, items)


def test_only_people_of_whom_nothing_is_there_are_missing(built):
    failed = [make_failure("x", identity="p1"), make_failure("y", identity="stranger")]
    rows = open_store(built.store_folder).load("voice", "test")
    side = make_side(rows, failed, Pooling())
    assert [each.id for each in side.failed] == ["y"] and side.counts("probe")["failed_probe_items"] == 2


def test_what_does_not_go_together(built):
    with pytest.raises(SettingsError, match="compared row by row, but nprobe is a setting of an index"):
        dataclasses.replace(BOTH, search=SearchSettings(knobs={"nprobe": 3}))
    place = dataclasses.replace(built, index=built.index_folder("face"))
    with pytest.raises(SettingsError, match=r"so the index .*face would not be searched"):
        query(place, BOTH)
    with pytest.raises(SettingsError, match="no column 'session' to pool by"):
        query(built, dataclasses.replace(PLAIN, pool_probes=pooling_by("identity+session")))


def test_no_index_is_needed_for_a_gallery_that_is_pooled(workspace):
    write_manifest(workspace.folder, identities=6)
    embed_manifest(workspace, ID_HASH, IN_PROCESS)
    with pytest.raises(ArtefactError, match="index"):
        query(workspace, dataclasses.replace(PLAIN, probe="face", protocols=("retrieval",)))
    asked = dataclasses.replace(PLAIN, probe="face", protocols=("retrieval",), pool_gallery=Pooling(items=2))
    assert query(workspace, asked).outcome.counts["gallery"] == 3
