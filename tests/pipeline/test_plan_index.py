import json
import re

import pytest
from rate_tables import HERE, LINES, made_up

from vfsearch.errors import ArtefactError, DoesNotFitError, SettingsError, UnknownNameError
from vfsearch.index.costs import Costs, Size
from vfsearch.index.exact import ExactIndex
from vfsearch.index.presets import PRESETS, buildable
from vfsearch.pipeline import plan_index as module
from vfsearch.pipeline.plan_index import PlanSettings, memory_reason, plan_index, store_size
from vfsearch.pipeline.workspace import Workspace

SIZE = Size(rows=100_000, dimension=128)


@pytest.fixture(autouse=True)
def measured(monkeypatch):
    with made_up(monkeypatch):
        yield


def planned(size=SIZE, **settings):
    return plan_index(size, PlanSettings(**settings), here=HERE)


def names(kinds):
    return [each.preset for each in kinds]


def test_every_kind_that_can_be_built_here():
    found = planned()
    assert names(found.fitting) == [each.name for each in buildable()] and not found.left_out
    assert set(found.missing) == set(PRESETS) - set(names(found.fitting))
    assert found.missing["gpu-flat"] == "a GPU (--device cuda)"
    for each in found.fitting:
        assert each.costs.disk > SIZE.vector_bytes and each.reason == ""
    with_rates = [each.preset for each in found.fitting if each.expected]
    assert with_rates == ["exact", "ivf", "hnsw"]


def test_what_is_missing_is_said(monkeypatch):
    monkeypatch.setattr(module, "buildable", lambda device: [PRESETS["exact"]])
    monkeypatch.setattr("vfsearch.registry.Entry.missing", property(lambda entry: entry.requires[:1] and ("faiss",)))
    monkeypatch.setattr(module.BACKENDS, "load", lambda name: ExactIndex)
    found = planned(presets=("exact", "hnsw"))
    assert names(found.fitting) == ["exact"] and found.missing == {"hnsw": "faiss: pip install 'vfsearch[cpu]'"}


def test_some_kinds():
    assert names(planned(presets=("hnsw", "ivf")).fitting) == ["hnsw", "ivf"]
    with pytest.raises(UnknownNameError, match="no kind of index is named 'nosuch'"):
        planned(presets=("nosuch",))


def test_a_kind_of_ones_own_has_no_figures():
    (own,) = planned(presets=("lossy_index:LossyIndex",)).fitting
    assert own.costs is None and own.expected is None


def test_most_memory():
    size = Size(rows=10_000_000, dimension=128, text_bytes=60)
    found = planned(size, max_memory=4 * 2**30, presets=("exact", "ivf-pq", "hnsw"))
    assert names(found.fitting) == ["exact", "ivf-pq"]
    (graph,) = found.left_out
    assert "building it wants" in graph.reason and "searches want" in graph.reason and "4.00 GiB are" in graph.reason


def test_most_latency():
    found = planned(max_latency_seconds=0.2e-3, presets=("exact", "ivf", "hnsw"))
    assert names(found.fitting) == ["ivf", "hnsw"]
    assert found.left_out[0].reason == "a probe takes at least 0.741 ms, 0.2 ms are allowed"


def test_least_recall():
    found = planned(min_recall=0.97, presets=("exact", "ivf", "hnsw"))
    assert names(found.fitting) == ["exact", "hnsw"]
    assert found.left_out[0].reason == "no setting that was measured found 0.97 of the neighbours"
    assert all(each.expected.recall.low >= 0.97 for each in found.fitting)


def test_nothing_fits():
    with pytest.raises(
        DoesNotFitError, match="no kind of index of 100,000 x 128 rows fits what is asked for: exact: a "
    ):
        planned(max_latency_seconds=1e-7, presets=("exact", "hnsw"))
    with pytest.raises(DoesNotFitError, match="gpu-flat: not here, it needs"):
        planned(presets=("gpu-flat",))


def test_the_exact_engine_may_be_the_fastest(monkeypatch):
    batch, single = planned().verdicts
    assert batch.startswith("many probes at once, R@10 of 0.95: no index is faster than the exact engine at this size")
    assert single.startswith("one probe alone, R@10 of 0.95: ivf is faster than the exact engine, about")
    with made_up(monkeypatch, LINES.replace("1 1 50000 1000", "1 1 500 1000")):
        batch, _ = planned(min_recall=0.9).verdicts
        assert batch.startswith("many probes at once, R@10 of 0.9: hnsw is faster than the exact engine, about")


def test_many_times_as_fast_are_a_plain_number(monkeypatch):
    with made_up(monkeypatch, LINES.replace("1 1 50000 1000", "1 1 5 1000")):
        batch, _ = planned(min_recall=0.9).verdicts
    assert re.search(r"about [\d,]+ times as fast", batch), batch


def test_far_larger_galleries_want_an_index():
    batch, _ = planned(Size(rows=10_000_000, dimension=128)).verdicts
    assert "hnsw is faster" in batch or "hnsw is probably faster" in batch


def test_what_does_not_fit_is_not_recommended():
    size = Size(rows=10_000_000, dimension=128, text_bytes=60)
    found = planned(size, max_memory=4 * 2**30)
    assert "hnsw" in names(found.left_out) and all(" ivf is" in verdict for verdict in found.verdicts)


def test_settings_of_a_size_that_a_kind_cannot_have(monkeypatch):
    found = planned(Size(rows=10, dimension=7))
    assert set(names(found.fitting)) | set(names(found.left_out)) == {each.name for each in buildable()}


def test_the_size_of_a_store(built, tmp_path):
    size, modality = store_size(built, None)
    assert (size.rows, size.dimension, modality) == (60, 16, "face")
    assert store_size(built, "voice", "test")[0].rows == 30
    with pytest.raises(ArtefactError, match="no face rows with split=nosuch"):
        store_size(built, "face", "nosuch")
    with pytest.raises(ArtefactError):
        store_size(Workspace(folder=tmp_path / "empty"), None)


def test_texts_of_a_store_are_counted(built):
    from vfsearch.index.backends import open_index

    size, _ = store_size(built, "face")
    gallery = open_index(built.index_folder("face")).gallery
    columns = [gallery.ids, gallery.identities, *gallery.columns.values()]
    true = sum(8 * len(column) + sum(map(len, column)) for column in columns) / len(gallery.ids)
    assert size.text_bytes == pytest.approx(true, rel=0.05)


def test_json():
    document = json.loads(json.dumps(planned(max_memory=2**40).to_json()))
    first = document["indices"][0]
    assert first["preset"] == "exact" and first["expected"]["recall"] == [1.0, 1.0]
    assert first["costs"]["disk"] > SIZE.vector_bytes and document["floors"]["threads"] == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"min_recall": 1.5}, "least recall is 1.5"), ({"max_latency_seconds": 0}, "it must be above 0"),
     ({"max_memory": 0}, "most memory is 0 bytes")],
)  # fmt: skip
def test_settings_check_themselves(settings, message):
    with pytest.raises(SettingsError, match=message):
        PlanSettings(**settings)


def test_reasons_of_memory():
    costs = Costs(disk=0, memory=2**30, mapped=2**40, build=0)
    assert memory_reason(costs, None) == memory_reason(None, 1) == memory_reason(costs, 2**31) == ""
    for most, said in ((2**30, "1.00 GiB"), (3 * 2**19, "1.5 MiB"), (10 * 2**10, "10.0 KiB")):
        assert memory_reason(costs, most).endswith(f"searches want 1.34 GiB of memory, {said} are allowed")


def test_floors_of_this_machine():
    from vfsearch.devices import threads
    from vfsearch.pipeline.calibration import floors_here

    found = floors_here()
    assert min(vars(found).values()) > 0 and found.threads == threads()
