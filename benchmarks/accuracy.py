"""How well: real media with known answers, and generated people with and without anything to learn.

    python benchmarks/accuracy.py --work /tmp/vfsearch-accuracy [--data ../shared/data/chimera24] [--seeds 5]

Prints one Markdown table; the one that it gave last is in accuracy.md. AUC is over all pairs of a test voice and a
test face.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import vfsearch
from vfsearch.data.embeddings import Embeddings, numbered
from vfsearch.kernels.exact import grid, score_block
from vfsearch.kernels.ranks import mate_ranks
from vfsearch.measure.operating_points import ScoredTrials
from vfsearch.measure.ranking import average_precision, hit_at
from vfsearch.measure.verification import auc
from vfsearch.protocol.comparison import compare

PEOPLE = 600


def retrieval(probes: Embeddings, gallery: Embeddings) -> tuple[float, float]:
    """mAP and R@1 of every probe against the gallery."""
    sides = compare(probes, gallery).sides
    ranks = mate_ranks(probes.vectors, gallery.vectors, sides.probes, sides.gallery, sides.itself)
    return float(np.nanmean(average_precision(ranks))), float(np.nanmean(hit_at(ranks, 1)))


def all_pairs_auc(first: Embeddings, second: Embeddings) -> float:
    """AUC over every pair of a row of one side and a row of the other."""
    of_first, of_second = numbered(first.identities, second.identities)
    scores = score_block(grid(first.vectors), grid(second.vectors)).numpy()
    return auc(ScoredTrials(scores.ravel(), (of_first[:, None] == of_second).ravel()).operating_points())


def trained(workspace: vfsearch.Workspace, settings: vfsearch.TrainSettings) -> tuple[Embeddings, Embeddings]:
    """The test voices and faces in the space of a model."""
    vfsearch.train_model(workspace, settings, overwrite=True)
    vfsearch.embed_manifest(workspace, overwrite=True)
    store = vfsearch.open_store(workspace.store_folder)
    return store.load("voice", "test"), store.load("face", "test")


def row(what: str, figures: list[float], wanted: str) -> str:
    """One line of the table: mean, standard deviation and every value."""
    each = " ".join(f"{figure:.3f}" for figure in figures)
    return f"| {what} | {np.mean(figures):.3f} | {np.std(figures):.3f} | {each} | {wanted} |"


def chimera(data: Path, work: Path, seeds: int) -> Iterator[str]:
    """24 chimeric subjects: real speech and real photos, paired arbitrarily."""
    workspace = vfsearch.Workspace(folder=work / "chimera24", manifest=data / "manifest.csv")
    # All 24 are asked for in the test: none can be left out.
    schedules = [vfsearch.TrainSettings(seed=seed, stages=("retrain",)) for seed in range(1, seeds + 1)]
    sides = [trained(workspace, settings) for settings in schedules]
    yield row("chimera24: voice to face mAP", [retrieval(v, f)[0] for v, f in sides], ">= 0.90")
    yield row("chimera24: face to voice mAP", [retrieval(f, v)[0] for v, f in sides], ">= 0.93")
    yield row("chimera24: AUC over all pairs", [all_pairs_auc(v, f) for v, f in sides], ">= 0.98")
    frozen = vfsearch.Workspace(folder=work / "chimera24-frozen", manifest=data / "manifest.csv")
    vfsearch.embed_manifest(frozen, vfsearch.Encoders())
    faces = vfsearch.open_store(frozen.store_folder).load("face")
    average, first = retrieval(faces, faces)
    yield row(f"chimera24: face to face R@1, untrained, {len(faces)} photos", [first], ">= 0.99")
    yield row("chimera24: face to face mAP, untrained", [average], "")


def generated(work: Path, seeds: int, sharing: float, people: int, items: int, wanted: str) -> Iterator[str]:
    """Generated people, half of them never seen in training; every seed has its own people."""
    scores, matching = [], {"voice to face": [], "face to voice": []}
    for seed in range(1, seeds + 1):
        folder = work / f"generated-{sharing:g}-{people}-{seed}"
        settings = vfsearch.GeneratedCorpus(people=people, seed=seed, sharing=sharing, clips=items, photos=items)
        vfsearch.generate(folder, settings)
        workspace = vfsearch.Workspace(folder=folder)
        voices, faces = trained(workspace, vfsearch.TrainSettings(seed=seed))
        scores.append(all_pairs_auc(voices, faces))
        vfsearch.build_indices(workspace)
        for probe, gallery in (("voice", "face"), ("face", "voice")):
            asked = vfsearch.QuerySettings(probe=probe, gallery=gallery, protocols=("verification",), seed=seed)
            outcome = vfsearch.query(workspace, asked).outcome
            matching[f"{probe} to {gallery}"].append(outcome.measurements[0].values["AUC"].value)
    what = f"{people} generated people, sharing {sharing:g}, unseen half"
    yield row(f"{what}: AUC over all pairs", scores, wanted)
    for direction, figures in matching.items():
        yield row(f"{what}: verification AUC, {direction}", figures, wanted)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="folder to work in; kept, so that a rerun is quick")
    parser.add_argument("--data", type=Path, default=Path("../shared/data/chimera24"))
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    print("| what | mean | standard deviation | each seed | wanted |\n|---|---|---|---|---|", flush=True)
    if options.data.exists():
        for line in chimera(options.data, options.work, options.seeds):
            print(line, flush=True)
    for sharing, people, items, wanted in ((0.95, 200, 4, ">= 0.75"), (0.0, PEOPLE, 2, "0.50 ± 0.03")):
        for line in generated(options.work, options.seeds, sharing, people, items, wanted):
            print(line, flush=True)


if __name__ == "__main__":
    main()
