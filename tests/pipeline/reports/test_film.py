import errno
import os

import av
import pytest
from builders import write_media

from vfsearch.errors import VfsearchError
from vfsearch.pipeline.query import QuerySettings, query
from vfsearch.pipeline.reports import film as report_film
from vfsearch.pipeline.reports.make import ReportSettings, make_report

FILM = ReportSettings(parts=("video",), probes=2, workers=0)


@pytest.fixture
def place(built):
    for probe, gallery, name in (("voice", "face", "v2f"), ("face", "voice", "f2v")):
        query(built, QuerySettings(probe=probe, gallery=gallery, n=(2,), k=4), name=name)
    write_media(built)
    return built


def titles(path):
    with av.open(str(path)) as container:
        return [chapter["metadata"]["title"] for chapter in container.chapters()]


def film(place, folder, **more):
    return make_report(place, ["v2f", "f2v"], folder, ReportSettings(**{**vars(FILM), **more}))


def test_voices_over_faces(place, tmp_path):
    made = film(place, tmp_path / "r")
    assert [path.name for path in made.files] == ["answers-v2f.mp4"] and made.unseen == {}
    assert len(titles(made.files[0])) == 2 and all(title.startswith("v/") for title in titles(made.files[0]))


def test_redacted_it_names_nobody(place, tmp_path):
    made = film(place, tmp_path / "r", redact=True)
    assert titles(made.files[0]) == ["probe 1", "probe 2"]
    data = made.files[0].read_bytes()
    assert not any(item.id.encode() in data for item in place.read_manifest())


def test_a_clip_that_cannot_be_decoded_is_left_out_and_named(place, tmp_path):
    shown = titles(film(place, tmp_path / "r").files[0])
    manifest = place.read_manifest()
    bad = next(item for item in manifest if item.id == shown[0])
    manifest.media_path(bad).write_bytes(b"no clip")
    made = film(place, tmp_path / "r")
    assert titles(made.files[0]) == shown[1:] and list(made.unseen) == shown[:1]
    for item in manifest:
        if item.modality == "voice":
            manifest.media_path(item).write_bytes(b"no clip")
    assert film(place, tmp_path / "n").files == []


def test_a_disk_that_is_full(place, tmp_path, monkeypatch):
    before = film(place, tmp_path / "r").files[0]
    data = before.read_bytes()

    def write(path, scenes):
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(report_film, "write_film", write)
    with pytest.raises(
        VfsearchError, match=r"cannot write .*answers-v2f.mp4: No space left on device; free some space"
    ):
        film(place, tmp_path / "r")
    assert [path.name for path in before.parent.iterdir()] == [before.name] and before.read_bytes() == data
