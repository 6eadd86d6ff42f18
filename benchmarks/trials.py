"""How long trials take: to make and write, and to read, score and measure with intervals.

    python benchmarks/trials.py [--trials 1000000] [--candidates 10] [--format vfsearch] [--folder FOLDER]

Prints Markdown tables: wall and processor seconds of each step. Probes ask three galleries each, as in the paper; the
gallery is as large as that of its lists. What is read, scored and measured are lists of the size of the paper's, in its
format, with vectors of 128 numbers that tell the people apart in part.
"""

import argparse
import csv
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from vfsearch.data.manifest import Item
from vfsearch.files import write_pieces
from vfsearch.pipeline.list_query import query_lists
from vfsearch.pipeline.make_trials import make_trials
from vfsearch.pipeline.workspace import Workspace
from vfsearch.timing import machine
from vfsearch.trials.constraints import group_labels, parse_group
from vfsearch.trials.formats.catalog import load_format
from vfsearch.trials.listing import ListedItems
from vfsearch.trials.make import MatchingDraw
from vfsearch.trials.pool import Pool
from vfsearch.trials.settings import TrialsSettings

PEOPLE, PROBES, GALLERY, GALLERIES = 189, 21_850, 20_076, 3
DIMENSION, NOISE = 128, 3.0
GROUPS = ("U", "G", "GN")


def items(modality: str, count: int) -> list[Item]:
    """Items dealt out to the people in turn."""
    return [_item(modality, number, number % PEOPLE) for number in range(count)]


def _item(modality: str, number: int, person: int) -> Item:
    name = f"id{10000 + person}/{number:011d}/00001.wav" if modality == "voice" else f"Person_{person}/{number:08d}.jpg"
    columns = {"gender": "fm"[person % 2], "nationality": f"n{person % 7}"}
    return Item(id=name, path=name, modality=modality, identity=f"p{person}", columns=columns)


def timed(name: str, work: Callable[[], object]) -> object:
    """Run a step, print its row, give its result."""
    wall, processor = time.perf_counter(), time.process_time()
    result = work()
    print(f"| {name} | {time.perf_counter() - wall:.2f} | {time.process_time() - processor:.2f} |", flush=True)
    return result


def write_manifest(folder: Path, rows: list[Item]) -> None:
    """The items as a manifest."""
    with (folder / "manifest.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["path", "modality", "identity", "gender", "nationality"])
        table.writerows([row.path, row.modality, row.identity, *row.columns.values()] for row in rows)


def write_vectors(path: Path, rows: list[Item]) -> None:
    """A vector for each item: its person's own, and noise."""
    random = np.random.default_rng(1)
    centres = dict(
        zip(sorted({row.identity for row in rows}), random.standard_normal((PEOPLE, DIMENSION)), strict=True)
    )
    vectors = np.stack([centres[row.identity] for row in rows]) + NOISE * random.standard_normal((len(rows), DIMENSION))
    np.savez(path, names=np.array([row.id for row in rows]), vectors=vectors.astype(np.float32))


def ask_lists(folder: Path) -> None:
    """Lists of the paper's size: the seconds that each takes to be read, scored and measured."""
    rows = [*items("voice", PROBES), *items("face", GALLERY)]
    write_manifest(folder, rows)
    write_vectors(folder / "vectors.npz", rows)
    place = Workspace(folder=folder)
    made = make_trials(place, TrialsSettings(n=(2, 10), groups=("U", "G"), format="wen2021")).lists
    files = {each.files[0].stem: each for each in made}
    paths = [each.files[0] for each in made]
    outcome = query_lists(place, paths, vectors=[folder / "vectors.npz"]).outcome
    print(
        "\n| list | trials | read | scored | measured with intervals | together, seconds |\n|---|---|---|---|---|---|"
    )
    for name, each in files.items():
        steps = [outcome.seconds[f"{step} {name}"] for step in ("parse", "score", "measure")]
        print(f"| {name} | {each.trials:,} | {' | '.join(f'{step:.2f}' for step in (*steps, sum(steps)))} |")


def main() -> None:
    """Make, write, read, score, measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1_000_000)
    parser.add_argument("--candidates", type=int, default=10)
    parser.add_argument("--format", default="vfsearch")
    parser.add_argument("--folder", type=Path, default=None)
    asked = parser.parse_args()
    probes, gallery = items("voice", -(-asked.trials // GALLERIES)), items("face", GALLERY)
    print(
        f"{asked.trials:,} trials 1:{asked.candidates}, {len(probes):,} probes, {GALLERY:,} gallery items; {machine()}"
    )
    print("\n| | seconds | processor seconds |\n|---|---|---|")
    listed = timed("names and identities numbered", lambda: ListedItems(probes, gallery))
    for group in map(parse_group, GROUPS):
        labels = timed(f"{group.name}: groups told apart", lambda group=group: group_labels(
            group, *([item.columns for item in side] for side in (probes, gallery))))  # fmt: skip
        drawn = timed(f"{group.name}: who may stand beside whom", lambda labels=labels: MatchingDraw(
            pool=Pool(listed.sides, labels), candidates=asked.candidates, seed=1))  # fmt: skip
        timed(f"{group.name}: drawn", lambda drawn=drawn: sum(np.bitwise_xor.reduce(block.candidates.ravel()) for block
                                                             in drawn.blocks()))  # fmt: skip
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        trials, format_ = listed.matching(drawn, "benchmark", {}), load_format(asked.format)
        facts = timed(f"{group.name}: drawn and written as {asked.format}",
                      lambda: write_pieces(Path(name) / "list", format_.write(trials)))  # fmt: skip
        write_manifest(Path(name), [*probes, *gallery])
        settings = TrialsSettings(n=(asked.candidates,), protocols=("matching",), format=asked.format)
        timed("`vfsearch trials make`, from reading the manifest on",
              lambda: make_trials(Workspace(folder=Path(name)), settings))  # fmt: skip
    print(f"\nThe file has {facts['size']:,} bytes.")
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        ask_lists(Path(name))


if __name__ == "__main__":
    main()
