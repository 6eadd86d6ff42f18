"""Whole networks trained from media on a CPU: generated people, measured on those never seen in training.

    python benchmarks/end_to_end.py --work /tmp/vfsearch-end-to-end [--seeds 3] [--threads 2] [--quick]

Prints one Markdown table, a row a seed; the one that it gave last is in accuracy.md. Every seed has its own people. AUC
over all pairs is of a voice and a face of people unseen; seconds are of the wall and, in brackets, of all processors.
"""

import argparse
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from accuracy import all_pairs_auc

import vfsearch
from vfsearch.timing import machine

UNSEEN = 200
ITEMS = 4
NETWORKS = vfsearch.Encoders(
    voice="thin-resnet34",
    voice_settings={"depths": (1, 1, 1, 1), "widths": (8, 16, 32, 64), "seconds": 3.0, "dimension": 128},
    face="ir50",
    face_settings={
        "depths": (1, 1, 1, 1), "widths": (8, 16, 32, 64), "pixels": 32, "dimension": 128, "dropout": 0.2,
        "aligned": True,
    },
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is learned from, and for how long.

    Args:
        people: trained on.
        steps: of the optimiser.
    """

    people: int
    steps: int


FULL, QUICK = Size(people=800, steps=1500), Size(people=400, steps=400)


def corpus(size: Size, seed: int) -> vfsearch.GeneratedCorpus:
    """People to learn from and people to measure on."""
    people = size.people + UNSEEN
    return vfsearch.GeneratedCorpus(
        people=people, seed=seed, clips=ITEMS, photos=ITEMS, train_share=size.people / people
    )


def schedule(size: Size, seed: int) -> vfsearch.TrainSettings:
    """A schedule for minutes instead of hours: AdamW, half a cosine, no identity left out."""
    return vfsearch.TrainSettings(
        head=vfsearch.HeadSettings(dimension=64, hidden=0, dropout=0.3),
        stages=("retrain",),
        steps=size.steps,
        batch_size=32,
        optimiser="adamw",
        learning_rate=0.004,
        schedule="cosine",
        shortest_seconds=1.0,
        longest_seconds=1.5,
        seed=seed,
    )


class Clock:
    """Seconds of each piece of work, of the wall and of all processors, decoding processes included."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, work: Callable[[], object]) -> object:
        """Do the work and note what it cost."""
        wall, processors = time.perf_counter(), _processor_seconds()
        result = work()
        self.texts.append(f"{time.perf_counter() - wall:.0f} ({_processor_seconds() - processors:.0f})")
        return result


def _processor_seconds() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def verification(workspace: vfsearch.Workspace, probe: str, gallery: str, seed: int) -> float:
    """AUC of voice-face verification on the test split."""
    asked = vfsearch.QuerySettings(probe=probe, gallery=gallery, protocols=("verification",), seed=seed)
    return vfsearch.query(workspace, asked, overwrite=True).outcome.measurements[0].values["AUC"].value


def queried(workspace: vfsearch.Workspace, seed: int) -> list[float]:
    """Verification AUC from voice to face and back, and AUC over all pairs."""
    vfsearch.build_indices(workspace, overwrite=True)
    directions = (("voice", "face"), ("face", "voice"))
    store = vfsearch.open_store(workspace.store_folder)
    everything = all_pairs_auc(store.load("voice", "test"), store.load("face", "test"))
    return [*(verification(workspace, *direction, seed) for direction in directions), everything]


def row(work: Path, size: Size, seed: int, workers: int) -> str:
    """One line of the table."""
    workspace = vfsearch.Workspace(folder=work / f"people-{size.people}-{seed}")
    decoding, clock = vfsearch.Decoding(workers=workers), Clock()
    clock(lambda: vfsearch.generate(workspace.folder, corpus(size, seed), overwrite=True))
    clock(
        lambda: vfsearch.train_model(
            workspace, schedule(size, seed), NETWORKS, decoding=decoding, end_to_end=True, overwrite=True
        )
    )
    clock(lambda: vfsearch.embed_manifest(workspace, decoding=decoding, overwrite=True))
    figures = clock(lambda: queried(workspace, seed))
    cells = (seed, size.people, UNSEEN, size.steps, *(f"{figure:.3f}" for figure in figures), *clock.texts)
    return f"| {' | '.join(map(str, cells))} |"


COLUMNS = (
    "seed", "people", "unseen", "steps", "AUC voice to face", "AUC face to voice", "AUC all pairs",
    "generate, s", "train, s", "embed, s", "query, s",
)  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="folder to work in; what it holds is made anew")
    parser.add_argument("--seeds", type=int, default=3, help="how many, from --first-seed on")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="to compute with")
    parser.add_argument("--workers", type=int, default=1, help="processes that decode, for each modality")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK.people} people and {QUICK.steps} steps")
    parser.add_argument("--people", type=int, help="to train on")
    parser.add_argument("--steps", type=int)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    usual = QUICK if options.quick else FULL
    size = Size(people=options.people or usual.people, steps=options.steps or usual.steps)
    where = machine()
    print(f"{where['processor']}, {where['cores']} cores, {options.threads} threads; torch {torch.__version__}\n")
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}", flush=True)
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        print(row(options.work, size, seed, options.workers), flush=True)


if __name__ == "__main__":
    main()
