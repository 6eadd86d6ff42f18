"""The convex hull of the ROC curve: what the best monotone calibration of the scores can reach."""

import numpy as np

from vfsearch.measure.operating_points import OperatingPoints

_PASSES = 64


def hull_places(mated: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Places of the points at the corners of the upper hull, the ends among them.

    They are where pooling adjacent violators (PAV) ends its blocks.

    Args:
        mated, other: (m + 1,) accepted weights, both rising.
    Returns:
        Ascending places.
    Source: Fawcett & Niculescu-Mizil, "PAV and the ROC convex hull", Machine Learning 2007.
    Example:
        >>> hull_places(np.array([0.0, 1.0, 1.0, 2.0]), np.array([0.0, 0.0, 1.0, 1.0]))
        array([0, 1, 3])
    """
    places = np.flatnonzero(np.concatenate([np.diff(mated) + np.diff(other) > 0, [True]]))
    for _ in range(_PASSES):
        outside = _bends(mated[places], other[places])
        if outside.all():
            return places
        places = places[outside]
    return _chain(places, mated, other)


def _bends(mated: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Whether each point lies above the line between its neighbours; one that does not is no corner of the hull."""
    up, right = np.diff(mated), np.diff(other)
    return np.concatenate([[True], right[:-1] * up[1:] < right[1:] * up[:-1], [True]])[: len(mated)]


def _chain(places: np.ndarray, mated: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The same for curves that give up their points a few at a time: Andrew's monotone chain."""
    found: list[int] = []
    for place in places.tolist():
        while len(found) > 1 and not _bends(mated[[*found[-2:], place]], other[[*found[-2:], place]])[1]:
            found.pop()
        found.append(place)
    return np.array(found)


def hull(points: OperatingPoints) -> OperatingPoints:
    """The corners of the convex hull as operating points between which scores are as good as equal."""
    places = hull_places(points.mated, points.other)
    return OperatingPoints(thresholds=points.thresholds[places], mated=points.mated[places], other=points.other[places])
