import numpy as np
import pytest
import soundfile
from PIL import Image

from vfsearch.errors import ArtefactError, SettingsError
from vfsearch.pipeline.query import QuerySettings, query
from vfsearch.pipeline.reports.answers import Answers
from vfsearch.pipeline.reports.make import ReportSettings, make_report
from vfsearch.pipeline.reports.runs import reported_runs
from vfsearch.store.store import open_store

FIGURE = ReportSettings(parts=("figure",), probes=2, formats=("png",), workers=0)


@pytest.fixture
def place(built):
    query(built, QuerySettings(probe="voice", gallery="face", n=(2,), k=4), name="v2f")
    return built


@pytest.fixture
def answers(place):
    return Answers(reported_runs(place, ["v2f"])[0], place.read_manifest())


def test_they_are_those_of_the_vectors(place, answers):
    store = open_store(place.store_folder)
    voices, faces = store.load("voice", "test"), store.load("face", "test")
    scores = dict(zip(voices.ids, voices.vectors.astype(float) @ faces.vectors.astype(float).T, strict=True))
    assert len(answers) == len(voices) and [answer.probe.id for answer in answers] == list(voices.ids)
    for answer in answers:
        best = np.sort(scores[answer.probe.id])[::-1][:4]
        assert [hit.score for hit in answer.hits] == pytest.approx(best.tolist(), abs=1e-6)
        for hit in answer.hits:
            assert hit.score == pytest.approx(scores[answer.probe.id][faces.ids.index(hit.item.id)], abs=1e-6)
            assert hit.item.identity == faces.identities[faces.ids.index(hit.item.id)]


def test_places_are_those_of_the_first_mates_and_media_those_of_the_list(place, answers):
    manifest = {item.id: item for item in place.read_manifest()}
    for answer in answers:
        first = next((n for n, hit in enumerate(answer.hits, start=1) if answer.is_mated(hit)), None)
        assert answer.best_place == first or (first is None and answer.best_place > len(answer.hits))
        for item in (answer.probe, *(hit.item for hit in answer.hits)):
            assert item.path == place.read_manifest().media_path(manifest[item.id])
            assert item.columns == manifest[item.id].columns


def test_without_a_list_nothing_is_known_of_the_media(place):
    answer = Answers(reported_runs(place, ["v2f"])[0])[-1]
    assert answer.probe.path is None and answer.hits[0].item.columns == {} and answer.probe.modality == "voice"


def test_some_are_chosen(answers):
    drawn = answers.chosen(3)
    assert drawn == answers.chosen(3) == sorted(set(drawn)) and len(drawn) == 3
    assert answers.chosen(10_000) == list(range(len(answers)))
    ids = [answers[2].probe.id, answers[0].probe.id]
    assert answers.chosen(1, ids=ids) == [2, 0]
    assert answers.chosen(1, ids=["nobody", ids[0]]) == [2]
    with pytest.raises(IndexError):
        answers[len(answers)]


def test_a_figure_of_media_and_of_what_is_missing(place, answers, tmp_path):
    shown = [answers[number] for number in answers.chosen(2)]
    for answer in shown:
        answer.probe.path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(answer.probe.path, np.sin(np.arange(4000)), 16000, format="WAV")
        for hit in answer.hits[1:]:
            hit.item.path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (30, 40), "red").save(hit.item.path, format="PNG")
    drawn = {hit.item.id for answer in shown for hit in answer.hits[1:]}
    made = make_report(place, ["v2f"], tmp_path / "r", FIGURE)
    assert set(made.unseen) == {answer.hits[0].item.id for answer in shown} - drawn
    assert [path.name for path in made.files] == ["answers-v2f.png"]
    hidden = make_report(place, ["v2f"], tmp_path / "h", ReportSettings(**{**vars(FIGURE), "redact": True}))
    assert made.files[0].read_bytes() != hidden.files[0].read_bytes()


def test_a_probe_that_one_run_has_and_one_that_none_has(place, answers, tmp_path):
    query(place, QuerySettings(probe="face", gallery="voice", n=(2,), k=4), name="f2v")
    asked = {**vars(FIGURE), "ids": (answers[0].probe.id,)}
    made = make_report(place, ["v2f", "f2v"], tmp_path / "r", ReportSettings(**asked))
    assert [path.name for path in made.files] == ["answers-v2f.png"]
    with pytest.raises(ArtefactError, match=r"no run has a probe 'nobody' \(.*v2f, .*f2v\); the first of"):
        make_report(place, ["v2f", "f2v"], tmp_path / "n", ReportSettings(**{**asked, "ids": ("nobody",)}))
    assert not (tmp_path / "n").exists()


def test_a_figure_of_nothing():
    with pytest.raises(SettingsError, match="a figure of 0 probes"):
        ReportSettings(probes=0)
