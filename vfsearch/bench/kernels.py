"""The kernels beside the alternatives that are installed and the floor that the machine sets."""

import datetime
import os

import torch

from vfsearch.bench.floors import floors
from vfsearch.bench.growth import MOST, growing_tasks, measure_growth
from vfsearch.bench.measuring import measure
from vfsearch.bench.needs import require_room
from vfsearch.bench.peers import versions
from vfsearch.bench.rates import measure_rates
from vfsearch.bench.report import KernelReport, KernelResult
from vfsearch.bench.same_threads import same_threads
from vfsearch.bench.settings import GROWING, KernelBench, tasks
from vfsearch.devices import resolve_device
from vfsearch.errors import SettingsError
from vfsearch.progress import Progress, silent
from vfsearch.timing import machine

LEAST_SCORES = 1e4


def bench_kernels(settings: KernelBench, progress: Progress = silent) -> KernelReport:
    """Measure every kernel and size that is asked for, each beside the others and its floor, and check the answers.

    Args:
        settings: what to measure.
        progress: told of each task and each run in it.
    Raises:
        DoesNotFitError: a size takes more memory than is allowed; found out before anything is built.
        SettingsError: no such device here.
    """
    resolve_device(settings.device)
    wanted = tasks(settings)
    require_room(wanted, settings)
    load = _load()
    with same_threads(settings.threads) as count:
        before = _rates(settings, progress)
        measured = [(task, *measure(task, settings, progress)) for task in wanted]
        # A machine that is shared may have been slower the first time; a floor is of what it can do.
        rates = before.best(_rates(settings, progress))
    results = [
        KernelResult(task=task, floors=tuple(floors(task, settings, rates)), ways=tuple(ways), left_out=tuple(left_out))
        for task, ways, left_out in measured
    ]
    return KernelReport(settings=settings, machine=_machine(settings, count, load), rates=rates, results=tuple(results))


def bench_growth(settings: KernelBench, most: float = MOST, progress: Progress = silent) -> KernelReport:
    """Measure how time and memory of topk and ranks grow with probes times gallery.

    Args:
        settings: its kernels that are neither are passed over.
        most: scores of the largest size, at least 10^4.
        progress: told of each run.
    Raises:
        DoesNotFitError: the largest size takes more memory than is allowed; found out before anything is built.
        SettingsError: none of the kernels grows so, `most` is too small, or no such device is here.
    """
    resolve_device(settings.device)
    kernels = [kernel for kernel in settings.kernels if kernel in GROWING]
    if not kernels:
        raise SettingsError(f"growth is measured of {' and '.join(GROWING)}, not of {', '.join(settings.kernels)}")
    if not most >= LEAST_SCORES:
        raise SettingsError(f"most is {most:g} scores, it must be at least {LEAST_SCORES:g}")
    require_room([growing_tasks(kernel, settings, most)[-1] for kernel in kernels], settings)
    load = _load()
    with same_threads(settings.threads) as count:
        growth = [measure_growth(kernel, settings, most, progress) for kernel in kernels]
    return KernelReport(settings=settings, machine=_machine(settings, count, load), growth=tuple(growth))


def _rates(settings: KernelBench, progress: Progress):
    progress("rates of the machine", 0, 1)
    rates = measure_rates(settings.dimension, settings.device)
    progress("rates of the machine", 1, 1)
    return rates


def _load() -> float | None:
    """How many threads of whatever was running in the last minute; None where the system does not tell."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def _machine(settings: KernelBench, threads: int, load: float | None) -> dict:
    facts = {**machine(), "threads": threads, "device": settings.device, "load": load}
    if settings.device != "cpu":
        facts["gpu"] = torch.cuda.get_device_name(settings.device)
    return {**facts, "versions": versions(), "day": datetime.date.today().isoformat()}
