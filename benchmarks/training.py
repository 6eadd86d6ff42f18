"""How fast the networks train: steps per second beside the floor, bfloat16 beside float32, in one run.

    python benchmarks/training.py [--device cuda] [--threads 2] [--batch 64] [--repeats 2] [--small]

A step is forward and backward of a batch: of each backbone alone, and of everything together as `vfsearch train
--end-to-end` does it, with heads, losses and the step of the optimiser. The floor is the time that the step's
operations take at the greatest rate that products of matrices and convolutions of convenient sizes have on the device,
measured just before and just after (both, because on some processors torch's matrix product is the slower by half).
Counted are convolutions and matrix products, forward and backward, two operations for each product of two numbers;
normalisations, activations and the Fourier transform are not, and cost memory traffic more than operations.

Prints one Markdown table; the one that it gave last is in training.md. Ratios hold, absolute figures depend on the
machine. A step of a full network takes tens of seconds on a CPU core: there the warm-up is one step of a smaller batch,
and what is measured is few steps. Every row is a process of its own, so that its peak memory is its own.
"""

import argparse
import contextlib
import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from vfsearch.networks.catalog import make_network
from vfsearch.networks.heads import HeadSettings
from vfsearch.networks.joint import JointNetworks
from vfsearch.timing import machine, peak_memory_bytes
from vfsearch.train.losses import TotalLoss
from vfsearch.train.objective import Objective
from vfsearch.train.settings import TrainSettings

IDENTITIES = 924
CLIP_SECONDS = 3.75  # the mean length in training
WARM_UP_ITEMS = 8  # on a CPU
BACKBONES = {"face": "ir50", "voice": "thin-resnet34"}
STEP = "ir50 + thin-resnet34, heads, losses, SGD"
SUBJECTS = ("ir50", "ir_se50", "thin-resnet34", STEP)
PRECISIONS = ("fp32", "bf16")
SMALL = {
    "ir50": {"depths": [1, 1, 2, 1], "widths": [8, 16, 32, 64], "pixels": 32},
    "ir_se50": {"depths": [1, 1, 2, 1], "widths": [16, 32, 32, 64], "pixels": 32},
    "thin-resnet34": {"depths": [1, 1, 1, 1], "widths": [8, 8, 16, 16]},
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """What one row of the table is to measure."""

    subject: str
    precision: str
    device: str
    threads: int
    batch: int
    repeats: int
    small: bool


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a row found: operations of a step, operations a second at best, seconds of a step, peak bytes."""

    operations: float
    rate: float
    seconds: float
    memory_bytes: int


class Alone(nn.Module):
    """A backbone with a stand-in for what would follow."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """(n, ...) inputs to a scalar."""
        return torch.logsumexp(self.network(inputs).float(), dim=1).mean()


class Together(nn.Module):
    """Both backbones, heads and losses: what `vfsearch train --end-to-end` minimises."""

    def __init__(self, voice: nn.Module, face: nn.Module) -> None:
        super().__init__()
        backbones, head = {"voice": voice, "face": face}, HeadSettings(hidden=0)
        networks = JointNetworks(backbones, {name: each.dimension for name, each in backbones.items()}, head)
        self.objective = Objective(networks, TotalLoss(head.dimension, IDENTITIES))

    def forward(self, voices: torch.Tensor, faces: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """A batch to a scalar."""
        return self.objective(voices, faces, labels, torch.ones(len(labels), device=labels.device)).total


def make_subject(case: Case) -> nn.Module:
    """The module that a row is about, with random weights."""
    torch.manual_seed(1)
    if case.subject == STEP:
        return Together(**{modality: backbone(name, case.small) for modality, name in BACKBONES.items()}).train()
    return Alone(backbone(case.subject, case.small)).train()


def backbone(name: str, small: bool) -> nn.Module:
    """A network as published, or a small one."""
    return make_network(name, SMALL[name] if small else {})


def make_batch(case: Case) -> tuple[torch.Tensor, ...]:
    """Noise of the shape that the subject takes; what is in it does not matter to the time."""
    random, items = torch.Generator().manual_seed(2), case.batch
    clips = 1000 * torch.randn(items, round((0.5 if case.small else CLIP_SECONDS) * 16_000), generator=random)
    pixels = SMALL["ir50"]["pixels"] if case.small else 112
    photos = torch.rand(items, 3, pixels, pixels, generator=random) * 2 - 1
    labels = torch.randperm(IDENTITIES, generator=random)[:items]
    if case.subject == STEP:
        return clips, photos, labels
    return (clips,) if case.subject == BACKBONES["voice"] else (photos,)


def count_operations(case: Case, batch: tuple[torch.Tensor, ...]) -> int:
    """Multiplications and additions of the products in forward and backward; nothing is computed for it."""
    with FakeTensorMode(), FlopCounterMode(display=False) as counter:
        make_subject(case)(*(torch.empty(each.shape, dtype=each.dtype) for each in batch)).backward()
    return counter.get_total_flops()


def seconds_of(work: Callable[[], object], device: str) -> float:
    """How long something takes, on a GPU until it is done there."""
    _wait(device)
    start = time.perf_counter()
    work()
    _wait(device)
    return time.perf_counter() - start


def _wait(device: str) -> None:
    if device != "cpu":
        torch.cuda.synchronize(device)


def product_rate(case: Case) -> float:
    """Operations a second at the size at which the device is fastest: matrices, and maps of a 3 × 3 convolution."""
    on_cpu = case.device == "cpu"
    # on a CPU what fits its caches
    rates = [_rate(case, *_matrices(case, size)) for size in ((256, 512, 1024) if on_cpu else (4096, 8192))]
    maps = ((8, 64, 28), (8, 256, 14)) if on_cpu else ((64, 256, 56), (64, 512, 28))
    return max(rates + [_rate(case, *_maps(case, *shape)) for shape in maps])


def _matrices(case: Case, size: int) -> tuple[int, Callable[[], object]]:
    left, right = torch.randn(2, size, size, device=case.device, dtype=dtype_of(case)).unbind()
    into = torch.empty_like(left)
    return 2 * size**3, lambda: torch.matmul(left, right, out=into)


def _maps(case: Case, items: int, channels: int, side: int) -> tuple[int, Callable[[], object]]:
    made = {"device": case.device, "dtype": dtype_of(case)}
    maps, filters = torch.randn(items, channels, side, side, **made), torch.randn(channels, channels, 3, 3, **made)
    maps, filters = (each.contiguous(memory_format=torch.channels_last) for each in (maps, filters))
    return 18 * items * (channels * side) ** 2, lambda: functional.conv2d(maps, filters, padding=1)


def _rate(case: Case, operations: int, work: Callable[[], object]) -> float:
    """Over some time, not the best of it: others who share the machine are there during the steps too."""
    work()
    times = 1 + int((0.02 if case.small else 0.5) / seconds_of(work, case.device))

    def repeatedly() -> None:
        for _ in range(times):
            work()

    return operations * times / seconds_of(repeatedly, case.device)


def dtype_of(case: Case) -> torch.dtype:
    """The numbers that are multiplied."""
    return torch.bfloat16 if case.precision == "bf16" else torch.float32


def stepper(case: Case, subject: nn.Module) -> Callable[[tuple[torch.Tensor, ...]], None]:
    """Forward and backward of a batch; the optimiser steps where everything is trained together."""
    settings = TrainSettings()
    optimiser = torch.optim.SGD(
        subject.parameters(), settings.learning_rate, momentum=settings.momentum, weight_decay=settings.weight_decay
    )

    def step(batch: tuple[torch.Tensor, ...]) -> None:
        optimiser.zero_grad()
        with autocast(case):
            loss = subject(*batch)
        loss.backward()
        if case.subject == STEP:
            optimiser.step()

    return step


def autocast(case: Case) -> contextlib.AbstractContextManager:
    """As the training loop has it."""
    if case.precision == "fp32":
        return contextlib.nullcontext()
    return torch.autocast(torch.device(case.device).type, torch.bfloat16)


def measure(case: Case) -> Measured:
    """One row, in this process."""
    torch.set_num_threads(case.threads)
    # the floor's products round as the networks' convolutions do
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32
    batch = make_batch(case)
    operations = count_operations(case, batch)
    before = product_rate(case)
    seconds, memory_bytes = steps(case, batch)
    rate = max(before, product_rate(case))
    return Measured(operations=operations, rate=rate, seconds=float(np.median(seconds)), memory_bytes=memory_bytes)


def steps(case: Case, batch: tuple[torch.Tensor, ...]) -> tuple[list[float], int]:
    """Seconds of each step after the warm-up, and the most memory: resident on a CPU, of tensors on a GPU."""
    on_gpu = case.device != "cpu"
    if on_gpu:
        torch.cuda.reset_peak_memory_stats(case.device)
    step = stepper(case, make_subject(case).to(case.device))
    batch = tuple(each.to(case.device) for each in batch)
    for each in warm_up(case, batch):
        step(each)
    seconds = [seconds_of(lambda: step(batch), case.device) for _ in range(case.repeats)]
    return seconds, torch.cuda.max_memory_allocated(case.device) if on_gpu else peak_memory_bytes()


def warm_up(case: Case, batch: tuple[torch.Tensor, ...]) -> list[tuple[torch.Tensor, ...]]:
    """On a GPU the batch itself, three times; on a CPU, where there is little to warm, a part of it."""
    if case.device == "cpu":
        return [tuple(each[:WARM_UP_ITEMS] for each in batch)]
    return [batch] * 3


def apart(case: Case) -> Measured:
    """One row, in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(measure, case).result()


def show(case: Case, found: Measured, compared: Measured) -> None:
    """One line of the table."""
    floor = found.operations / found.rate
    figures = (
        f"{found.operations / 1e9:,.1f}", f"{found.rate / 1e9:,.0f}", f"{1 / floor:,.3f}", f"{1 / found.seconds:,.3f}",
        f"{floor / found.seconds:.0%}", f"{compared.seconds / found.seconds:.2f}", f"{found.memory_bytes / 2**30:.1f}",
    )  # fmt: skip
    print(f"| {case.subject} | {case.precision} | {' | '.join(figures)} |", flush=True)


def read_options() -> argparse.Namespace:
    """The arguments, with the defaults of the device and the size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--batch", type=int, help="default: 64, small 4")
    parser.add_argument("--repeats", type=int, help="steps measured, of which the median counts; default: 2 on a CPU, "
                        "20 on a GPU")  # fmt: skip
    parser.add_argument("--small", action="store_true", help="small networks and inputs, to see whether it runs")
    options = parser.parse_args()
    options.batch = options.batch or (4 if options.small else 64)
    options.repeats = options.repeats or (2 if options.device == "cpu" else 20)
    return options


def main() -> None:
    """Measure and print."""
    options = read_options()
    facts = {**machine(), "torch": torch.__version__, **vars(options)}
    if options.device != "cpu":
        facts["gpu"] = torch.cuda.get_device_name(options.device)
    print("; ".join(f"{name} {value}" for name, value in facts.items()))
    print("\n| a step of | precision | GFLOP | GFLOP/s at best | floor, steps/s | steps/s | of the floor | times fp32 |"
          " peak GiB |\n|---|---|---|---|---|---|---|---|---|", flush=True)  # fmt: skip
    compared = {}
    for subject, precision in product(SUBJECTS, PRECISIONS):
        case = Case(subject=subject, precision=precision, **vars(options))
        found = apart(case)
        show(case, found, compared.setdefault(subject, found))


if __name__ == "__main__":
    main()
