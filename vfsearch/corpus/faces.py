"""Drawn photos of faces: whose it is comes from a face latent, pose, light, look and background are random."""

from dataclasses import dataclass

import numpy as np

from vfsearch.corpus.drawing import mix
from vfsearch.corpus.people import SHARED

PHOTO_PIXELS = 160

_SKIN = [(88, 54, 40), (141, 88, 62), (190, 132, 98), (224, 172, 138), (246, 213, 190)]
_HAIR = [(22, 18, 20), (58, 38, 28), (112, 70, 40), (158, 96, 56), (222, 184, 118)]
_GREY_HAIR = np.array((205, 205, 208))
_IRIS = [(52, 32, 20), (96, 66, 34), (84, 110, 72), (88, 128, 170)]


@dataclass(frozen=True, kw_only=True, eq=False)
class FaceTraits:
    """What makes one face; lengths are in half heights of the head.

    Attributes:
        width: half the width of the head at the eyes.
        chin: how much the jaw narrows, 0 to 1.
        squareness: exponent of the outline, 2 for an ellipse.
        skin: (3,) colour, 0 to 255.
        hair: (3,) colour.
        iris: (3,) colour.
        hair_length: v down to which the hair hangs behind the head; above -0.2 it shows beside the face.
        hairline: v of the hairline in the middle.
        parting: u of the parting of the hair.
        fringe: how far the hair falls over the forehead, 0 to 1.
        eye_distance: u of the middle of an eye.
        eye_width: half the width of an eye.
        eye_height: half the height of an open eye.
        eye_level: v of the eyes.
        brow_level: v of the brows above the eyes.
        brow_thickness: half their thickness.
        brow_slope: fall of the brows outwards.
        nose_width: half the width of the nose at the nostrils.
        nose_level: v of the nostrils.
        mouth_width: half the width of the mouth.
        mouth_level: v of the mouth.
        lip_height: height of each lip.
        beard: cover of the lower face, 0 to 1.
        lines: depth of the lines of age, 0 to 1.
        glasses: opacity of the frame of the glasses, 0 for none.
    """

    width: float
    chin: float
    squareness: float
    skin: np.ndarray
    hair: np.ndarray
    iris: np.ndarray
    hair_length: float
    hairline: float
    parting: float
    fringe: float
    eye_distance: float
    eye_width: float
    eye_height: float
    eye_level: float
    brow_level: float
    brow_thickness: float
    brow_slope: float
    nose_width: float
    nose_level: float
    mouth_width: float
    mouth_level: float
    lip_height: float
    beard: float
    lines: float
    glasses: float


def face_traits(latent: tuple[float, ...]) -> FaceTraits:
    """Traits of the face that a latent stands for.

    Args:
        latent: the face latent of a `Person`.
    """
    z = np.clip(latent, -2.3, 2.3)
    lengths = {name: float(value) for name, value in (_frame(z) | _features(z)).items()}
    return FaceTraits(**lengths, **_colours(z))


def _frame(z: np.ndarray) -> dict[str, np.floating]:
    """The head, its hair and what comes with age and gender."""
    own = z[SHARED:]
    return {
        "width": 0.735 - 0.05 * z[2] + 0.015 * z[0],
        "chin": 0.34 - 0.08 * z[0] + 0.03 * own[0],
        "squareness": 2.35 + 0.18 * z[0],
        "hair_length": 0.45 - 0.75 * z[0] + 0.25 * own[1],
        "hairline": -0.60 - 0.05 * z[2] - 0.035 * z[1] * (1 + 0.5 * z[0]),
        "parting": 0.25 * own[2],
        "fringe": np.clip(0.4 - 0.3 * z[1] + 0.4 * own[3], 0, 1),
        "beard": np.clip(1.2 * z[0] - 0.5 + 0.5 * z[6], 0, 1) * (z[0] > 0.2),
        "lines": np.clip(0.35 + 0.42 * z[1], 0, 1),
        "glasses": own[4] > 0.7,
    }


def _colours(z: np.ndarray) -> dict[str, np.ndarray]:
    grey = float(np.clip(0.75 * z[1] - 0.2, 0, 0.85))
    hair = mix(_HAIR, 0.45 + 0.25 * z[5])
    return {
        "skin": mix(_SKIN, 0.58 + 0.22 * z[4]),
        "hair": hair + grey * (_GREY_HAIR - hair),
        "iris": mix(_IRIS, 0.4 + 0.15 * z[4] + 0.2 * z[SHARED + 5]),
    }


def _features(z: np.ndarray) -> dict[str, np.floating]:
    own = z[SHARED:]
    eye_level = -0.07 + 0.025 * z[2]
    return {
        "eye_distance": 0.305 + 0.022 * z[3],
        "eye_width": 0.142 - 0.014 * z[3] - 0.004 * z[0],
        "eye_height": 0.068 - 0.012 * z[3] - 0.006 * z[0] - 0.006 * z[1],
        "eye_level": eye_level,
        "brow_level": eye_level - 0.185 - 0.022 * z[7] + 0.012 * z[0],
        "brow_thickness": 0.03 + 0.009 * z[0] + 0.004 * own[5],
        "brow_slope": -0.01 + 0.04 * own[3],
        "nose_width": 0.125 + 0.024 * z[6] + 0.01 * z[0],
        "nose_level": 0.31 + 0.03 * z[6] + 0.012 * own[1],
        "mouth_width": 0.25 + 0.034 * z[7] + 0.01 * own[0],
        "mouth_level": 0.575 + 0.02 * z[2] + 0.012 * own[2],
        "lip_height": 0.062 + 0.013 * own[0] - 0.008 * z[0] - 0.008 * z[7],
    }


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """What differs between photos of one face.

    Attributes:
        centre: pixels from the left and from the top of the middle of the head.
        unit: pixels in half a head's height.
        roll: in radians.
        turn: shift of the features by a turn to the side and a nod, in half heights.
        light: (3,) direction to the light, unit length.
        ambient: share of light from everywhere.
        smile: curve of the mouth, -1 to 1.
        open_mouth: height of the opening between the lips.
        open_eyes: factor on the height of the eyes.
        backdrop: (2, 3) colours of the background, above and below.
        clothes: (3,) colour.
        warmth: colour cast, 0 for none.
        noise_seed: for the grain of picture and hair.
    """

    centre: tuple[float, float]
    unit: float
    roll: float
    turn: tuple[float, float]
    light: np.ndarray
    ambient: float
    smile: float
    open_mouth: float
    open_eyes: float
    backdrop: np.ndarray
    clothes: np.ndarray
    warmth: float
    noise_seed: int


def draw_view(rng: np.random.Generator) -> View:
    """A random view: head nearly upright and frontal, as face detectors want it."""
    smile = rng.uniform(0.0, 1.0)
    light = np.array([rng.uniform(-0.55, 0.55), rng.uniform(-0.6, -0.1), 1.0])
    middle = PHOTO_PIXELS / 2
    return View(
        centre=(middle + rng.normal(0, 2.5), middle + 2 + rng.normal(0, 2.5)),
        unit=PHOTO_PIXELS * rng.uniform(0.335, 0.385),
        roll=rng.normal(0, 0.06),
        turn=(rng.normal(0, 0.05), rng.normal(0, 0.025)),
        light=light / np.linalg.norm(light),
        ambient=rng.uniform(0.5, 0.68),
        smile=smile,
        open_mouth=max(0.0, rng.normal(0, 0.03)) * max(0.0, smile),
        open_eyes=rng.uniform(0.85, 1.1),
        backdrop=(rng.uniform(95, 205) + rng.uniform(-25, 25, 3)) * np.array([[1.0], [rng.uniform(0.55, 0.9)]]),
        clothes=rng.uniform(40, 170) + rng.uniform(-40, 40, 3),
        warmth=rng.normal(0, 0.03),
        noise_seed=int(rng.integers(2**32)),
    )
