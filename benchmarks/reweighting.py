"""Identity re-weighting and the two losses, on generated people of whom some cannot be learned.

    python benchmarks/reweighting.py --work /tmp/vfsearch-reweighting [--seeds 5] [--threads 2]

15 % of the people are personalised: their face was drawn without regard to their voice. Does re-weighting find them,
does leaving them out help, and what does each loss bring? Prints Markdown tables; those that it gave last are in
reweighting.md. AUC is over all pairs of a voice and a face of unseen people; "who can be matched" leaves out the
personalised ones, whose pairs are chance for anybody. What is there already is used again, so a run that was stopped
goes on.
"""

import argparse
import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from accuracy import all_pairs_auc
from scipy.stats import t as student

import vfsearch
from vfsearch.data.embeddings import Embeddings
from vfsearch.measure.operating_points import ScoredTrials
from vfsearch.measure.verification import auc

PEOPLE, TRAIN_SHARE, PERSONALISED = 1320, 0.75, 0.15
HEAD = vfsearch.HeadSettings(hidden=0)
RETRAIN = vfsearch.TrainSettings(head=HEAD, stages=("retrain",))
WEIGH = vfsearch.TrainSettings(head=HEAD, stages=("warm-up", "weights"))
# Small heads at a high rate cannot learn the personalised by heart, and so their loss stays high.
WEIGH_SMALL = replace(WEIGH, head=replace(HEAD, dimension=16), learning_rate=0.1)
ABLATION = {
    "implicit only": replace(RETRAIN, explicit=0.0),
    "explicit only": replace(RETRAIN, implicit=0.0),
    "both": RETRAIN,
}


@dataclass(frozen=True)
class People:
    """Generated people of one seed, and where their models go."""

    folder: Path
    seed: int
    device: str

    def __post_init__(self) -> None:
        settings = vfsearch.GeneratedCorpus(
            people=PEOPLE, seed=self.seed, personalised=PERSONALISED, train_share=TRAIN_SHARE, clips=4, photos=4
        )
        vfsearch.generate(self.folder, settings)

    def personalised(self) -> set[str]:
        """Their names."""
        with (self.folder / "manifest.csv").open(newline="") as file:
            return {row["identity"] for row in csv.DictReader(file) if row["personalised"] == "1"}

    def place(self, name: str) -> vfsearch.Workspace:
        """A workspace with the features of all and a model and embeddings of its own."""
        return vfsearch.Workspace(
            folder=self.folder, model=self.folder / f"model-{name}", embeddings=self.folder / f"rows-{name}"
        )

    def trained(self, name: str, settings: vfsearch.TrainSettings, weights_from: Path | None = None):
        """The report of a training; its model is kept."""
        settings = replace(settings, seed=self.seed)
        return vfsearch.train_model(self.place(name), settings, device=self.device, weights_from=weights_from)

    def unseen_auc(self, name: str, settings: vfsearch.TrainSettings, weights_from: Path | None = None) -> list[float]:
        """AUC of a model on all unseen people, and on those who can be matched."""
        self.trained(name, settings, weights_from)
        place = self.place(name)
        vfsearch.embed_manifest(place, encoding=vfsearch.Encoding(device=self.device))
        store = vfsearch.open_store(place.store_folder)
        sides = [store.load(modality, "test") for modality in ("voice", "face")]
        return [all_pairs_auc(*sides), all_pairs_auc(*(_without(side, self.personalised()) for side in sides))]


def _without(rows: Embeddings, names: set[str]) -> Embeddings:
    return rows.take([row for row, name in enumerate(rows.identities) if name not in names])


def detector(people: People, name: str, settings: vfsearch.TrainSettings) -> list[float]:
    """How well hardness and the left-out show who is personalised: AUC, left out, share of personalised in them."""
    table = people.trained(name, settings).model.identity_table()
    is_so = np.array([row.identity in people.personalised() for row in table])
    left_out = np.array([row.weight == 0 for row in table])
    hardness = np.array([row.hardness for row in table])
    return [auc(ScoredTrials(hardness, is_so).operating_points()), int(left_out.sum()), float(is_so[left_out].mean())]


def random_weights(people: People, like: Path) -> Path:
    """A table in which as many identities are left out as in a model, but drawn at random."""
    table = vfsearch.open_model(like).identity_table()
    shuffled = np.random.default_rng(people.seed).permutation([row.weight for row in table])
    path = people.folder / "random-weights.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["identity", "weight"])
        writer.writerows([row.identity, weight] for row, weight in zip(table, shuffled, strict=True))
    return path


def measure(people: People) -> dict[str, list[float]]:
    """Every figure of one seed."""
    found = {
        "detector, published": detector(people, "weigh", WEIGH),
        "detector, small heads": detector(people, "weigh-small", WEIGH_SMALL),
    }
    found |= {name: people.unseen_auc(name.replace(" ", "-"), settings) for name, settings in ABLATION.items()}
    for name, source in {"weigh-small": "small heads", "weigh": "published"}.items():
        weights = people.place(name).model_folder
        found[f"both with re-weighting, {source}"] = people.unseen_auc(f"with-{name}", RETRAIN, weights)
    weights = random_weights(people, people.place("weigh-small").model_folder)
    found["both, as many left out at random"] = people.unseen_auc("with-random", RETRAIN, weights)
    return found


def interval(values: Sequence[float]) -> str:
    """Mean and its 95 % interval over seeds (Student's t)."""
    half = student.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0
    return f"{np.mean(values):.4f} | {np.mean(values) - half:.4f} to {np.mean(values) + half:.4f}"


def each(values: Sequence[float]) -> str:
    """Every value."""
    return " ".join(f"{value:.4f}" for value in values)


def tables(seeds: list[dict[str, list[float]]]) -> None:
    """Print what was found."""
    print("| weights learned with | hardness AUC, mean | 95 % interval | each seed | left out | personalised in them |")
    print("|---|---|---|---|---|---|")
    for name in ("detector, published", "detector, small heads"):
        area, out, share = zip(*(found[name] for found in seeds), strict=True)
        print(
            f"| {name.split(', ')[1]} | {interval(area)} | {each(area)} | {np.mean(out):.0f} | {np.mean(share):.2f} |"
        )
    rows = [name for name in seeds[0] if not name.startswith("detector")]
    for column, who in enumerate(("all unseen people", "unseen people who can be matched")):
        print(f"\n| trained with ({who}) | AUC, mean | 95 % interval | each seed |\n|---|---|---|---|")
        for name in rows:
            values = [found[name][column] for found in seeds]
            print(f"| {name} | {interval(values)} | {each(values)} |")
        print("\n| difference to both, without weights | mean | 95 % interval | each seed |\n|---|---|---|---|")
        for name in rows:
            values = [found[name][column] - found["both"][column] for found in seeds]
            if name != "both":
                print(f"| {name} | {interval(values)} | {each(values)} |")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="folder to work in; kept, so that a rerun is quick")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=11)
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    tables([measure(People(options.work / str(seed), seed, options.device)) for seed in seeds])


if __name__ == "__main__":
    main()
