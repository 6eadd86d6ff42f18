"""How fast: each figure beside another way to do the same and beside the floor, in one run.

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
from vfsearch.kernels.ranks import mate_ranks
from vfsearch.kernels.topk import topk
from vfsearch.measure.ranking import average_precision
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


def unit(count: int, seed: int, dimension: int = 128) -> np.ndarray:
    """(count, dimension) float32 unit rows."""
    rows = np.random.default_rng(seed).standard_normal((count, dimension), dtype=np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def show(title: str, unit_name: str, rows: list[tuple[str, float]]) -> None:
    """One table; every row beside the first."""
    print(f"\n**{title}**\n\n| | {unit_name} | ratio of ours |\n|---|---|---|")
    for name, rate in rows:
        print(f"| {name} | {rate:,.1f} | {rows[0][1] / rate:.2f} |", flush=True)


def exact_topk(device: str, threads: int, count: int, rows: int, k: int = 10) -> None:
    """Top-k of a gallery: ours, faiss, and the float32 product alone."""
    queries, vectors = unit(count, 1), unit(rows, 2)
    on_device = [torch.as_tensor(each).to(device) for each in (queries, vectors)]
    found = [("vfsearch topk", lambda: topk(queries, vectors, k, device=device))]
    if importlib.util.find_spec("faiss"):
        import faiss

        faiss.omp_set_num_threads(threads)
        index = faiss.IndexFlatIP(queries.shape[1])
        index.add(vectors)
        found.append(("faiss-cpu IndexFlatIP", lambda: index.search(queries, k)))
    found.append(("float32 product alone (floor)", lambda: on_device[0] @ on_device[1].T))
    rates = [(name, count / median_seconds(work)) for name, work in found]
    show(f"Top {k} of {rows:,} rows for {count:,} probes, device {device}", "probes/s", rates)


def retrieval(device: str, probes: int, rows: int, identities: int = 189) -> None:
    """AP of every probe in a full gallery: ours, a sort for each probe, and the float32 product alone."""
    queries, vectors = unit(probes, 3), unit(rows, 4)
    random = np.random.default_rng(5)
    of_queries, of_vectors = (random.integers(0, identities, size) for size in (probes, rows))
    sample = 100

    def by_sorting() -> list[float]:
        found = []
        for query, identity in zip(queries[:sample], of_queries[:sample], strict=True):
            order = np.argsort(-(vectors @ query), kind="stable")
            hits = np.flatnonzero(of_vectors[order] == identity)
            found.append(float(np.mean(np.arange(1, len(hits) + 1) / (hits + 1))))
        return found

    on_device = [torch.as_tensor(each).to(device) for each in (queries, vectors)]
    ours = median_seconds(
        lambda: average_precision(mate_ranks(queries, vectors, of_queries, of_vectors, device=device)), 1
    )
    rates = [
        ("vfsearch mate_ranks and AP", probes / ours),
        ("argsort of each probe's scores (numpy)", sample / median_seconds(by_sorting, 1)),
        ("float32 product alone (floor)", probes / median_seconds(lambda: on_device[0] @ on_device[1].T, 1)),
    ]
    show(f"Full-gallery retrieval, {probes:,} × {rows:,}, device {device}", "probes/s", rates)


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
    parser.add_argument("--probes", type=int, default=2048)
    parser.add_argument("--rows", type=int, default=100_000)
    options = parser.parse_args()
    set_threads(options.threads)
    facts = {**machine(), "torch": torch.__version__, "numpy": np.__version__, "threads": options.threads}
    if options.device != "cpu":
        facts["gpu"] = torch.cuda.get_device_name(options.device)
    print("; ".join(f"{name} {value}" for name, value in facts.items()))
    exact_topk(options.device, options.threads, options.probes, options.rows)
    retrieval(options.device, options.probes, 20_076)
    if options.data.exists():
        set_threads(max(1, options.threads // 2))
        encoding(options.data, options.device, options.workers, options.items)


if __name__ == "__main__":
    main()
