"""What a benchmark of the kernels is asked to do."""

from dataclasses import dataclass

from vfsearch.errors import SettingsError

KERNELS = ("topk", "ranks", "pairs", "single")
GROWING = ("topk", "ranks")
"""Kernels whose work is probes times gallery."""
METRICS = ("ip", "l2")
DTYPES = ("float32", "float16", "bf16")


@dataclass(frozen=True, kw_only=True)
class KernelBench:
    """Which kernels are measured, on what, and how often.

    Args:
        kernels: of KERNELS; "single" is one probe at a time.
        rows: sizes of the gallery.
        probes: asked at once; "single" asks some of them one by one.
        k: how many best rows, of topk and single.
        dimension: of the rows.
        metric: "ip" or "l2", of topk and single; ranks and pairs are of inner products.
        dtype: in which the gallery is held; others than ours get it as float32.
        mates: rows that one person has in the gallery, for ranks; the published list has 106.
        pairs: how many pairs, for pairs.
        device: cpu, cuda or cuda:N.
        threads: for all alike; None: as `vfsearch.devices.threads` says.
        runs: timed ones of each way, taken by turns.
        seed: of the random rows.
        max_memory: bytes that rows, what is made of them and all ways together may take; None: what is free.
    Raises:
        SettingsError: a value is out of its range.

    Example:
        >>> KernelBench(rows=(1000,), k=(1, 10)).kernels
        ('topk', 'ranks', 'pairs', 'single')
    """

    kernels: tuple[str, ...] = KERNELS
    rows: tuple[int, ...] = (10_000, 300_000)
    probes: int = 4096
    k: tuple[int, ...] = (1, 10, 100, 1000)
    dimension: int = 128
    metric: str = "ip"
    dtype: str = "float32"
    mates: int = 106
    pairs: int = 1_000_000
    device: str = "cpu"
    threads: int | None = None
    runs: int = 3
    seed: int = 1
    max_memory: int | None = None

    def __post_init__(self) -> None:
        for name, known in (("kernels", KERNELS), ("metric", METRICS), ("dtype", DTYPES)):
            value = getattr(self, name)
            unknown = [each for each in ((value,) if isinstance(value, str) else value) if each not in known]
            if unknown:
                raise SettingsError(f"{name}: {unknown[0]!r} is unknown, it must be one of {', '.join(known)}")
        for name in ("kernels", "rows", "k"):
            if not getattr(self, name) or len(set(getattr(self, name))) < len(getattr(self, name)):
                raise SettingsError(f"{name} is {getattr(self, name)}, it must name at least one value, each once")
        for name in ("rows", "k", "probes", "dimension", "mates", "pairs", "threads", "runs", "max_memory"):
            self._require_positive(name)
        if self.seed < 0:
            raise SettingsError(f"seed is {self.seed}, it must be at least 0")

    def _require_positive(self, name: str) -> None:
        value = getattr(self, name)
        for number in value if isinstance(value, tuple) else (1 if value is None else value,):
            if number < 1:
                raise SettingsError(f"{name} is {number}, it must be at least 1")


@dataclass(frozen=True, kw_only=True)
class Task:
    """One row of sizes: what one table is about.

    Args:
        kernel: of KERNELS.
        rows, probes: how many are compared.
        k: how many best rows are wanted; 0 where that means nothing.
    """

    kernel: str
    rows: int
    probes: int
    k: int = 0

    @property
    def name(self) -> str:
        """What the task is called in progress and tables."""
        return f"{self.kernel} {self.probes:,} × {self.rows:,}" + (f", k {self.k}" if self.k else "")


def tasks(settings: KernelBench) -> list[Task]:
    """What is measured, in its order."""
    return [
        Task(kernel=kernel, rows=rows, probes=settings.probes, k=k)
        for kernel in settings.kernels
        for rows in settings.rows
        for k in (settings.k if kernel in ("topk", "single") else (0,))
    ]
