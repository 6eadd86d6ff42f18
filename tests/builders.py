"""What tests are made of: rows, manifests, workspaces, and ways to compare folders."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

from vfsearch.data.embeddings import Embeddings
from vfsearch.data.failure import FailedItem
from vfsearch.data.shard import Shard
from vfsearch.data.space import Space
from vfsearch.pipeline.decoding import Decoding
from vfsearch.pipeline.encoders import Encoders
from vfsearch.pipeline.workspace import Workspace

LONG = bool(os.environ.get("VFSEARCH_LONG_TESTS"))
ID_HASH = Encoders(voice="id-hash-voice", face="id-hash-face")
ID_HASH_OPTIONS = ("--voice-encoder", "id-hash-voice", "--face-encoder", "id-hash-face", "--device", "cpu", "-q")
IN_PROCESS = Decoding(workers=0)


def rounds(short: int, long: int) -> int:
    """How often to do something at random: `short` usually, `long` with VFSEARCH_LONG_TESTS=1."""
    return long if LONG else short


def unit_rows(n: int, d: int = 8, seed: int = 0) -> np.ndarray:
    """(n, d) float32 unit rows."""
    rows = np.random.default_rng(seed).normal(size=(n, d))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def make_space(name: str = "toy", dimension: int = 8) -> Space:
    """A space of its own for each name."""
    return Space(name=name, fingerprint=hashlib.sha256(name.encode()).hexdigest(), dimension=dimension)


def make_embeddings(
    n: int = 6,
    d: int = 8,
    seed: int = 0,
    modality: str = "voice",
    identities: Sequence[str] = (),
    space: Space | None = None,
    **columns: Sequence[str],
) -> Embeddings:
    """Rows with the ids <modality>-0, ...; without `identities`, two rows an identity."""
    return Embeddings(
        ids=[f"{modality}-{row}" for row in range(n)],
        identities=list(identities) or [f"p{row // 2}" for row in range(n)],
        vectors=unit_rows(n, d, seed),
        modality=modality,
        space=space or make_space(dimension=d),
        columns=columns,
    )


def make_failure(id_: str = "bad", **changes: object) -> FailedItem:
    """An item without a row."""
    usual = {"path": f"{id_}.wav", "modality": "voice", "identity": "p0", "stage": "decode", "reason": "no such file"}
    return FailedItem(id=id_, **{**usual, **changes})


def make_shard(n: int = 6, failures: Sequence[FailedItem] = (), split: str = "", **more: object) -> Shard:
    """A shard of `make_embeddings`."""
    return Shard(embeddings=make_embeddings(n, **more), failures=tuple(failures), split=split)


def write_manifest(
    folder: Path, identities: int = 12, items: int = 5, splits: Sequence[str] = ("train", "test")
) -> Path:
    """A manifest.csv of `items` clips and as many photos a person, split by person; the files do not exist."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["path,modality,identity,split"]
    for person in range(identities):
        for number in range(items):
            end = f"p{person},{splits[person % len(splits)]}"
            lines += [f"v/{person}/{number}.wav,voice,{end}", f"f/{person}/{number}.png,face,{end}"]
    path = folder / "manifest.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def write_media(place: Workspace, seconds: float = 0.5) -> None:
    """The files that a workspace's manifest lists: a tone and a colour of its own each."""
    manifest = place.read_manifest()
    t = np.arange(int(16000 * seconds)) / 16000
    for number, item in enumerate(manifest):
        path = manifest.media_path(item)
        path.parent.mkdir(parents=True, exist_ok=True)
        if item.modality == "voice":
            tone = 0.4 * np.sin(t * (600 + 90 * number)) * (0.3 + np.sin(9 * t) ** 2)
            soundfile.write(path, tone, 16000, format="WAV")
        else:
            Image.new("RGB", (30, 40), (9 * number % 255, 99, 255 - 7 * number % 255)).save(path, format="PNG")


def contents(*folders: Path) -> dict[str, bytes]:
    """Every file in the folders with its bytes."""
    return {
        f"{folder.name}/{path.relative_to(folder)}": path.read_bytes()
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def run_cli(arguments: Iterable[str]) -> int:
    """The exit code of a command, run in this process."""
    from vfsearch_cli.main import run

    return run([str(argument) for argument in arguments])


def start_cli(arguments: Iterable[object], **more: object) -> subprocess.Popen:
    """A command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "vfsearch_cli.main", *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more,
    )  # fmt: skip
