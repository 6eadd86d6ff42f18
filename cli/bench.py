"""`vfsearch bench`."""

from pathlib import Path

import click
from vfsearch_cli.options import NUMBERS, PATH, SIZE, WORDS, common, computing, option
from vfsearch_cli.terminal import table

OUT = Path("benchmarks/kernels.md")
KERNELS_EPILOG = """\b
Examples:
  vfsearch bench kernels --rows 10000 --k 10
  vfsearch bench kernels --kernel topk,single --rows 300000,1000000 --metric l2 --runs 5 --out
  vfsearch bench kernels --device cuda --probes 65536 --rows 1000000 --out gpu.md
  vfsearch bench kernels --growth --most 1e10 --json
"""


@click.group()
def bench() -> None:
    """Benchmarks: how fast, beside other ways to do the same and beside the floor of the machine."""


@bench.command(epilog=KERNELS_EPILOG)
@option("--kernel", "kernels_", type=WORDS, default="topk,ranks,pairs,single", show_default=True,
        help="Of these; single is one probe at a time.")  # fmt: skip
@option("--rows", type=NUMBERS, default="10000,300000", show_default=True, help="Sizes of the gallery.")
@option("--probes", type=int, default=4096, show_default=True, help="Asked at once.")
@option("--k", type=NUMBERS, default="1,10,100,1000", show_default=True, help="How many best rows.")
@option("--dimension", type=int, default=128, show_default=True, help="Of the rows, which are random.")
@option("--metric", type=click.Choice(["ip", "l2"]), default="ip", show_default=True, help="Of topk and single.")
@option("--dtype", type=click.Choice(["float32", "float16", "bf16"]), default="float32", show_default=True,
        help="In which the gallery is held; other ways get it as float32.")  # fmt: skip
@option("--mates", type=int, default=106, show_default=True, help="Rows of one person in the gallery, for ranks.")
@option("--pairs", type=int, default=1_000_000, show_default=True, help="How many, for pairs.")
@option("--runs", type=int, default=3, show_default=True, help="Timed ones of each way, taken by turns.")
@option("--seed", type=int, default=1, show_default=True, help="Of the random rows.")
@option(
    "--max-memory", type=SIZE, default=None, help="Refuse what takes more, for example 8GiB.  [default: what is free]"
)
@option("--growth", is_flag=True, help="Instead: how time and memory of topk and ranks grow with probes × gallery.")
@option("--most", type=float, default=1e11, show_default="1e11", help="With --growth: scores of the largest size.")
@option("--out", type=PATH, is_flag=False, flag_value=OUT, default=None,
        help=f"Write the tables as Markdown, to {OUT} if no path follows.")  # fmt: skip
@computing(beside_decoders=False)
@common
def kernels(terminal, workspace: Path, device: str, kernels_, growth: bool, most: float, out: Path | None, **settings):
    """Measure the exact kernels: ours, what is installed beside (numpy, torch, faiss, scikit-learn), and the floor.

    The floor is the larger of the times that operations and bytes take at rates measured in the same run. Answers of
    ours are held against float64 scores, sorted whole; the exit code is 1 if one differs.
    """
    from vfsearch.bench.kernels import bench_growth, bench_kernels
    from vfsearch.bench.saved import require_writable, save
    from vfsearch.bench.settings import KernelBench
    from vfsearch.bench.tables import heading, remarks, sheets
    from vfsearch.devices import threads

    require_writable(out)
    asked = KernelBench(kernels=kernels_, device=device, threads=threads(), **settings)
    report = bench_growth(asked, most, terminal.progress) if growth else bench_kernels(asked, terminal.progress)
    save(report, out)
    shown = [part for sheet in sheets(report) for part in (table(sheet.columns, sheet.rows, sheet.title), *sheet.notes)]
    terminal.result(report.to_json(), heading(report), *shown, *remarks(report))
    if not report.all_exact:
        terminal.warn("an answer of ours is not the oracle's: see the last column")
    return 0 if report.all_exact else 1
