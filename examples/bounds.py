"""The derivations of the method, held against its losses: three figures and three tables of numbers.

    python examples/bounds.py --out bounds

Proposition 1 and Corollary 1 say what the implicit loss cannot be below, equation (5) says which hinge the explicit
loss is about. On random draws, and on a small joint model trained here on generated people, this shows

    draws.png     that the bound holds, with and without identity weights, and by how much;
    training.png  how tight it is in the course of a training;
    hinge.png     how far the hinge is from the loss as the embeddings grow.

Needs no media. Source of the claims: Wen et al., "Seeking the Shape of Sound", CVPR 2021; `vfsearch.train.bounds` has
them with their proofs.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
import torch
from torch import nn

from vfsearch.networks.heads import Head, HeadSettings
from vfsearch.train.bounds import ImplicitBound, explicit_hinge, implicit_bound
from vfsearch.train.losses import TotalLoss

matplotlib.use("Agg")
from matplotlib import pyplot

# The colours of Okabe and Ito, told apart with any kind of colour vision.
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#555555"
MARGINS = {0.0: GREEN, 1.0: ORANGE, 4.4: BLUE}
"""m' of the explicit loss, that of the authors' release among them."""
FEATURES, DIMENSION = 64, 32
# Room for rounding, as a share of the loss of a classifier that says nothing.
ROUNDING = 1e-12


@dataclass(frozen=True, kw_only=True)
class Draw:
    """One random draw and what it gave.

    Args:
        bound: of it.
        weighted: with identity weights.
        leaning: its classifier leans as the pairs do, so that it comes closer to the bound.
        size: of the embeddings, root mean square of their lengths.
    """

    bound: ImplicitBound
    weighted: bool
    leaning: bool
    size: float

    @property
    def holds(self) -> bool:
        """Whether the loss is not below its bound."""
        return self.bound.loss >= self.bound.bound - ROUNDING * self.bound.chance


def random_draws(count: int, random: np.random.Generator) -> list[Draw]:
    """The bound on pairs of any number, dimension, balance and size, each draw with weights and without."""
    draws = []
    for number in range(count):
        pairs, dimension, identities = random.integers(2, [200, 64, 50])
        labels = random.choice(identities, pairs, p=random.dirichlet(np.ones(identities)))
        size, leaning = 10 ** random.uniform(-2, 1), number % 2 == 1
        voices, faces = size * random.normal(size=(2, pairs, dimension)) / np.sqrt(dimension)
        classifier = random.normal(size=(identities, dimension))
        if leaning:
            classifier = _leaning(voices + faces, labels, identities)
        for weights in (None, random.uniform(0, 1, identities)):
            bound = implicit_bound(voices, faces, labels, classifier, weights)
            draws.append(Draw(bound=bound, weighted=weights is not None, leaning=leaning, size=size))
    return draws


def _leaning(sums: np.ndarray, labels: np.ndarray, identities: int) -> np.ndarray:
    """(M, d) unit rows that point from the other identities' embeddings to the identity's own."""
    own = np.zeros((identities, sums.shape[1]))
    np.add.at(own, labels, sums)
    rows = identities * own - sums.sum(axis=0)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@dataclass(frozen=True, kw_only=True, eq=False)
class Snapshot:
    """A model in the course of its training.

    Args:
        step: of the training.
        voices, faces: (N, d) joint embeddings of all pairs.
        classifier: (M, d) its rows.
    """

    step: int
    voices: np.ndarray
    faces: np.ndarray
    classifier: np.ndarray


def people(identities: int, each: int, random: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor, np.ndarray]:
    """Features of `each` clips and photos of generated people: shared latents through one map a modality, and noise."""
    labels = np.repeat(np.arange(identities), each)
    shared = random.normal(size=(identities, 12))[labels] / np.sqrt(12)
    sides = [shared @ random.normal(size=(12, FEATURES)) + random.normal(size=(len(labels), FEATURES)) for _ in "vx"]
    return *(torch.tensor(side, dtype=torch.float32) for side in sides), labels


def train(sides, labels: np.ndarray, steps: int, random: np.random.Generator) -> list[Snapshot]:
    """Two heads and the shared classifier by the total loss; snapshots lie ever further apart."""
    identities = int(labels.max()) + 1
    each = len(labels) // identities
    heads = nn.ModuleList(Head(FEATURES, HeadSettings(dimension=DIMENSION, hidden=0)) for _ in sides)
    loss = TotalLoss(DIMENSION, identities)
    optimiser = torch.optim.SGD([*heads.parameters(), *loss.parameters()], 0.1, momentum=0.9, weight_decay=1e-4)
    wanted, snapshots = {0, steps, *np.geomspace(1, steps, 40).astype(int).tolist()}, []
    for step in range(steps + 1):
        if step in wanted:
            snapshots.append(_snapshot(step, heads, loss, sides))
        people_of_batch = random.permutation(identities)[:64]
        rows = [people_of_batch * each + random.integers(0, each, len(people_of_batch)) for _ in sides]
        embeddings = [head(side[row]) for head, side, row in zip(heads, sides, rows, strict=True)]
        optimiser.zero_grad()
        loss(*embeddings, torch.tensor(people_of_batch)).total.backward()
        optimiser.step()
    return snapshots


def _snapshot(step: int, heads: nn.ModuleList, loss: TotalLoss, sides) -> Snapshot:
    heads.eval()
    with torch.no_grad():
        voices, faces = (head(side).numpy() for head, side in zip(heads, sides, strict=True))
    heads.train()
    classifier = loss.implicit.classifier.weight.detach().numpy().copy()
    return Snapshot(step=step, voices=voices, faces=faces, classifier=classifier)


def plot_draws(draws: list[Draw], path: Path) -> None:
    """Loss against bound, and the distance between them against the size of the embeddings."""
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 5.2), layout="constrained")
    for leaning, colour in ((False, BLUE), (True, ORANGE)):
        for weighted, marker in ((False, "o"), (True, "^")):
            chosen = [draw for draw in draws if (draw.leaning, draw.weighted) == (leaning, weighted)]
            loss, _, bound, chance = np.array([draw.bound for draw in chosen]).T
            style = {"s": 16, "marker": marker, "facecolors": "none", "edgecolors": colour, "linewidths": 0.8}
            label = f"{'leaning' if leaning else 'random'} classifier, {'with' if weighted else 'no'} weights"
            left.scatter(bound / chance, loss / chance, label=label, **style)
            right.scatter([draw.size for draw in chosen], (loss - bound) / chance, **style)
    _rule_out(left)
    held = sum(draw.holds for draw in draws)
    left.set(xlabel="bound / loss by chance", ylabel="implicit loss / loss by chance")
    left.set_title(f"The loss is above its bound on {held} of {len(draws)} draws")
    figure.legend(*left.get_legend_handles_labels(), fontsize=9, loc="outside lower center", ncols=3)
    right.set(xscale="log", yscale="log", xlabel="size of the embeddings", ylabel="(loss - bound) / loss by chance")
    right.set_title("Distance to the bound")
    _save(figure, path)


def _rule_out(axes: pyplot.Axes) -> None:
    """Shade where no draw can be, below the line loss = bound."""
    axes.set_xscale("symlog", linthresh=1)
    axes.set_yscale("symlog", linthresh=1)
    axes.set_xticks([-10, -5, -2, -1, -0.5, 0, 0.5, 1], minor=False)
    axes.set_yticks([0, 0.5, 1, 2, 5], minor=False)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:g}")
    least, most = axes.get_xlim()[0], axes.get_ylim()[1]
    line = np.linspace(0, 1.2, 100)
    axes.plot(line, line, color=GREY, label="loss = bound")
    axes.fill_between([least, 0, 1.2], -0.1, [0, 0, 1.2], color=GREY, alpha=0.2, linewidth=0, label="ruled out")
    axes.set(xlim=(least, 1.2), ylim=(-0.1, most))


def plot_training(steps: list[int], curves: dict[str, np.ndarray], path: Path) -> None:
    """Loss and bounds over the steps, and where the distance between them comes from."""
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4.8), layout="constrained")
    for style, (name, parts) in zip(("-", "--"), curves.items(), strict=True):
        loss, jensen, bound = parts[:, :3].T / parts[:, 3]
        left.plot(steps, loss, style, color=BLUE, label=f"loss, {name}")
        left.plot(steps, bound, style, color=ORANGE, label=f"bound, {name}")
        right.plot(steps, jensen - bound, style, color=ORANGE, label=f"Cauchy-Schwarz, {name}")
        right.plot(steps, loss - jensen, style, color=GREEN, label=f"Jensen, {name}")
    left.axhline(0, color=GREY, linewidth=0.8)
    left.annotate(
        "below 0 the bound says nothing", (0, 0), (6, -12), textcoords="offset points", fontsize=8, color=GREY
    )
    left.set_title("Loss and bound in training")
    left.set(xlabel="step", ylabel="share of the loss by chance")
    right.set(xlabel="step", ylabel="share of the loss by chance", yscale="log")
    right.set_title("What each step of the proof gives away")
    for axes in (left, right):
        axes.set_xscale("symlog", linthresh=1)
        axes.set_xlim(left=0)
        axes.legend(fontsize=8)
    _save(figure, path)


def hinge_figures(snapshot: Snapshot, labels: np.ndarray, scales: np.ndarray, margin: float) -> np.ndarray:
    """(scales, 3) means over one pair a person: the loss, the distance of equation (5), of the hinge over a floor."""
    rows = np.unique(labels, return_index=True)[1][:64]
    figures = []
    for scale in scales:
        found = explicit_hinge(scale * snapshot.voices[rows], scale * snapshot.faces[rows], labels[rows], margin)
        away = [abs(found.loss - form).mean() for form in (found.hinge, found.envelope)]
        figures.append([found.loss.mean(), *away])
    return np.array(figures)


def plot_hinge(snapshots: dict[str, Snapshot], labels: np.ndarray, scales: np.ndarray, path: Path) -> None:
    """Distance of both forms from the loss over the scale, a panel a model, a colour a margin."""
    figure, panels = pyplot.subplots(1, len(snapshots), figsize=(11, 4.8), layout="constrained", sharey=True)
    for axes, (name, snapshot) in zip(panels, snapshots.items(), strict=True):
        for margin, colour in MARGINS.items():
            _, hinge, floored = hinge_figures(snapshot, labels, scales, margin).T
            both = "both forms" if margin == 0 else "equation (5)"
            axes.plot(scales, hinge, color=colour, label=f"{both}, m' = {margin:g}")
            if margin:
                axes.plot(scales, floored, "--", color=colour, label=f"hinge over a floor, m' = {margin:g}")
        axes.set(xscale="log", yscale="log", ylim=(1e-4, 10), xlabel="scale of the embeddings (1: as they are)")
        axes.set_title(name)
    panels[0].set_ylabel("mean distance from the explicit loss")
    panels[0].legend(fontsize=8, loc="lower left")
    _save(figure, path)


def _save(figure: pyplot.Figure, path: Path) -> None:
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


def print_draws(draws: list[Draw]) -> None:
    """One row for each kind of draw."""
    print("Random draws            holds          (loss - bound) / loss by chance: least, median, most")
    for weighted in (False, True):
        for leaning in (False, True):
            chosen = [draw for draw in draws if (draw.weighted, draw.leaning) == (weighted, leaning)]
            away = [(draw.bound.loss - draw.bound.bound) / draw.bound.chance for draw in chosen]
            name = f"{'leaning' if leaning else 'random'}, {'with' if weighted else 'no'} weights"
            held = f"{sum(draw.holds for draw in chosen)} of {len(chosen)}"
            print(f"  {name:<21} {held:<14} {min(away):.2e} {np.median(away):.2e} {max(away):.2e}")


def print_training(steps: list[int], curves: dict[str, np.ndarray]) -> None:
    """A few steps, as shares of the loss by chance."""
    print("Training, shares of the loss by chance: loss, bound; " + "; ".join(curves))
    for place in np.unique(np.linspace(0, len(steps) - 1, 8).astype(int)):
        rows = [parts[place, [0, 2]] / parts[place, 3] for parts in curves.values()]
        print(f"  step {steps[place]:<6}" + "   ".join(f"{loss:8.4f} {bound:8.3f}" for loss, bound in rows))


def print_hinge(snapshots: dict[str, Snapshot], labels: np.ndarray, scales: np.ndarray) -> None:
    """The loss and both distances at a few scales."""
    print("Explicit loss; mean distance from it of equation (5), of the hinge over a floor")
    for name, snapshot in snapshots.items():
        for margin in MARGINS:
            table = hinge_figures(snapshot, labels, scales, margin)
            for scale, (loss, hinge, floored) in zip(scales, table, strict=True):
                print(f"  {name:<15} m' = {margin:<3g} scale {scale:<6g} {loss:10.4f} {hinge:9.4f} {floored:9.1e}")


def main() -> None:
    """Draw, train, print and plot."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of the figures")
    parser.add_argument("--draws", type=int, default=400, help="random draws, each with weights and without")
    parser.add_argument("--identities", type=int, default=100, help="people to train on")
    parser.add_argument("--steps", type=int, default=400, help="of the training")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(chosen.seed)
    torch.manual_seed(chosen.seed)
    torch.set_num_threads(1)

    draws = random_draws(chosen.draws, random)
    print_draws(draws)
    plot_draws(draws, chosen.out / "draws.png")

    *sides, labels = people(chosen.identities, 5, random)
    snapshots = train(sides, labels, chosen.steps, random)
    steps = [each.step for each in snapshots]
    curves = {
        name: np.array([implicit_bound(s.voices, s.faces, labels, s.classifier, weights) for s in snapshots])
        for name, weights in (("no weights", None), ("with weights", random.uniform(0, 1, chosen.identities)))
    }
    print_training(steps, curves)
    plot_training(steps, curves, chosen.out / "training.png")

    ends = {"before training": snapshots[0], "after training": snapshots[-1]}
    print_hinge(ends, labels, np.array([0.1, 1, 10, 100, 1000]))
    plot_hinge(ends, labels, np.geomspace(0.05, 5000, 60), chosen.out / "hinge.png")


if __name__ == "__main__":
    main()
