"""Whether embedding many files goes on as it began: files a second and memory, tenth by tenth.

    python benchmarks/steady.py --work /tmp/vfsearch-steady [--items 200000] [--people 500] [--encoders frozen]

Generates people with short clips and small photos, lists each file as often as it takes (each listing is decoded and
encoded by itself), runs `vfsearch embed` on the list, and watches it from outside. Prints one Markdown table; the one
that it gave last is in steady.md. Memory is that of the process and all that it started, as resident in their own
pages or their share of common ones (PSS).
"""

import argparse
import csv
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import numpy as np

import vfsearch
from vfsearch.timing import machine

TENTHS = 10
CHOICES = {
    "frozen": ["--voice-encoder", "resemblyzer", "--face-encoder", "dlib-resnet", "--aligned"],
    "own": ["--voice-encoder", "own_encoder:SpectrumEncoder", "--face-encoder", "dlib-resnet", "--aligned"],
}


@dataclass(frozen=True, kw_only=True)
class Sight:
    """The work at one moment.

    Args:
        seconds: since the start.
        rows: that are in shards.
        bytes: of memory.
    """

    seconds: float
    rows: int
    bytes: int


def make_list(work: Path, people: int, items: int) -> Path:
    """A workspace with so many items, half of them clips of a second, half of them photos."""
    made = vfsearch.GeneratedCorpus(people=people, seed=1, clips=4, photos=4, clip_seconds=1.0)
    vfsearch.generate(work, made)
    listed = vfsearch.read_manifest(work / "manifest.csv")
    path = work / "many.csv"
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "path", "modality", "identity"])
        for modality in ("voice", "face"):
            for number, item in enumerate(islice(cycle(listed.select(modality)), items // 2)):
                table.writerow([f"{modality}{number}", item.path, modality, item.identity])
    return path


def watch(command: list[str], store: Path) -> list[Sight]:
    """Run a command and look at it twice a second."""
    process, begun, sights = subprocess.Popen(command), time.perf_counter(), []
    while process.poll() is None:
        time.sleep(0.5)
        rows = 512 * len(list(store.glob("*.h5"))) if store.exists() else 0
        sights.append(Sight(seconds=time.perf_counter() - begun, rows=rows, bytes=tree_bytes(process.pid)))
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    return sights


def tree_bytes(pid: int) -> int:
    """Memory of a process and of all below it."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        own = sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        children = [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except (OSError, ProcessLookupError):
        return 0
    return own + sum(map(tree_bytes, children))


def table(sights: list[Sight], half: int) -> list[str]:
    """Lines of the table: each modality in tenths."""
    lines = ["| | rows | items/s | memory, MiB |", "|---|---|---|---|"]
    for number, modality in enumerate(("voice", "face")):
        of_it = [each for each in sights if number * half < each.rows <= (number + 1) * half]
        for tenth in range(TENTHS):
            low, high = (number * half + half * edge // TENTHS for edge in (tenth, tenth + 1))
            inside = [each for each in of_it if low < each.rows <= high]
            if len(inside) < 2:
                continue
            rate = (inside[-1].rows - inside[0].rows) / max(inside[-1].seconds - inside[0].seconds, 1e-9)
            memory = max(each.bytes for each in inside) / 2**20
            lines.append(f"| {modality} {tenth + 1}/{TENTHS} | {high:,} | {rate:,.0f} | {memory:,.0f} |")
    return lines


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="folder to work in")
    parser.add_argument("--items", type=int, default=200_000)
    parser.add_argument("--people", type=int, default=500)
    parser.add_argument("--encoders", choices=CHOICES, default="frozen")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    manifest = make_list(options.work, options.people, options.items)
    features = options.work / "features"
    command = [sys.executable, "-m", "vfsearch_cli.main", "embed", "--frozen", "--workspace", str(options.work),
               "--manifest", str(manifest), "--workers", str(options.workers), "--device", "cpu", "--overwrite",
               *CHOICES[options.encoders]]  # fmt: skip
    sights = watch(command, features)
    where = machine()
    peak = np.array([each.bytes for each in sights]).max() / 2**20
    print(f"{where['processor']}, {where['cores']} cores; {options.items:,} items in {sights[-1].seconds:,.0f} s; "
          f"{options.workers} decoding processes; most memory {peak:,.0f} MiB\n")  # fmt: skip
    print("\n".join(table(sights, options.items // 2)))


if __name__ == "__main__":
    main()
