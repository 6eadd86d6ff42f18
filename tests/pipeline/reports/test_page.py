import errno
import json
import os
import re

import pytest
from builders import write_media

from vfsearch import files
from vfsearch.errors import InputError, VfsearchError
from vfsearch.pipeline.query import QuerySettings, query
from vfsearch.pipeline.reports import page as report_page
from vfsearch.pipeline.reports.answers import Answers
from vfsearch.pipeline.reports.make import ReportSettings, make_report
from vfsearch.pipeline.reports.page_media import PageMedia
from vfsearch.pipeline.reports.runs import reported_runs
from vfsearch.pipeline.workspace import Workspace

PAGE = ReportSettings(parts=("page",), workers=0)


@pytest.fixture
def place(built):
    for probe, gallery, name in (("voice", "face", "v2f"), ("face", "voice", "f2v")):
        query(built, QuerySettings(probe=probe, gallery=gallery, n=(2, 3), k=12), name=name)
    write_media(built)
    return built


def page(place, folder, *runs, **more):
    made = make_report(place, runs or ["f2v", "v2f"], folder, ReportSettings(**{**vars(PAGE), **more}))
    text = made.files[0].read_text()
    held = dict(re.findall(r'<script type="application/json" id="(\w+)">(.*?)</script>', text))
    return made, text, json.loads(held["data"]), json.loads(held["media"])


def test_it_shows_the_answers_of_the_runs(place, tmp_path):
    made, _, data, media = page(place, tmp_path / "r")
    assert made.files == [tmp_path / "r/index.html"] and made.unseen == {}
    assert [(each["name"], each["probe"]) for each in data["searches"]] == [("v2f", "voice"), ("f2v", "face")]
    answers = Answers(reported_runs(place, ["v2f"])[0], place.read_manifest())
    items = data["items"]
    for shown, answer in zip(data["searches"][0]["answers"], answers, strict=True):
        assert items[shown[0]]["name"] == answer.probe.id and items[shown[0]]["traits"] == dict(answer.probe.columns)
        assert [items[hit]["name"] for hit in shown[2]] == [hit.item.id for hit in answer.hits[:10]]
        assert shown[3] == pytest.approx([hit.score for hit in answer.hits[:10]], abs=1e-5)
    assert len(items) == len({item["name"] for item in items}) and {item["media"] for item in items} == set(media)
    clips = [item for item in items if item["modality"] == "voice"]
    assert all(len(item["outline"]) == 80 and max(item["outline"]) == 63 and item["seconds"] == 0.5 for item in clips)
    assert [plot["name"] for plot in data["plots"]][:2] == ["roc-voice-to-face", "det-voice-to-face"]


def test_the_same_bytes_twice(place, tmp_path):
    first, second = (page(place, tmp_path / name)[0].files[0].read_bytes() for name in ("a", "b"))
    assert first == second


def test_large_media_stand_beside_it_and_those_of_an_earlier_page_go(place, tmp_path, monkeypatch):
    monkeypatch.setattr(report_page.PageMedia.__init__, "__defaults__", (20_000,))
    made, _, data, media = page(place, tmp_path / "r")
    beside = tmp_path / "r/media"
    assert media is None and made.files == [tmp_path / "r/index.html", beside]
    assert {path.name for path in beside.iterdir()} == {item["media"] for item in data["items"]}
    (beside / "notes.txt").write_text("mine")
    fewer = page(place, tmp_path / "r", "v2f", page_probes=1)[2]
    assert {path.name for path in beside.iterdir()} - {"notes.txt"} <= {item["media"] for item in fewer["items"]}
    monkeypatch.undo()
    assert page(place, tmp_path / "r")[3] and [path.name for path in beside.iterdir()] == ["notes.txt"]
    (beside / "notes.txt").unlink()
    page(place, tmp_path / "r")
    assert not beside.exists()


def test_redacted_it_names_nobody(place, tmp_path):
    _, text, data, _ = page(place, tmp_path / "r", redact=True)
    for item in place.read_manifest():
        assert item.id not in text and f'"{item.identity}"' not in text
    names = {item["name"] for item in data["items"]}
    assert {"clip 1", "photo 1"} < names and {item["identity"] for item in data["items"]} >= {"person 1", "person 2"}
    plain = page(place, tmp_path / "p")[2]
    people = [[item["identity"] for item in each["items"]] for each in (plain, data)]
    assert len(set(zip(*people, strict=True))) == len(set(people[0])) == len(set(people[1]))
    assert all(set(item["traits"]) <= {"gender", "nationality", "age", "source"} for item in data["items"])


def test_some_probes_are_drawn_and_the_named_are_among_them(place, tmp_path):
    answers = Answers(reported_runs(place, ["v2f"])[0])
    named = answers[len(answers) - 1].probe.id
    for seed in (1, 2, 3):
        data = page(place, tmp_path / "r", "v2f", page_probes=2, ids=(named,), seed=seed)[2]
        shown = [data["items"][each[0]]["name"] for each in data["searches"][0]["answers"]]
        assert shown[-1] == named and len(shown) in (2, 3) and data["searches"][0]["total"] == len(answers)


def test_what_cannot_be_decoded_is_said_and_shown_without(place, tmp_path):
    manifest = place.read_manifest()
    answers = Answers(reported_runs(place, ["v2f"])[0], manifest)
    answers[0].probe.path.write_bytes(b"no clip")
    made, _, data, _ = page(place, tmp_path / "r", "v2f")
    assert list(made.unseen) == [answers[0].probe.id]
    assert [item["name"] for item in data["items"] if not item["media"]] == [answers[0].probe.id]


def test_without_a_manifest_there_are_answers_without_media(place, tmp_path):
    place.manifest_path.unlink()
    made, _, data, media = page(place, tmp_path / "r")
    assert media == {} and len(made.unseen) == len(data["items"]) > 0
    assert not any(search["answers"] == [] for search in data["searches"])


def test_a_manifest_that_was_named_must_be_there(place, tmp_path):
    elsewhere = Workspace(folder=place.folder, manifest=tmp_path / "none.csv")
    with pytest.raises(InputError, match=r"no manifest at .*none\.csv"):
        make_report(elsewhere, ["v2f"], tmp_path / "r", PAGE)
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("beside", [False, True])
def test_a_disk_that_is_full_leaves_the_page_that_was(place, tmp_path, monkeypatch, beside):
    before = page(place, tmp_path / "r", "v2f")[0].files[0]
    data = before.read_bytes()
    if beside:
        monkeypatch.setattr(report_page.PageMedia.__init__, "__defaults__", (0,))

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "fdopen" if beside else "write", full)
    with pytest.raises(VfsearchError, match="No space left on device; free some space and run it again"):
        page(place, tmp_path / "r", "v2f", redact=True)
    monkeypatch.undo()
    assert before.read_bytes() == data
    assert not [path for path in (tmp_path / "r").rglob("*") if path.name.startswith(".")]


def test_equal_media_are_kept_once(tmp_path):
    media = PageMedia(tmp_path, most_inside_bytes=5)
    names = [media.put(data, "jpg") for data in (b"abc", b"abc", b"xyz", b"abc")]
    assert names[0] == names[1] == names[3] != names[2] and media.are_beside and media.inside() is None
    assert {path.read_bytes() for path in (tmp_path / "media").iterdir()} == {b"abc", b"xyz"}
