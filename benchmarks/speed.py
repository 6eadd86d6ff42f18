"""How fast media are embedded: each figure beside the encoder's own package, in one run. Kernels: vfsearch bench.

    python benchmarks/speed.py [--device cuda] [--threads 2] [--data ../shared/data/chimera24]

Prints Markdown tables; those that it gave last are in speed.md. Ratios hold, absolute figures depend on the machine.
"""

import argparse
import importlib.util
import sys
import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import torch

from vfsearch.data.manifest import read_manifest
from vfsearch.devices import set_threads, threads
from vfsearch.encoders.catalog import ENCODERS, make_encoder
from vfsearch.media.limits import Limits
from vfsearch.media.preparation import Prepared, Task
from vfsearch.media.workers import PreparationWorkers
from vfsearch.timing import machine

RUNS = 3


def median_seconds(work: Callable[[], object], runs: int = RUNS) -> float:
    """The median time of several runs after a warm-up."""
    work()
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds))


def show(title: str, unit_name: str, rows: list[tuple[str, float]]) -> None:
    """One table; every row beside the first."""
    print(f"\n**{title}**\n\n| | {unit_name} | ratio of ours |\n|---|---|---|")
    for name, rate in rows:
        print(f"| {name} | {rate:,.1f} | {rows[0][1] / rate:.2f} |", flush=True)


def encoding(data: Path, device: str, workers: int, items: int) -> None:
    """Media to rows: the pipeline, and the encoder's own package one item at a time."""
    manifest = read_manifest(data / "manifest.csv")
    for modality, name, own in (("voice", "resemblyzer", resemblyzer_api), ("face", "dlib-resnet", dlib_api)):
        if ENCODERS.entry(name).missing:
            print(f"\n{name} is not installed: left out", file=sys.stderr)
            continue
        paths = [manifest.media_path(item) for item in islice(cycle(manifest.select(modality)), items)]
        encoder = make_encoder(name, device)
        ours = median_seconds(lambda paths=paths, encoder=encoder: _pipeline(encoder, paths, workers), 1)
        rates = [(f"vfsearch, {workers} decoding processes", items / ours)]
        api = own()
        if api is not None:
            few = paths[: items // 4]
            rates.append((f"{name}'s own package, one item at a time", len(few) / median_seconds(
                lambda few=few, api=api: [api(path) for path in few], 1)))  # fmt: skip
        show(f"{name}: {items} items of {data.name}, device {device}", "items/s", rates)


def _pipeline(encoder, paths: list[Path], workers: int, batch: int = 64) -> None:
    with PreparationWorkers(encoder.preparation, Limits(), workers) as pool:
        results = pool.prepare(Task(path=path) for path in paths)
        while samples := [each.sample for each in islice(results, batch) if isinstance(each, Prepared)]:
            encoder.encode(samples)


def resemblyzer_api() -> Callable[[Path], object] | None:
    """The package's own way, where it can be imported (it needs librosa and webrtcvad)."""
    try:
        from resemblyzer import VoiceEncoder, preprocess_wav
    except ImportError:
        return None
    voice = VoiceEncoder("cpu", verbose=False)
    return lambda path: voice.embed_utterance(preprocess_wav(path))


def dlib_api() -> Callable[[Path], object]:
    """dlib's own way: detector, landmarks, descriptor."""
    import dlib
    from PIL import Image

    models = Path(importlib.util.find_spec("face_recognition_models").origin).parent / "models"
    detector = dlib.get_frontal_face_detector()
    landmarks = dlib.shape_predictor(str(models / "shape_predictor_5_face_landmarks.dat"))
    network = dlib.face_recognition_model_v1(str(models / "dlib_face_recognition_resnet_model_v1.dat"))

    def describe(path: Path) -> object:
        photo = np.array(Image.open(path).convert("RGB"))
        faces = detector(photo, 1) or [dlib.rectangle(0, 0, photo.shape[1], photo.shape[0])]
        return network.compute_face_descriptor(photo, landmarks(photo, faces[0]))

    return describe


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=threads())
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/chimera24"))
    parser.add_argument("--items", type=int, default=240)
    options = parser.parse_args()
    set_threads(options.threads)
    facts = {**machine(), "torch": torch.__version__, "numpy": np.__version__, "threads": options.threads}
    if options.device != "cpu":
        facts["gpu"] = torch.cuda.get_device_name(options.device)
    print("; ".join(f"{name} {value}" for name, value in facts.items()))
    if not options.data.exists():
        sys.exit(f"{options.data} is not here: name a folder with a manifest.csv by --data")
    set_threads(max(1, options.threads // 2))
    encoding(options.data, options.device, options.workers, options.items)


if __name__ == "__main__":
    main()
