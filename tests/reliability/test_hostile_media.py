"""An archive with broken, hostile and odd files among good ones: every good one is embedded, every bad one named."""

import csv
import importlib.util
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from builders import rounds
from hostile_files import AUDIO_SECONDS, FACES, NO_FACE, ODD_VOICES, PIXELS, VOICES, odd_faces
from PIL import Image

from vfsearch.corpus.generated import GeneratedCorpus, generate
from vfsearch.media.limits import Limits
from vfsearch.pipeline.decoding import Decoding
from vfsearch.pipeline.embed import embed_manifest
from vfsearch.pipeline.encoders import Encoders
from vfsearch.pipeline.workspace import Workspace

LOOKS_FOR_FACES = bool(importlib.util.find_spec("dlib") and importlib.util.find_spec("face_recognition_models"))
LOCKED = {} if os.geteuid() == 0 else {"locked.wav": (Path.touch, "cannot be opened: Permission denied")}
MOST_BYTES = 2**30


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """A folder with 50 good clips, 50 good photos, odd ones and bad ones; and (path, modality, reason or None)."""
    folder = tmp_path_factory.mktemp("archive")
    generate(folder, GeneratedCorpus(people=10, clips=5, photos=5))
    rows = [(str(path.relative_to(folder)), path.parts[-3], None) for path in sorted(folder.rglob("*.[wp][an][vg]"))]
    assert len(rows) == 100
    face = Image.open(folder / "face/person0000/00.png").convert("RGB")
    for modality, bad, odd in (
        ("voice", {**VOICES, **LOCKED}, ODD_VOICES),
        ("face", {**FACES, **(NO_FACE if LOOKS_FOR_FACES else {})}, odd_faces(face)),
    ):
        place = folder / "odd" / modality
        place.mkdir(parents=True)
        for name, (make, reason) in {**bad, **{name: (make, None) for name, make in odd.items()}}.items():
            make(place / name)
            rows.append((f"odd/{modality}/{name}", modality, reason))
    if LOCKED:
        (folder / "odd/voice/locked.wav").write_bytes(b"RIFF")
        (folder / "odd/voice/locked.wav").chmod(0)
    return folder, rows


def shuffled(folder, rows, seed):
    """A manifest of the rows in another order; parts of clips and times in videos too."""
    order = np.random.default_rng(seed).permutation(len(rows))
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["id", "path", "modality", "identity", "start_seconds", "end_seconds"])
    table.writerows([rows[row][0], *rows[row][:2], f"p{row % 7}", "", ""] for row in order)
    for row, (path, modality, start, end) in enumerate(PARTS):
        table.writerow([f"part{row}", path, modality, "p0", start, end])
    (folder / "manifest.csv").write_bytes(text.getvalue().encode("utf-8", "surrogateescape"))


PARTS = (
    ("voice/person0000/00.wav", "voice", 0.2, 0.9),
    ("odd/voice/apple.wav", "voice", 0.5, 0.9),
    ("odd/face/frame.mp4", "face", 0.5, 0.6),
    ("voice/person0000/00.wav", "voice", 500, 501),
    ("odd/face/frame.mp4", "face", 77, 78),
)
PART_REASONS = {"part3": "the part starts at 500 s, but", "part4": "the frame at 77 s, but the video ends at 1.2 s"}


def embed(folder, store):
    encoders = Encoders(
        voice="plain_encoders:PlainVoice",
        face="plain_encoders:PlainFace",
        face_settings={"aligned": not LOOKS_FOR_FACES},
    )
    limits = Limits(audio_seconds=AUDIO_SECONDS, pixels=PIXELS, decode_seconds=30.0)
    place = Workspace(folder=folder, embeddings=store, features=store.with_name(f"{store.name}-features"))
    return embed_manifest(place, encoders, Decoding(workers=2, limits=limits))


MEASURED = """
import json, resource, sys
from pathlib import Path
sys.path[:0] = json.loads(sys.argv[1])
from memory_peak import peak_bytes
from test_hostile_media import embed
report = embed(Path(sys.argv[2]), Path(sys.argv[3]))
peaks = [peak_bytes(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024]
failed = {item.id: item.reason for item in report.failed}
print(json.dumps({"rows": report.rows, "peaks": peaks, "failed": failed}))
"""


@pytest.mark.parametrize("seed", range(rounds(1, 10)))
def test_every_good_file_is_embedded_and_every_bad_one_named(archive, tmp_path, seed):
    folder, rows = archive
    shuffled(folder, rows, seed)
    search_path = json.dumps([str(Path(__file__).parent), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, search_path, folder, tmp_path / "store"],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    wanted = {path: reason for path, _, reason in rows if reason is not None} | PART_REASONS
    assert len(wanted) - len(PART_REASONS) >= 25
    assert set(report["failed"]) == set(wanted)
    wrong = {path: found for path, found in report["failed"].items() if not found.startswith(wanted[path])}
    assert not wrong
    assert not [reason for reason in report["failed"].values() if "\n" in reason or not reason]
    good = len(rows) + len(PARTS) - len(wanted)
    assert sum(report["rows"].values()) == good >= 100
    assert max(report["peaks"]) < MOST_BYTES
    _every_name_is_in_the_list(tmp_path / "store" / "failures.csv", wanted)


def _every_name_is_in_the_list(path, wanted):
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    found = {row["id"] for row in csv.DictReader(io.StringIO(text, newline=""))}
    assert found == set(wanted)
    assert b"missing-\xff\xfe.wav" in path.read_bytes()
    assert any("\n" in name for name in found)
