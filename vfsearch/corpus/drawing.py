"""Soft-edged shapes on a picture, in the coordinates of a head: v from -1 (crown) to 1 (chin), u to the right."""

from dataclasses import dataclass

import numpy as np

Colour = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Where each pixel lies in some coordinates.

    Attributes:
        u: (h, w) float32, to the right of the picture.
        v: (h, w) float32, downwards.
        pixel: width of a pixel in these units, over which an edge is softened.
    """

    u: np.ndarray
    v: np.ndarray
    pixel: float


def rotated_grid(size: int, centre: tuple[float, float], unit: float, angle: float) -> Grid:
    """Coordinates of a head in a square picture.

    Args:
        size: pixels a side.
        centre: where (0, 0) of the head is, in pixels from the left and from the top.
        unit: pixels in half a head's height.
        angle: roll of the head, in radians.
    """
    x = (np.arange(size, dtype=np.float32) - centre[0])[None] / unit
    y = (np.arange(size, dtype=np.float32) - centre[1])[:, None] / unit
    cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return Grid(u=cosine * x + sine * y, v=cosine * y - sine * x, pixel=1 / unit)


def inside(depth: np.ndarray, softness: float) -> np.ndarray:
    """Mask of where `depth` is positive, from 0 to 1 over about `softness` on both sides of the edge.

    Example:
        >>> inside(np.array([-1.0, 0.0, 1.0]), 0.5).tolist()
        [0.0, 0.5, 1.0]
    """
    step = np.clip(0.5 + depth / (2 * softness), 0, 1)
    return step * step * (3 - 2 * step)


def ellipse(
    grid: Grid, centre: tuple[float, float], radii: tuple[float, float], softness: float | None = None
) -> np.ndarray:
    """Mask of an ellipse; the edge is as soft as a pixel unless told otherwise."""
    across = np.hypot((grid.u - centre[0]) / radii[0], (grid.v - centre[1]) / radii[1])
    return inside((1 - across) * min(radii), softness or grid.pixel)


def blob(grid: Grid, centre: tuple[float, float], radii: tuple[float, float]) -> np.ndarray:
    """Gaussian hump of height 1, for shades without an edge; `radii` are its standard deviations."""
    return np.exp(-0.5 * (((grid.u - centre[0]) / radii[0]) ** 2 + ((grid.v - centre[1]) / radii[1]) ** 2))


def stroke(grid: Grid, heights: np.ndarray, thickness: np.ndarray | float, span: tuple[float, float]) -> np.ndarray:
    """Mask of a line v = heights(u) of some half thickness, from span[0] to span[1] along u, with thinning ends.

    Args:
        grid: the coordinates.
        heights: (h, w) v of the line at each pixel's u.
        thickness: half the thickness.
        span: where it begins and ends.
    """
    middle, half = (span[0] + span[1]) / 2, (span[1] - span[0]) / 2
    ends = np.clip(1 - np.abs((grid.u - middle) / half) ** 4, 0, 1)
    return inside(thickness * np.sqrt(ends) - np.abs(grid.v - heights), grid.pixel) * inside(ends - 0.05, 0.05)


def mix(stops: list[Colour], position: float) -> np.ndarray:
    """Colour at a position in [0, 1] along some stops.

    Example:
        >>> mix([(0, 0, 0), (100, 200, 50)], 0.5).tolist()
        [50.0, 100.0, 25.0]
    """
    at = float(np.clip(position, 0, 1)) * (len(stops) - 1)
    low = min(int(at), len(stops) - 2)
    return np.array(stops[low]) + (at - low) * (np.array(stops[low + 1]) - np.array(stops[low]))


def paint(picture: np.ndarray, mask: np.ndarray, colour: np.ndarray | Colour) -> None:
    """Lay a colour over a picture where the mask is, in place.

    Args:
        picture: (h, w, 3) float32.
        mask: (h, w) opacity in [0, 1].
        colour: (3,) one colour or (h, w, 3) one a pixel.
    """
    picture += mask[..., None] * (np.asarray(colour, np.float32) - picture)


def shade(picture: np.ndarray, mask: np.ndarray, amount: float) -> None:
    """Darken a picture by `amount` where the mask is 1, in place; a negative amount lightens it."""
    picture *= (1 - amount * mask)[..., None]
