import json

import numpy as np
import pytest
from partial_index import BACKEND

from vfsearch.errors import ArtefactError, DoesNotFitError, SettingsError, SpaceMismatchError, UnknownNameError
from vfsearch.index.backends import open_index
from vfsearch.index.layout import read_index_artefact
from vfsearch.index.targets import parse_target
from vfsearch.index.tuning import Goal
from vfsearch.pipeline.index import IndexRequest, build_indices
from vfsearch.pipeline.tune_index import TuneSettings, index_named, tune_index
from vfsearch.pipeline.tune_presets import chosen_presets, tune_presets
from vfsearch.store.store import open_store

NAME = "face-partial"


def wanted(*targets: str, **more) -> TuneSettings:
    return TuneSettings(goal=Goal(targets=tuple(map(parse_target, targets))), **more)


@pytest.fixture
def partial(built):
    """The faces are in an index too that looks at a part of its rows."""
    build_indices(built, ["face"], [IndexRequest(preset=BACKEND, name=NAME)])
    return built


def test_the_setting_is_found_saved_and_used(partial):
    found = tune_index(partial, NAME, wanted("R@3>=0.5"))
    assert (found.backend, found.modality, found.probe, found.rows) == (BACKEND, "face", "voice", 60)
    assert found.split == "train" and sum(found.counts) == 30
    about = read_index_artefact(partial.index_folder(NAME)).about
    assert about["search"] == found.tuned.chosen.settings == open_index(partial.index_folder(NAME)).settings
    record = about["tuned"]
    assert record["targets"] == ["R@3>=0.5"] and record["store"] == open_store(partial.store_folder).digest
    assert record["chosen"]["settings"] == about["search"] and record["seed"] == 1 and record["machine"]["threads"]
    assert record["probes_tuning"] + record["probes_checking"] == 30 and record["split"] == "train"
    assert found.loss.quantisation == 0 and record["loss"]["total"] == found.loss.total
    assert found.misled is not None and found.saved
    json.dumps(found.to_json(), allow_nan=False)


def test_a_dry_run_leaves_everything_as_it_is(partial):
    before = (partial.index_folder(NAME) / "MANIFEST.json").read_bytes()
    assert not tune_index(partial, NAME, wanted("R@3>=0.5"), save=False).saved
    assert (partial.index_folder(NAME) / "MANIFEST.json").read_bytes() == before


def test_an_exact_index_is_not_written_to(built):
    before = (built.index_folder("face") / "MANIFEST.json").read_bytes()
    found = tune_index(built, "face", wanted("R@3>=1"))
    assert not found.saved and found.misled is None and found.tuned.chosen.recall.value == 1
    assert (built.index_folder("face") / "MANIFEST.json").read_bytes() == before


def test_probes_of_the_same_modality_do_not_find_themselves(partial):
    found = tune_index(partial, NAME, wanted("R@3>=1", "acc@1>=1*exact", probe="face", split="all"), save=False)
    assert found.probe == "face" and found.misled is None
    assert found.tuned.chosen.settings == {"looked": 100}
    # With itself left out the best of 59 rows is somebody's; the exact figure is that of a plain loop.
    rows = open_store(partial.store_folder).load("face")
    scores = rows.vectors.astype(float) @ rows.vectors.T
    np.fill_diagonal(scores, -np.inf)
    assert found.tuned.chosen.shares["acc@1"].value == 1.0 and (scores.argmax(axis=1) != np.arange(60)).all()


def test_figures_of_the_end_task_are_targets(partial):
    found = tune_index(partial, NAME, wanted("mAP@5>=0.6*exact"), save=False)
    assert found.tuned.tuning["mAP@5"].floor >= 0.6
    assert set(found.tuned.chosen.shares) == {"R@5", "mAP@5"}


def test_a_figure_that_nobody_has_is_no_target(built):
    # Faces of people who are in the split test alone; the probes are of the others.
    build_indices(built, ["face"], [IndexRequest(preset=BACKEND, name=NAME)], split="test")
    with pytest.raises(SettingsError, match=r"none finds its identity among the 5 exact neighbours .* mAP@5 cannot"):
        tune_index(built, NAME, wanted("mAP@5>=0.5*exact"))


def test_what_cannot_be_reached(partial):
    with pytest.raises(DoesNotFitError, match="within 1e-06 ms"):
        goal = Goal(targets=(parse_target("R@1>=0.1"),), max_latency_seconds=1e-9)
        tune_index(partial, NAME, TuneSettings(goal=goal))
    assert read_index_artefact(partial.index_folder(NAME)).about["tuned"] is None


def test_an_index_is_named_or_pointed_at(partial):
    folder = partial.index_folder(NAME)
    assert index_named(partial, NAME) == folder == index_named(partial, str(folder))
    with pytest.raises(ArtefactError, match=r"no index is named 'other' in .*: there are face, face-partial, voice"):
        index_named(partial, "other")


def test_probes_of_another_space_are_refused(partial):
    artefact = read_index_artefact(partial.index_folder(NAME))
    artefact.about["space"]["fingerprint"] = "0" * 64
    artefact.write()
    with pytest.raises(SpaceMismatchError, match=r"the voice probes of .* is in the space"):
        tune_index(partial, NAME, wanted("R@3>=0.5"))


@pytest.mark.parametrize(
    ("more", "message"),
    [({"probe": "text"}, "must be voice or face"), ({"probes": 0}, "want probes >= 1"), ({"seed": -1}, "seed >= 0")],
)
def test_settings_out_of_range(more, message):
    with pytest.raises(SettingsError, match=message):
        wanted("R@3>=0.5", **more)


def test_several_kinds_are_built_tuned_and_ranked(built):
    found = tune_presets(built, "face", [BACKEND], wanted("R@3>=0.5"))
    assert {each.preset for each in found.tunings} == {"exact", BACKEND} and not found.left_out
    assert set(found.speeds) == {each.folder for each in found.tunings}
    costs = [found.fastest.tuned.goal.cost(found.speeds[each.folder]) for each in found.tunings]
    assert costs == sorted(costs)
    exact = next(each for each in found.tunings if each.preset == "exact")
    assert found.gain(exact) == 1.0 and not exact.saved
    told = found.to_json()
    assert told["exact_is_fastest"] == (found.fastest.preset == "exact") and len(told["indices"]) == 2
    json.dumps(told, allow_nan=False)


def test_kinds_that_cannot_reach_it_are_left_out_with_the_reason(built, monkeypatch):
    monkeypatch.setattr("partial_index.PartialIndex._nearest", lambda self, queries, k: _nothing(queries, k))
    found = tune_presets(built, "face", [BACKEND], wanted("R@3>=0.5"))
    assert [each.preset for each in found.tunings] == ["exact"]
    assert "no setting of the index" in found.left_out[BACKEND]


def _nothing(queries, k):
    return np.full((len(queries), k), -1), np.full((len(queries), k), -np.inf)


def test_the_exact_engine_is_always_asked():
    assert chosen_presets(["exact", BACKEND, "exact"], "cpu") == ["exact", BACKEND]
    every = chosen_presets(["all"], "cpu")
    assert every[0] == "exact" and {"ivf-pq", "hnsw"} <= set(every) and "gpu-flat" not in every
    with pytest.raises(UnknownNameError, match="no kind of index is named 'quantum'"):
        chosen_presets(["quantum"], "cpu")
