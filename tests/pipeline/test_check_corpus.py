import os

import numpy as np
import pytest
import soundfile
from PIL import Image

from vfsearch.media.limits import Limits
from vfsearch.pipeline.check_corpus import check_corpus
from vfsearch.pipeline.decoding import Decoding
from vfsearch.pipeline.workspace import Workspace


@pytest.fixture
def place(tmp_path):
    """Good and bad files of both modalities."""
    tone = np.sin(np.arange(16_000) / 9) / 2
    soundfile.write(tmp_path / "good.wav", tone, 16_000)
    soundfile.write(tmp_path / "late.flac", np.concatenate([tone, tone]), 16_000)
    data = (tmp_path / "late.flac").read_bytes()
    (tmp_path / "late.flac").write_bytes(data[: len(data) // 2])
    (tmp_path / "cut.wav").write_bytes((tmp_path / "good.wav").read_bytes()[:9000])
    soundfile.write(tmp_path / "silent.wav", np.zeros(16_000), 16_000)
    (tmp_path / "text.wav").write_text("no audio")
    os.mkfifo(tmp_path / "pipe.wav")
    Image.new("RGB", (40, 30), "red").save(tmp_path / "good.png")
    (tmp_path / "half.png").write_bytes((tmp_path / "good.png").read_bytes()[:60])
    Image.new("L", (400, 300)).save(tmp_path / "large.png")
    names = ["good.wav", "late.flac", "cut.wav", "silent.wav", "text.wav", "pipe.wav", "none.wav",
             "good.png", "half.png", "large.png"]  # fmt: skip
    rows = [f"{name},{'face' if name.endswith('png') else 'voice'},p" for name in names]
    (tmp_path / "manifest.csv").write_text("\n".join(["path,modality,identity", *rows]) + "\n")
    return Workspace(folder=tmp_path)


SHALLOW = {
    "cut.wav": "truncated: 9,000 bytes of 32,044", "text.wav": "not audio that can be decoded: Format not recognised",
    "pipe.wav": "is a pipe, a socket or a device, not a regular file", "none.wav": "no such file",
    "large.png": "400 x 300 pixels, more than the limit of 5,000",
}  # fmt: skip


@pytest.mark.parametrize("workers", [0, 2])
def test_headers_and_a_moment(place, workers):
    found = check_corpus(place, decoding=Decoding(workers=workers, limits=Limits(pixels=5000)))
    assert {item.path: item.reason.rstrip(".") for item in found.failed} == SHALLOW
    assert found.items == {"voice": 7, "face": 3} and found.pixels == (1200, 1200)
    assert found.audio_seconds == pytest.approx(4.0) and found.media_bytes["voice"] > 80_000
    assert ("voice", "no such file", 1, "none.wav") in found.reasons()


def test_everything_decoded(place, tmp_path):
    decoding = Decoding(workers=0, limits=Limits(pixels=5000))
    found = check_corpus(place, deep=True, decoding=decoding, report=tmp_path / "bad.csv")
    reasons = {item.path: item.reason for item in found.failed}
    assert set(reasons) == {*SHALLOW, "late.flac", "silent.wav", "half.png"}
    assert reasons["silent.wav"] == "silent: every sample is zero"
    assert found.audio_seconds == pytest.approx(1.0)
    lines = (tmp_path / "bad.csv").read_text().splitlines()
    assert lines[0] == "id,path,modality,identity,stage,reason" and len(lines) == 9


def test_remarks_on_the_list(tmp_path):
    rows = ["a.wav,voice,A,train", "a.wav,voice,A,test", "b.png,face,B,test"]
    (tmp_path / "manifest.csv").write_text("\n".join(["path,modality,identity,split", rows[0], rows[2]]) + "\n")
    assert check_corpus(Workspace(folder=tmp_path), decoding=Decoding(workers=0)).remarks == {}
    numbered = [f"{number},{row}" for number, row in enumerate([*rows, "c.png,face,A,test"])]
    (tmp_path / "manifest.csv").write_text("\n".join(["id,path,modality,identity,split", *numbered]) + "\n")
    assert check_corpus(Workspace(folder=tmp_path), decoding=Decoding(workers=0)).remarks == {
        "people without a voice": 1, "people in more than one split": 1,
        "items that list the same part of a file again": 1,
    }  # fmt: skip
