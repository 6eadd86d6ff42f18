"""What one diagram shows: lines by name on labelled axes, whatever draws it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vfsearch.errors import SettingsError

SCALES = ("linear", "log", "log2", "probit")


@dataclass(frozen=True, kw_only=True, eq=False)
class Line:
    """One line of a diagram.

    Args:
        name: in the legend.
        run: whose it is; lines of one run have one colour. "": the line has a run of its own.
        x, y: (n,) float64.
        low, high: (n,) 95 % intervals of y; None: not known.
        dashed: it stands beside the main line of the same run (non-mated scores).
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    run: str = ""
    dashed: bool = False

    def __post_init__(self) -> None:
        lengths = {len(each) for each in (self.x, self.y, self.low, self.high) if each is not None}
        if len(lengths) != 1:
            raise SettingsError(f"the line {self.name} has columns of {sorted(lengths)} values")


@dataclass(frozen=True, kw_only=True, eq=False)
class Plot:
    """One diagram.

    Args:
        name: of its file, for example "roc-voice-to-face".
        title: what it shows.
        x, y: labels of the axes.
        lines: at least one.
        x_scale, y_scale: of `SCALES`; values of all but "linear" axes are rates or counts, as they are.
        chance: what scores without information give, as a line.
        mark: whether points are marked.
        joined: whether points are joined by lines.
        steps: whether lines are histograms: a value a bin, x being the bins' left edges.
    """

    name: str
    title: str
    x: str
    y: str
    lines: Sequence[Line]
    x_scale: str = "linear"
    y_scale: str = "linear"
    chance: Line | None = None
    mark: bool = False
    joined: bool = True
    steps: bool = False

    def __post_init__(self) -> None:
        for scale in (self.x_scale, self.y_scale):
            if scale not in SCALES:
                raise SettingsError(f"the scale of {self.name} is {scale!r}, wanted one of {', '.join(SCALES)}")
        if not self.lines:
            raise SettingsError(f"the diagram {self.name} has no lines")


@dataclass(frozen=True, kw_only=True, eq=False)
class Shares:
    """What became of all that was asked, a bar a run.

    Args:
        name: of its file.
        title: what it shows.
        causes: in the order of the bar's parts, the wanted one first.
        runs: of the bars.
        shares: (runs, causes) float64; a row adds up to 1.
    """

    name: str
    title: str
    causes: Sequence[str]
    runs: Sequence[str]
    shares: np.ndarray

    def __post_init__(self) -> None:
        if self.shares.shape != (len(self.runs), len(self.causes)):
            raise SettingsError(
                f"the diagram {self.name} has {self.shares.shape} shares for {len(self.runs)} runs and "
                f"{len(self.causes)} causes"
            )
