"""ROC and DET curves as tables."""

from statistics import NormalDist

import numpy as np

from vfsearch.errors import SettingsError
from vfsearch.measure.operating_points import OperatingPoints

ROC_COLUMNS = ("threshold", "fmr", "tmr")
DET_COLUMNS = ("threshold", "fmr", "fnmr", "probit_fmr", "probit_fnmr")


def roc_points(points: OperatingPoints, most: int = 1000) -> np.ndarray:
    """The ROC curve: true match rate against false match rate.

    Args:
        points: what each threshold accepts.
        most: rows; where there are more corners, some of them in even steps along the curve.
    Returns:
        (n, 3): `ROC_COLUMNS`, each row an operating point, from "accept none" to "accept all".
    Raises:
        SettingsError: fewer than two rows are asked for.
    """
    places = _thinned(points, points.fmr, points.tmr, most)
    return np.column_stack([points.thresholds[places], points.fmr[places], points.tmr[places]])


def det_points(points: OperatingPoints, most: int = 1000) -> np.ndarray:
    """The DET curve: false non-match rate against false match rate, also on normal deviate (probit) axes.

    Args:
        points: what each threshold accepts.
        most: rows; where there are more corners, some of them in even steps along the curve on probit axes.
    Returns:
        (n, 5): `DET_COLUMNS`, each row an operating point, from "accept none" to "accept all"; the probit of 0 is
        -inf, that of 1 inf.
    Raises:
        SettingsError: fewer than two rows are asked for.
    Source: Martin et al., "The DET curve in assessment of detection task performance", Eurospeech 1997.
    """
    smallest = [0.5 / max(total, 1.0) for total in (points.other[-1], points.mated[-1])]
    corners = _corners(points)
    across, up = (
        _probits(np.clip(rates[corners], least, 1 - least))
        for rates, least in zip((points.fmr, points.fnmr), smallest, strict=True)
    )
    places = corners[_even_steps(across, up, most)]
    fmr, fnmr = points.fmr[places], points.fnmr[places]
    return np.column_stack([points.thresholds[places], fmr, fnmr, _probits(fmr), _probits(fnmr)])


def _thinned(points: OperatingPoints, across: np.ndarray, up: np.ndarray, most: int) -> np.ndarray:
    corners = _corners(points)
    return corners[_even_steps(across[corners], up[corners], most)]


def _corners(points: OperatingPoints) -> np.ndarray:
    """Places of the points where the curve bends: those on straight parts show nothing."""
    up, right = np.diff(points.mated), np.diff(points.other)
    bends = up[1:] * right[:-1] != up[:-1] * right[1:]
    return np.flatnonzero(np.concatenate([[True], bends, [True]])[: len(points.mated)])


def _even_steps(across: np.ndarray, up: np.ndarray, most: int) -> np.ndarray:
    """At most so many places at about even steps along a curve, the ends among them."""
    if most < 2:
        raise SettingsError(f"a curve wants at least 2 points, got {most}")
    if len(across) <= most:
        return np.arange(len(across))
    way = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(across)) + np.abs(np.diff(up)))])
    places = np.searchsorted(way, np.linspace(0.0, way[-1], most))
    places[-1] = len(way) - 1
    return np.unique(places)


def _probits(rates: np.ndarray) -> np.ndarray:
    normal, ends = NormalDist(), {0.0: -np.inf, 1.0: np.inf}
    return np.array([ends[rate] if rate in ends else _probit(normal, rate) for rate in rates.tolist()])


def _probit(normal: NormalDist, rate: float) -> float:
    return normal.inv_cdf(rate) if 0.0 < rate < 1.0 else float("nan")
