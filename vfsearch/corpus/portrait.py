"""The layers of a drawn portrait, from the background to the grain of the picture."""

import numpy as np

from vfsearch.corpus.drawing import Grid, blob, ellipse, inside, paint, rotated_grid, shade, stroke
from vfsearch.corpus.faces import PHOTO_PIXELS, FaceTraits, View

_DARK = (28.0, 20.0, 20.0)
_SCLERA = (236.0, 232.0, 228.0)
_TEETH = (240.0, 236.0, 226.0)


def draw_portrait(traits: FaceTraits, view: View) -> np.ndarray:
    """One photo of a face.

    Args:
        traits: whose face it is.
        view: how it was taken.
    Returns:
        (160, 160, 3) uint8, RGB.
    """
    rng = np.random.default_rng(view.noise_seed)
    head = rotated_grid(PHOTO_PIXELS, view.centre, view.unit, view.roll)
    depth = _head_depth(head, traits)
    bulge = np.sqrt(np.clip(depth * (2 - depth), 0, 1))
    face = Grid(u=head.u - view.turn[0] * bulge, v=head.v - view.turn[1] * bulge, pixel=head.pixel)
    picture = _backdrop(view)
    _hair_behind(picture, head, traits)
    _shoulders(picture, head, traits, view)
    _head(picture, head, traits, view, depth)
    _relief(picture, face, traits)
    _age(picture, face, traits)
    _beard(picture, face, traits, inside(depth, head.pixel), rng)
    _nose(picture, face, traits)
    _mouth(picture, face, traits, view)
    for side in (-1, 1):
        _eye(picture, face, traits, view, side)
        _brow(picture, face, traits, side)
    _hair_front(picture, head, face, traits)
    _glasses(picture, face, traits)
    return _develop(picture, view, rng)


def _head_depth(grid: Grid, traits: FaceTraits) -> np.ndarray:
    """(h, w) 1 in the middle of the head, 0 on its outline, negative outside."""
    narrowing = 1 - traits.chin * np.clip(grid.v, 0, 1.2) ** 2
    across = np.abs(grid.u) / (traits.width * narrowing)
    power = traits.squareness
    return (1 - (across**power + np.abs(grid.v) ** power) ** (1 / power)).astype(np.float32)


def _backdrop(view: View) -> np.ndarray:
    down = np.linspace(0, 1, PHOTO_PIXELS, dtype=np.float32)[:, None, None]
    rows = view.backdrop[0] + down * (view.backdrop[1] - view.backdrop[0])
    return np.repeat(rows, PHOTO_PIXELS, axis=1).astype(np.float32)


def _lit(grid: Grid, traits: FaceTraits, view: View, depth: np.ndarray) -> np.ndarray:
    """(h, w) brightness of the head as a smooth bulge under the view's light."""
    slope_u, slope_v = grid.u / traits.width, grid.v * 0.9
    towards = np.sqrt(np.clip(1 - slope_u**2 - slope_v**2, 0.04, 1))
    length = np.sqrt(slope_u**2 + slope_v**2 + towards**2)
    facing = (slope_u * view.light[0] + slope_v * view.light[1] + towards * view.light[2]) / length
    return view.ambient + (1.08 - view.ambient) * np.clip(facing, 0, 1)


def _shoulders(picture: np.ndarray, grid: Grid, traits: FaceTraits, view: View) -> None:
    body = ellipse(grid, (0, 2.05), (1.3 + 0.4 * (traits.squareness - 2.35), 0.9))
    paint(picture, body, view.clothes)
    shade(picture, body * np.clip(np.abs(grid.u) - 0.3, 0, 1), 0.35)
    neck = inside(0.36 + 0.25 * (traits.width - 0.7) - np.abs(grid.u), grid.pixel) * inside(grid.v - 0.4, 0.05)
    neck = neck * inside(1.32 - grid.v - 0.5 * grid.u**2, grid.pixel)
    paint(picture, neck, traits.skin * 0.78)
    shade(picture, neck * blob(grid, (0, 0.95), (0.5, 0.16)), 0.35)


def _head(picture: np.ndarray, grid: Grid, traits: FaceTraits, view: View, depth: np.ndarray) -> None:
    for side in (-1, 1):
        ear = ellipse(grid, (side * traits.width * 0.985, 0.06), (0.085, 0.17))
        paint(picture, ear, traits.skin * 0.86)
        shade(picture, blob(grid, (side * traits.width * 1.0, 0.06), (0.03, 0.09)) * ear, 0.3)
    light = _lit(grid, traits, view, depth)
    paint(picture, inside(depth, grid.pixel), light[..., None] * traits.skin)


def _relief(picture: np.ndarray, face: Grid, traits: FaceTraits) -> None:
    """Shades of the sockets, cheeks, temples and chin, which make a face of a disc."""
    for side in (-1, 1):
        shade(picture, blob(face, (side * traits.eye_distance, traits.eye_level - 0.05), (0.15, 0.085)), 0.24)
        shade(picture, blob(face, (side * 0.13, traits.eye_level + 0.01), (0.05, 0.09)), 0.18)
        shade(picture, blob(face, (side * 0.36, 0.27), (0.13, 0.1)), -0.09)
        shade(picture, blob(face, (side * 0.55, 0.42), (0.1, 0.22)), 0.12)
        tint = picture * np.array([1.03, 0.9, 0.9], np.float32)
        paint(picture, 0.5 * blob(face, (side * 0.38, 0.3), (0.12, 0.09)), tint)
    shade(picture, blob(face, (0, traits.mouth_level + 0.16), (0.16, 0.035)), 0.17)
    shade(picture, blob(face, (0, 0.86), (0.13, 0.06)), -0.08)
    shade(picture, blob(face, (0, -0.42), (0.3, 0.12)), -0.06)


def _age(picture: np.ndarray, face: Grid, traits: FaceTraits) -> None:
    """Lines on the forehead, beside the nose and under the eyes."""
    wave = 0.02 * np.cos(face.u * 7)
    for level in (-0.40, -0.47, -0.54):
        shade(picture, stroke(face, level + wave, 0.012, (-0.3, 0.3)), 0.26 * traits.lines)
    for side in (-1, 1):
        along = (face.v - traits.nose_level + 0.04) / 0.3
        fold = np.abs(face.u - side * (traits.nose_width + 0.045 + 0.13 * along))
        shade(picture, inside(0.018 - fold, 0.03) * inside(0.5 - np.abs(along - 0.5), 0.15), 0.34 * traits.lines)
        bag = traits.eye_level + 0.13 - 1.4 * (face.u - side * traits.eye_distance) ** 2
        reach = (side * traits.eye_distance - 0.13, side * traits.eye_distance + 0.13)
        shade(picture, stroke(face, bag, 0.013, reach), 0.3 * traits.lines)


def _beard(picture: np.ndarray, face: Grid, traits: FaceTraits, head: np.ndarray, rng: np.random.Generator) -> None:
    if traits.beard <= 0.02:
        return
    mouth = traits.mouth_level
    border = mouth - 0.14 - 0.75 * np.clip(np.abs(face.u) - 0.28, 0, 1) + 0.04 * np.cos(6 * face.u)
    cover = inside(face.v - border, 0.05) * head
    cover = cover * (1 - 0.9 * ellipse(face, (0, mouth), (traits.mouth_width * 0.95, 0.085), 0.05))
    grain = 0.8 + 0.2 * rng.standard_normal(cover.shape).astype(np.float32)
    paint(picture, np.clip(cover * grain * (0.2 + 0.75 * traits.beard), 0, 1), traits.hair * 0.85)


def _nose(picture: np.ndarray, face: Grid, traits: FaceTraits) -> None:
    tip, width = traits.nose_level, traits.nose_width
    top = traits.eye_level
    middle, reach = (top + tip) / 2, (tip - top) / 2.2
    shade(picture, blob(face, (0, middle), (0.032, reach)), -0.13)
    for side in (-1, 1):
        shade(picture, blob(face, (side * (0.035 + 0.45 * width), middle + 0.05), (0.035, reach)), 0.16)
        shade(picture, blob(face, (side * width, tip - 0.035), (0.03, 0.045)), 0.28)
        nostril = ellipse(face, (side * width * 0.52, tip), (0.2 * width + 0.012, 0.02), 0.02)
        paint(picture, 0.75 * nostril, traits.skin * 0.28)
    shade(picture, blob(face, (0, tip - 0.06), (0.05, 0.04)), -0.12)
    shade(picture, blob(face, (0, tip + 0.035), (width * 0.85, 0.022)), 0.3)


def _mouth(picture: np.ndarray, face: Grid, traits: FaceTraits, view: View) -> None:
    half = traits.mouth_width * (1 + 0.12 * view.smile)
    along = np.clip(np.abs(face.u) / half, 0, 1)
    line = traits.mouth_level + 0.075 * view.smile * (0.4 - along**2)
    fullness = 1 - along**2.2
    opening = view.open_mouth * fullness
    lip = traits.skin * np.array([0.85, 0.6, 0.58])
    bow = 0.8 + 0.2 * np.cos(np.clip(face.u / half, -1, 1) * 9)
    within = inside(half - np.abs(face.u), face.pixel)
    upper = inside(face.v - (line - opening - traits.lip_height * fullness * bow), face.pixel) * within
    lower = inside(line + opening + 1.15 * traits.lip_height * fullness - face.v, face.pixel) * within
    paint(picture, upper * lower, lip)
    shade(picture, upper * lower * inside(line - face.v, 0.02), 0.16)
    shade(picture, lower * blob(face, (0, traits.mouth_level + view.open_mouth + 0.04), (0.1, 0.02)), -0.16)
    gap = inside(opening - np.abs(face.v - line), face.pixel) * within * min(1.0, view.open_mouth / 0.01)
    paint(picture, gap, (70, 24, 26))
    paint(picture, gap * inside(line + 0.2 * opening - face.v, face.pixel), _TEETH)
    paint(picture, 0.85 * stroke(face, line, 0.011, (-half, half)) * (1 - gap), lip * 0.38)


def _eye(picture: np.ndarray, face: Grid, traits: FaceTraits, view: View, side: int) -> None:
    middle, half = side * traits.eye_distance, traits.eye_width
    height = traits.eye_height * view.open_eyes * (1 - 0.12 * max(0.0, view.smile))
    along = np.clip((face.u - middle) / half, -1, 1)
    arch = 1 - along**2
    upper, lower = traits.eye_level - height * arch, traits.eye_level + 0.62 * height * arch
    within = inside(half - np.abs(face.u - middle), face.pixel)
    ball = inside(face.v - upper, face.pixel) * inside(lower - face.v, face.pixel) * within
    paint(picture, ball, _SCLERA)
    shade(picture, ball * inside(upper + 0.035 - face.v, 0.03), 0.3)
    at = (middle, traits.eye_level - 0.1 * height)
    paint(picture, ball * ellipse(face, at, (0.066, 0.066)), traits.iris)
    paint(picture, ball * ellipse(face, at, (0.032, 0.032)), (12, 10, 10))
    paint(picture, ball * ellipse(face, (at[0] + 0.02, at[1] - 0.022), (0.014, 0.014)), (250, 250, 250))
    span = (middle - half * 1.08, middle + half * 1.08)
    paint(picture, 0.9 * stroke(face, upper, 0.015, span), _DARK)
    shade(picture, stroke(face, lower, 0.009, span), 0.32)
    shade(picture, stroke(face, upper - 0.045, 0.01, span), 0.28)


def _brow(picture: np.ndarray, face: Grid, traits: FaceTraits, side: int) -> None:
    along = (side * face.u - traits.eye_distance) / 0.2
    height = traits.brow_level + 0.035 * along**2 + traits.brow_slope * 0.5 * (along - 0.2)
    thickness = traits.brow_thickness * np.clip(1.05 - 0.4 * along, 0.3, 1.4)
    ends = sorted((side * (traits.eye_distance - 0.185), side * (traits.eye_distance + 0.21)))
    paint(picture, 0.85 * stroke(face, height, thickness, (ends[0], ends[1])), traits.hair * 0.55)


def _strands(grid: Grid, traits: FaceTraits) -> np.ndarray:
    """(h, w, 3) colour of hair with fine strands that fall from the parting and a sheen."""
    fall = np.arctan2(grid.u - traits.parting * 0.5, grid.v + 1.35)
    fine = 1 + 0.1 * np.sin(fall * 41) + 0.06 * np.sin(fall * 97 + 1)
    sheen = 0.85 + 0.4 * np.exp(-(((np.hypot(grid.u, grid.v) - 0.95) / 0.14) ** 2)) * (grid.v < 0)
    return (fine * sheen)[..., None] * traits.hair


def _hair_behind(picture: np.ndarray, grid: Grid, traits: FaceTraits) -> None:
    if traits.hair_length < -0.2:
        return
    reach = traits.width + 0.13
    crown = ellipse(grid, (0, -0.12), (reach, 1.0))
    fall = inside(reach * (1 - 0.1 * np.clip(grid.v, 0, 2)) - np.abs(grid.u), grid.pixel) * inside(grid.v, grid.pixel)
    cut = inside(traits.hair_length + 0.12 * np.cos(3 * grid.u) - grid.v, 0.06)
    paint(picture, np.maximum(crown, fall) * cut, _strands(grid, traits) * 0.72)


def _hair_front(picture: np.ndarray, head: Grid, face: Grid, traits: FaceTraits) -> None:
    cap = ellipse(head, (0, -0.22), (traits.width + 0.07, 0.9))
    aside = face.u - traits.parting
    hairline = traits.hairline + 0.16 * traits.fringe + 0.55 * np.clip(np.abs(face.u) - 0.32, 0, 1) ** 1.3
    hairline = hairline - 0.13 * np.exp(-((aside / 0.16) ** 2)) + 0.1 * traits.fringe * np.cos(5 * aside)
    temples = inside(np.abs(face.u) - (traits.width - 0.07), 0.03) * inside(0.02 - face.v, 0.05)
    cover = cap * np.maximum(inside(hairline - face.v, 0.03), temples)
    shade(picture, cap * inside(hairline + 0.06 - face.v, 0.06), 0.22)
    paint(picture, cover, _strands(face, traits))


def _glasses(picture: np.ndarray, face: Grid, traits: FaceTraits) -> None:
    if traits.glasses <= 0:
        return
    frame = np.zeros_like(face.u)
    for side in (-1, 1):
        centre = (side * (traits.eye_distance + 0.005), traits.eye_level + 0.02)
        outer, inner = ellipse(face, centre, (0.235, 0.185)), ellipse(face, centre, (0.205, 0.155))
        frame = np.maximum(frame, outer * (1 - inner))
        shade(picture, inner, -0.05)
    bridge = stroke(face, traits.eye_level - 0.02 + 0 * face.u, 0.014, (-0.1, 0.1))
    paint(picture, np.maximum(frame, bridge) * traits.glasses * 0.9, (36, 32, 38))


def _develop(picture: np.ndarray, view: View, rng: np.random.Generator) -> np.ndarray:
    """Colour cast, a little grain, whole numbers."""
    cast = np.array([1 + view.warmth, 1.0, 1 - view.warmth], np.float32)
    grain = rng.standard_normal(picture.shape[:2]).astype(np.float32)[..., None] * 2.2
    return np.clip(np.rint(picture * cast + grain), 0, 255).astype(np.uint8)
