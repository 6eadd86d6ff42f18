"""What a training found of its identities as one figure: how hard each is, and what became of its weight."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vfsearch.errors import SettingsError
from vfsearch.report.drawing import BLUE, ORANGE, SKY, png

WIDTH_INCHES, HEIGHT_INCHES = 9.6, 4.6
# Up to so many identities stand with their names, up to so many with a dot each; then a dot stands for several.
NAMED, SINGLE = 40, 200
LONGEST_NAME = 16
FIRST, LATER, LEFT_OUT = range(3)
_STYLES = {
    FIRST: {"color": BLUE, "marker": "o"},
    LATER: {"color": SKY, "marker": "s"},
    LEFT_OUT: {"color": ORANGE, "marker": "X"},
}


@dataclass(frozen=True, kw_only=True, eq=False)
class WeighedIdentities:
    """Identities with what the training found of them.

    Args:
        identities: their names.
        hardness: (n,) running means of their losses; finite.
        weights: (n,) their weights, finite and not negative; 0: left out.
    Raises:
        SettingsError: unequal lengths, no identity, or a value out of its range.
    """

    identities: Sequence[str]
    hardness: Sequence[float] | np.ndarray
    weights: Sequence[float] | np.ndarray

    def __post_init__(self) -> None:
        if not len(self.identities) == len(self.hardness) == len(self.weights) > 0:
            raise SettingsError(
                f"{len(self.identities)} identities, {len(self.hardness)} values of hardness and {len(self.weights)} "
                "weights; want one of each for every identity, and one identity or more"
            )
        self._keep("hardness", "finite", -np.inf)
        self._keep("weights", "finite and not negative", 0.0)

    def _keep(self, name: str, wanted: str, least: float) -> None:
        values = np.asarray(getattr(self, name), dtype=np.float64)
        wrong = np.flatnonzero(~(np.isfinite(values) & (values >= least)))
        if len(wrong):
            raise SettingsError(f"{name}: {self.identities[wrong[0]]} has {values[wrong[0]]:g}, it must be {wanted}")
        object.__setattr__(self, name, values)

    @cached_property
    def order(self) -> np.ndarray:
        """(n,) rows, the hardest first; of two alike the later one, as re-weighting takes the earlier for easier."""
        return np.argsort(self.hardness, kind="stable")[::-1]

    @cached_property
    def groups(self) -> np.ndarray:
        """(n,) `FIRST`, `LATER` or `LEFT_OUT`.

        In re-weighting all weights decay whenever identities are let in, so that those of the first ones are the
        smallest above 0. Of weights from elsewhere this tells but the smallest from the others.
        """
        above = self.weights[self.weights > 0]
        first = above.min() if len(above) else 0.0
        return np.select([self.weights == 0, self.weights > first], [LEFT_OUT, LATER], FIRST)


def identities_figure(identities: Sequence[str], hardness: Sequence[float], weights: Sequence[float]) -> bytes:
    """PNG bytes of the hardness of identities, the hardest first, marked by what became of their weights.

    Of more than 200 identities a dot is the mean of a stretch of that order, with the mark of most of them; how the
    stretch is shared stands below.

    Args:
        identities, hardness, weights: see `WeighedIdentities`.
    Raises:
        SettingsError: unequal lengths, no identity, or a value out of its range.
    """
    found = WeighedIdentities(identities=identities, hardness=hardness, weights=weights)
    return png(lambda figure: _draw(figure, found), WIDTH_INCHES, HEIGHT_INCHES)


def _draw(figure, found: WeighedIdentities) -> None:
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(5, 1))
    stretches = np.array_split(found.order, min(len(found.order), SINGLE))
    # Ranks are counted from 1; each has the width 1.
    edges = np.cumsum([0, *map(len, stretches)]) + 0.5
    shares = np.array([np.bincount(found.groups[rows], minlength=3) / len(rows) for rows in stretches])
    means = np.array([found.hardness[rows].mean() for rows in stretches])
    _draw_hardness(upper, (edges[:-1] + edges[1:]) / 2, means, shares.argmax(axis=1), found)
    _draw_shares(lower, edges, shares)
    _draw_ranks(lower, found)
    figure.align_ylabels()
    handles, labels = upper.get_legend_handles_labels()
    figure.legend(handles[::-1], labels[::-1], loc="outside upper left", ncols=3, handletextpad=0.2)


def _draw_hardness(axes, places: np.ndarray, means: np.ndarray, groups: np.ndarray, found: WeighedIdentities) -> None:
    size = 6.5 if len(places) <= NAMED else 4.5
    for group in np.unique(found.groups):
        own = groups == group
        label = _label(found, group)
        axes.plot(places[own], means[own], **_STYLES[group], linestyle="", markersize=size, label=label)
    axes.set_ylabel("hardness\n(running mean of the loss)")


def _label(found: WeighedIdentities, group: int) -> str:
    """For example "let in later: 374 (weights 0.851 to 1)"."""
    names = {FIRST: "let in first" if LATER in found.groups else "let in", LATER: "let in later", LEFT_OUT: "left out"}
    own = found.weights[found.groups == group]
    low, high = f"{own.min():.3g}", f"{own.max():.3g}"
    weight = f"weight {low}" if low == high else f"weights {low} to {high}"
    return f"{names[group]}: {len(own):,} ({weight})"


def _draw_shares(axes, edges: np.ndarray, shares: np.ndarray) -> None:
    below = np.zeros(len(shares))
    for group, style in _STYLES.items():
        above = below + shares[:, group]
        axes.stairs(above, edges, baseline=below, fill=True, color=style["color"], linewidth=0)
        below = above
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 1], ["0 %", "100 %"])
    axes.set_ylabel("share")


def _draw_ranks(axes, found: WeighedIdentities) -> None:
    count = len(found.order)
    axes.set_xlim(0.5, count + 0.5)
    axes.set_xlabel("one identity" if count == 1 else f"{count:,} identities, the hardest first")
    if count > NAMED:
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        return
    few = count <= 6
    names = [_short(found.identities[row]) for row in found.order]
    turn = {"rotation": 0 if few else 60, "ha": "center" if few else "right", "rotation_mode": "anchor"}
    axes.set_xticks(range(1, count + 1), names, fontsize=8.5, parse_math=False, va="top" if few else "center", **turn)


def _short(name: str) -> str:
    """A name that fits and can be drawn; names often differ at their end, so the middle is left out."""
    name = "".join(letter if letter.isprintable() else "?" for letter in name)
    half = LONGEST_NAME // 2
    return name if len(name) <= LONGEST_NAME else f"{name[: half - 1]}…{name[-half:]}"
