"""`vfsearch query` with an index that is not exact, as a user gives it."""

import json
from dataclasses import replace

import pytest
from lossy_index import BACKEND

from vfsearch.data.row_source import rows_in_memory
from vfsearch.index.building import build_index
from vfsearch.index.layout import read_index_artefact
from vfsearch.index.settings import BuildSettings
from vfsearch.pipeline.workspace import Workspace
from vfsearch.store.store import open_store


@pytest.fixture
def lossy(measured):
    """The faces are in an index that sees seven rows in ten."""
    store = open_store(measured / "embeddings")
    build_index(
        measured / "index/face", rows_in_memory(store.load("face"), store.digest), BuildSettings(backend=BACKEND)
    )
    return measured


def test_the_table_has_recall_and_loss(lossy, vf):
    code, out, err = vf("query")
    assert code == 0 and "warning" not in err
    for word in ("R@10 of exact", "R@1 exact", "R@1 lost", "mAP@10", "mAP@10 exact", "mAP@10 lost", "p99 ms"):
        assert word in out, word
    assert f"index {BACKEND}, searched with seen 7 (not tuned), among 24 of its 48 rows" in out
    assert max(map(len, out.splitlines()[:12])) <= 160


def test_what_it_was_tuned_to_and_for_whom(lossy, vf):
    artefact = read_index_artefact(lossy / "index/face")
    tuned = {"targets": ["R@10>=0.95", "mAP>=0.99"], "probe": "voice"}
    replace(artefact, about={**artefact.about, "search": {"seen": 9}, "tuned": tuned}).write()
    code, out, err = vf("query")
    assert code == 0 and "with seen 9 (tuned to R@10>=0.95 and mAP>=0.99 with voice probes)" in out
    assert "warning" not in err
    code, out, err = vf("query", "--probe", "face", "--gallery", "face")
    assert code == 0 and "was tuned with voice probes, these are face probes: what it was tuned to may not hold" in err
    assert "warning" not in vf("query", "--search", "seen=9")[2]


def test_settings_of_this_query(lossy, vf):
    code, out, _ = vf("query", "--search", "seen=10")
    assert code == 0 and "searched with seen 10 (given)" in out
    assert vf("query", "--search", "seen=ten")[0] == 2
    code, _, err = vf("query", "--search", "seen")
    assert code == 2 and "--search is 'seen', wanted NAME=NUMBER, for example nprobe=64" in err
    code, _, err = vf("query", "--search", "ef=3")
    assert code == 2 and "has no search setting 'ef'; it has: seen" in err


def test_exact_for_comparison(lossy, vf):
    code, out, _ = vf("query", "--exact", "--index", "index/face")
    assert code == 0 and "search (exact)" in out and "every row of it compared (--exact)" in out
    assert "R@10 of exact" not in out
    code, _, err = vf("query", "--exact", "--search", "seen=3")
    assert code == 2 and "an exact search has no settings" in err


def test_the_document_has_both(lossy, document):
    found = document("query")
    search = found["measurements"][-1]
    assert set(search["lost"]) == {"R@1", "mAP@10"} and search["values"]["R@10 of exact"]["value"] < 1
    assert search["latency_median_seconds"] <= search["latency_p95_seconds"] <= search["latency_p99_seconds"]
    saved = json.loads((lossy / found["run"] / "outcome.json").read_text())
    assert saved["measurements"] == found["measurements"]


def test_a_narrow_terminal(lossy, vf, monkeypatch):
    monkeypatch.setattr("vfsearch_cli.terminal.WIDTH_OF_A_PIPE", 80)
    out = vf("query")[1]
    for word in ("R@10 of", "R@1 lost", "p99 ms"):
        assert word in out


def test_items_that_the_index_lacks_are_warned_of(measured, vf):
    store = open_store(measured / "embeddings")
    rows = store.load("face")
    test = rows.rows_of_split("test")
    place = Workspace(folder=measured).index_folder("face")
    build_index(place, rows_in_memory(rows.take(test[5:]), store.digest), BuildSettings(backend="exact"))
    code, out, err = vf("query")
    assert code == 0 and "the index lacks 5 of the 24 gallery items: the rows `search` are of the others alone" in err
    assert "among" not in out.partition("; index exact")[2].partition(";")[0]


def test_lists_are_not_searched(measured, vf):
    code, _, err = vf("query", "--trials", "list.txt", "--exact")
    assert code == 2 and "--exact goes without --trials only" in err


def test_a_run_of_an_older_version_is_shown(measured, vf):
    """Without a 99th percentile, without what was lost, without how the index was searched."""
    from vfsearch_cli.outcome import outcome_table, outcome_warnings
    from vfsearch_cli.terminal import Terminal

    from vfsearch.data.outcome import Outcome

    document = json.loads(vf("query", "--json")[1])
    del document["run"], document["measured_now"], document["made_from"]["search"], document["settings"]["exact"]
    for name in ("index_rows", "gallery_not_in_index", "store_rows_not_in_index"):
        del document["counts"][name]
    for each in document["measurements"]:
        del each["latency_p99_seconds"], each["lost"]
    outcome = Outcome.from_json(document)
    assert outcome_warnings(outcome) == []
    caption = outcome_table(outcome, 200)[-1]
    assert "; index exact; intervals" in caption
    Terminal(as_json=False, quiet=True).result({}, *outcome_table(outcome, 80))
