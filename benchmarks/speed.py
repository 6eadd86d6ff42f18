"""How fast media are embedded, beside the encoders' own packages, a plain loop, and the floor; kernels: vfsearch bench.

    python benchmarks/speed.py [--device cuda] [--threads 2] [--data ../shared/data/chimera24] [--items 480]

Prints Markdown tables; those that it gave last are in speed.md. Ratios hold, absolute figures depend on the machine.
Every way is given the same files and all the cores; cosines are those of its rows to ours. The floor is the time that
the cores need to decode, and nothing else, and for the products of the network at the best rate of products and
convolutions of the same precision, all measured in the same run. Photos in which dlib finds no face have no cosine:
its own package gives none.
"""

import argparse
import importlib.util
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from vfsearch.data.manifest import Manifest, read_manifest
from vfsearch.devices import set_threads, threads
from vfsearch.embed.plan import plan_parts
from vfsearch.embed.run import embed_parts
from vfsearch.encoders.base import Encoder
from vfsearch.encoders.catalog import ENCODERS, make_encoder
from vfsearch.encoders.inference import network_outputs
from vfsearch.media.limits import Limits
from vfsearch.media.preparation import Task, attempt
from vfsearch.media.workers import PreparationWorkers
from vfsearch.networks.catalog import make_network
from vfsearch.pipeline.decoding import Decoding
from vfsearch.pipeline.encoding import Encoding
from vfsearch.pipeline.engine import preparing
from vfsearch.timing import machine

RUNS = 3
LSTM_FLOP_A_WINDOW = 160 * 2 * 4 * 256 * ((40 + 256) + 2 * (256 + 256)) + 2 * 256 * 256
"""Of Resemblyzer's network: 160 frames, three layers of 256; torch's counter passes LSTMs over."""
COLUMNS = "| | items/s | ratio of ours | least cosine |\n|---|---|---|---|"


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to rows.

    Args:
        name: of it.
        rate: items a second.
        rows: (n, d) unit rows of the first n items; None: a floor has none.
    """

    name: str
    rate: float
    rows: np.ndarray | None = None


class Rows:
    """A writer that keeps the rows."""

    def __init__(self) -> None:
        self.shards = []

    def holds(self, part: str) -> bool:
        """Never."""
        return False

    def add(self, part: str, shard) -> None:
        """Keep it."""
        self.shards.append(shard.embeddings.vectors)

    @property
    def rows(self) -> np.ndarray:
        """(n, d) so far."""
        return np.concatenate(self.shards)


def show(title: str, ours: Way, others: list[Way]) -> None:
    """One table; every row beside the first."""
    print(f"\n**{title}**\n\n{COLUMNS}\n| {ours.name} | {ours.rate:,.1f} | 1.00 | |", flush=True)
    for way in others:
        cosine = ""
        if way.rows is not None:
            n = len(way.rows)
            cosine = f"{np.nanmin(np.einsum('nd,nd->n', ours.rows[:n].astype(np.float64), way.rows)):.6f}"
        print(f"| {way.name} | {way.rate:,.1f} | {ours.rate / way.rate:.2f} | {cosine} |", flush=True)


def pipeline(name: str, encoder: Encoder, manifest: Manifest, settings: Encoding, workers: int) -> Way:
    """Ours: decoding processes, batches, threads; the best of several runs once everything is loaded."""
    parts, rates = plan_parts(manifest, {encoder.modality: encoder.space}), []
    with (
        preparing(encoder, manifest.folder, Decoding(workers=workers)) as prepare,
        settings.running(encoder) as running,
    ):
        for _ in range(1 + RUNS):
            writer = Rows()
            rates.append((lambda meter: meter.items / meter.seconds)(
                embed_parts(parts, encoder, prepare, writer, running)))  # fmt: skip
    return Way(name=name, rate=max(rates[1:]), rows=writer.rows)


def one_by_one(name: str, embed: Callable[[Path], np.ndarray], paths: list[Path]) -> Way:
    """A loop over files; the best of several runs."""
    embed(paths[0])
    seconds, rows = [], []
    for _ in range(RUNS):
        start = time.perf_counter()
        rows = [embed(path) for path in paths]
        seconds.append(time.perf_counter() - start)
    vectors = np.stack(rows).astype(np.float64)
    return Way(name=name, rate=len(paths) / min(seconds), rows=vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def floor(encoder: Encoder, paths: list[Path], flop: float, precision: str, device: str) -> Way:
    """Decoding alone, and the products alone, on all cores."""
    tasks = [Task(path=path) for path in paths]
    with PreparationWorkers(encoder.preparation, Limits(), threads()) as workers:
        list(workers.prepare(tasks))
        start = time.perf_counter()
        list(workers.prepare(tasks))
        decoding = (time.perf_counter() - start) / len(paths)
    products = flop / matrix_rate(precision, device)
    seconds = max(decoding, products) if device != "cpu" else decoding + products
    return Way(name=f"floor: {decoding * 1e3:.2f} ms to decode, {products * 1e3:.2f} ms of products", rate=1 / seconds)


def matrix_rate(precision: str, device: str) -> float:
    """Operations a second: the best of a matrix product and a convolution, on a CPU one of them on each core."""
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]
    left = torch.randn(1024, 1024, device=device).to(dtype)
    maps = torch.randn(8, 256, 28, 28, device=device).to(dtype).to(memory_format=torch.channels_last)
    filters = torch.randn(256, 256, 3, 3, device=device).to(dtype).to(memory_format=torch.channels_last)
    product = _rate(lambda: left @ left, 2 * 1024**3, device)
    convolution = _rate(
        lambda: torch.nn.functional.conv2d(maps, filters, padding=1), 2 * 9 * 256**2 * 8 * 28**2, device
    )  # fmt: skip
    set_threads(threads())
    return max(product, convolution)


def _rate(work: Callable[[], object], operations: float, device: str) -> float:
    def repeated_work(_=None) -> None:
        torch.set_num_threads(1)
        with torch.inference_mode():
            for _ in range(20):
                work()
        if device != "cpu":
            torch.cuda.synchronize()

    best, at_once = 1e9, threads() if device == "cpu" else 1
    with ThreadPoolExecutor(at_once) as pool:
        for _ in range(5):
            start = time.perf_counter()
            list(pool.map(repeated_work, range(at_once)))
            best = min(best, time.perf_counter() - start)
    return at_once * 20 * operations / best


def frozen(options: argparse.Namespace) -> None:
    """The frozen encoders beside their own packages."""
    listed = read_manifest(options.data / "manifest.csv")
    for modality, name, own in (("voice", "resemblyzer", resemblyzer_api), ("face", "dlib-resnet", dlib_api)):
        if ENCODERS.entry(name).missing:
            print(f"\n{name} is not installed: left out", file=sys.stderr)
            continue
        manifest, encoder = repeated(listed, modality, options.items), make_encoder(name, options.device)
        paths = [manifest.media_path(item) for item in manifest]
        ours = pipeline(f"vfsearch, {options.workers} decoding processes", encoder, manifest,
                        Encoding(device=options.device), options.workers)  # fmt: skip
        others, api = [], own()
        if api is not None:
            few = paths[: max(32, options.items // 8)]
            others.append(one_by_one(f"{name}'s own package, one item at a time", api, few))
        others.append(floor(encoder, paths[:64], flop_of(encoder, paths), "fp32", options.device))
        show(f"{name}: {options.items} items of {options.data.name}, device {options.device}", ours, others)


def flop_of(encoder: Encoder, paths: list[Path]) -> float:
    """Operations of the network for an item, on the average of a few."""
    samples = [attempt(encoder.preparation, Task(path=path), Limits()).sample for path in paths[:16]]
    if encoder.name == "resemblyzer":
        return float(np.mean([1 + (len(sample) - 160) // 77 for sample in samples])) * LSTM_FLOP_A_WINDOW
    with FlopCounterMode(display=False) as counter:
        encoder.encode(samples)
    return counter.get_total_flops() / len(samples)


def networks(options: argparse.Namespace) -> None:
    """The networks of METHOD, with weights that are drawn, beside a plain loop in float32."""
    listed = read_manifest(options.data / "manifest.csv")
    precision = "bf16" if options.device == "cpu" or torch.cuda.is_bf16_supported() else "fp32"
    with TemporaryDirectory() as folder:
        for modality, name in (("face", "ir50"), ("face", "ir_se50"), ("voice", "thin-resnet34")):
            weights, network = drawn(name, Path(folder), options.device)
            settings = {"aligned": True} if modality == "face" else {}
            encoder = make_encoder(name, options.device, weights=str(weights), **settings)
            manifest = repeated(listed, modality, max(64, options.items // 3))
            paths = [manifest.media_path(item) for item in manifest]
            plain = one_by_one("a plain loop, float32, one item at a time", loop(network, encoder, options), paths[:32])
            ways = [
                pipeline(f"vfsearch, {each}", encoder, manifest, Encoding(device=options.device, precision=each),
                         options.workers)
                for each in dict.fromkeys((precision, "fp32"))
            ]  # fmt: skip
            least = floor(encoder, paths[:32], flop_of(encoder, paths), precision, options.device)
            show(f"{name}: {len(paths)} items of {options.data.name}, device {options.device}", ways[0],
                 [*ways[1:], plain, least])  # fmt: skip


def drawn(name: str, folder: Path, device: str) -> tuple[Path, torch.nn.Module]:
    """A network with drawn weights whose statistics are those of its own inputs, and a file of them."""
    import safetensors.torch

    torch.manual_seed(0)
    network = make_network(name, {})
    inputs = torch.randn(16, 48_000) * 3000 if network.modality == "voice" else torch.rand(16, 3, 112, 112) * 2 - 1
    for module in network.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.momentum = None
    with torch.no_grad():
        network.train()(inputs)
    path = folder / f"{name}.safetensors"
    safetensors.torch.save_file(network.state_dict(), path)
    return path, network.eval().to(device)


def loop(network: torch.nn.Module, encoder: Encoder, options: argparse.Namespace) -> Callable[[Path], np.ndarray]:
    """What one would write first: decode a file, run the network on it."""

    def embed(path: Path) -> np.ndarray:
        sample = attempt(encoder.preparation, Task(path=path), Limits()).sample
        return network_outputs(network, network.inputs.evaluation, [sample], options.device)[0]

    return embed


def repeated(listed: Manifest, modality: str, count: int) -> Manifest:
    """So many items of a modality, repeated with ids of their own where there are fewer."""
    items: Iterator = islice(cycle(listed.select(modality)), count)
    # without columns, so that no split changes their order
    return Manifest([replace(item, id=str(number), columns={}) for number, item in enumerate(items)], listed.folder)


def resemblyzer_api() -> Callable[[Path], np.ndarray] | None:
    """The package's own way, where it can be imported (it needs librosa and webrtcvad)."""
    try:
        from resemblyzer import VoiceEncoder, preprocess_wav
    except ImportError:
        return None
    voice = VoiceEncoder("cpu", verbose=False)
    return lambda path: voice.embed_utterance(preprocess_wav(path))


def dlib_api() -> Callable[[Path], np.ndarray]:
    """dlib's own way: detector, landmarks, descriptor."""
    import dlib
    from PIL import Image

    models = Path(importlib.util.find_spec("face_recognition_models").origin).parent / "models"
    detector = dlib.get_frontal_face_detector()
    landmarks = dlib.shape_predictor(str(models / "shape_predictor_5_face_landmarks.dat"))
    network = dlib.face_recognition_model_v1(str(models / "dlib_face_recognition_resnet_model_v1.dat"))

    def describe(path: Path) -> np.ndarray:
        photo = np.array(Image.open(path).convert("RGB"))
        faces = detector(photo, 1)
        if not faces:
            return np.full(128, np.nan)
        face = max(faces, key=lambda each: each.area())
        return np.array(network.compute_face_descriptor(photo, landmarks(photo, face)))

    return describe


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=threads())
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/chimera24"))
    parser.add_argument("--items", type=int, default=480)
    parser.add_argument("--only", choices=["frozen", "networks"], help="of the two kinds of encoders")
    options = parser.parse_args()
    set_threads(options.threads)
    facts = {**machine(), "torch": torch.__version__, "numpy": np.__version__, "threads": options.threads}
    if options.device != "cpu":
        facts["gpu"] = torch.cuda.get_device_name(options.device)
    print("; ".join(f"{name} {value}" for name, value in facts.items()))
    if not options.data.exists():
        sys.exit(f"{options.data} is not here: name a folder with a manifest.csv by --data")
    for part in (frozen, networks):
        if options.only in (None, part.__name__):
            part(options)


if __name__ == "__main__":
    main()
