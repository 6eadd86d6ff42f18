"""Series made fit to be drawn: means over neighbours, and no more points than the eye can tell apart."""

import numpy as np


def local_means(values: np.ndarray, places: np.ndarray, window: int) -> np.ndarray:
    """Means around some places of a series.

    Args:
        values: (n,); what is not finite is left out.
        places: (m,) rows in the middle of a window.
        window: rows in it; an even number counts as the next odd one, and there are fewer at the ends of the series.
    Returns:
        (m,) float64; NaN where the window has no finite value.

    Example:
        >>> local_means(np.array([1.0, 2.0, 6.0, np.nan]), np.arange(4), 3)
        array([1.5, 3. , 4. , 6. ])
    """
    means = np.full(len(places), np.nan)
    for number, place in enumerate(places):
        near = values[max(place - window // 2, 0) : place + window // 2 + 1]
        near = near[np.isfinite(near)]
        if len(near):
            means[number] = near.mean()
    return means


def spread(length: int, most: int) -> np.ndarray:
    """(m,) int64 rows of a series of some length, the first and the last among them, evenly spread; m <= most.

    Example:
        >>> spread(101, 5)
        array([  0,  25,  50,  75, 100])
    """
    return np.unique(np.linspace(0, max(length - 1, 0), min(length, most)).round().astype(np.int64))


def extremes(values: np.ndarray, buckets: int) -> np.ndarray:
    """Rows to draw of a long series: the least and the greatest finite value of each of `buckets` equal stretches.

    A line through them covers the same band as one through all. A short series is kept whole.

    Args:
        values: (n,).
        buckets: stretches, 1 or more.
    Returns:
        (m,) int64, rising, m <= 2 * buckets.
    """
    if len(values) <= 2 * buckets:
        return np.arange(len(values))
    chosen = []
    for rows in np.array_split(np.arange(len(values)), buckets):
        finite = rows[np.isfinite(values[rows])]
        if len(finite):
            chosen += [finite[np.argmin(values[finite])], finite[np.argmax(values[finite])]]
    return np.unique(np.array(chosen, dtype=np.int64))
