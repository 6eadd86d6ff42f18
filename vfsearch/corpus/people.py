"""Generated people: latent traits of voices and faces, of which a stated part is common to both.

A latent is a row of about standard normal numbers. The first `SHARED` of them tie voice and face together, the rest
belong to one modality alone and make people individual. What the shared ones do:

| latent | voice | face |
|---|---|---|
| 0 build | pitch, vocal tract length (with gender) | jaw, brows, hair length, beard (with gender) |
| 1 age | jitter, shimmer, roughness, speaking rate (with age) | lines, grey hair, skin (with age) |
| 2 height | pitch within the gender, third formant | face length, forehead |
| 3 size | vocal tract length within the gender | eye spacing and size |
| 4 air | breathiness, open quotient | skin tone |
| 5 brightness | spectral tilt | hair colour |
| 6 resonance | nasality, formant bandwidths | nose, beard fullness |
| 7 articulation | vowel placement | mouth, brow height |
"""

from dataclasses import dataclass

import numpy as np

from vfsearch.errors import SettingsError

SHARED = 8
PRIVATE = 6
GENDERS = ("female", "male")
NATIONALITIES = ("A", "B", "C", "D")
AGES = ("20s", "40s", "60s")

_AGE_STEP = 0.85 * np.sqrt(1.5)
_GENDER_STEP = 0.85
_WITHIN_GROUP = np.sqrt(1 - 0.85**2)
_NATIONALITY_SHIFTS = 0.45 * np.array(
    # Rows A, B, C, D over latents 2 to 7; every column sums to zero, so that the latents stay centred.
    [
        [0.5, -0.5, 1.4, 1.2, -0.6, 0.8],
        [-0.5, 0.5, 0.5, -0.4, 0.6, -1.2],
        [0.5, 0.5, -0.6, -1.2, -0.6, 1.0],
        [-0.5, -0.5, -1.3, 0.4, 0.6, -0.6],
    ]
)


@dataclass(frozen=True, kw_only=True)
class Person:
    """One generated person.

    The attributes describe the voice; the face has them too as far as voice and face share their latents.

    Attributes:
        identity: name, for example "person0007".
        gender: one of `GENDERS`.
        nationality: one of `NATIONALITIES`.
        age: one of `AGES`.
        personalised: whether the face was drawn without regard to the voice.
        voice_latent: `SHARED + PRIVATE` numbers, about standard normal over people.
        face_latent: likewise.
    """

    identity: str
    gender: str
    nationality: str
    age: str
    personalised: bool
    voice_latent: tuple[float, ...]
    face_latent: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class _Groups:
    """Which gender, nationality and age group (positions in the tuples above) shift a latent."""

    gender: int
    nationality: int
    age: int


def identity_name(number: int) -> str:
    """Name of person `number`, counted from 0.

    Example:
        >>> identity_name(7)
        'person0007'
    """
    return f"person{number:04d}"


def draw_people(*, people: int, seed: int, sharing: float, personalised: float = 0.0) -> list[Person]:
    """Draw people whose voice and face latents correlate by `sharing`.

    Each person is drawn from (seed, number) alone: more people leave the first ones as they were. Group labels are
    common to voice and face with probability `sharing` and drawn anew for the face otherwise, so that with 0 the face
    says nothing about the voice, its gender, age and nationality included.

    Args:
        people: how many.
        seed: any whole number from 0.
        sharing: correlation of the shared latents of voice and face, in [0, 1].
        personalised: share of people, spread evenly, whose face is independent of their voice, in [0, 1].
    Raises:
        SettingsError: a number is out of its range.
    """
    if people < 1 or seed < 0:
        raise SettingsError(f"got people={people}, seed={seed}; wanted at least 1 person and a seed from 0")
    _check_share("sharing", sharing)
    _check_share("personalised", personalised)
    apart = _spread(people, personalised)
    return [_draw_person(number, seed, 0.0 if apart[number] else sharing, apart[number]) for number in range(people)]


def _check_share(name: str, value: float) -> None:
    if not 0.0 <= value <= 1.0:
        raise SettingsError(f"{name} is {value}; wanted a number in [0, 1]")


def _spread(people: int, share: float) -> list[bool]:
    """Mark `round(share * people)` of the people, evenly, so that any stretch of them holds the same share."""
    marks = np.floor(np.linspace(0, round(share * people), people + 1) + 1e-9)
    return [bool(step) for step in np.diff(marks)]


def _draw_person(number: int, seed: int, sharing: float, personalised: bool) -> Person:
    rng = np.random.default_rng([seed, number])
    voice_groups, other_groups = _draw_groups(rng), _draw_groups(rng)
    keep = rng.random(3) < sharing
    face_groups = _Groups(
        gender=voice_groups.gender if keep[0] else other_groups.gender,
        nationality=voice_groups.nationality if keep[1] else other_groups.nationality,
        age=voice_groups.age if keep[2] else other_groups.age,
    )
    voice, face = rng.standard_normal((2, SHARED + PRIVATE))
    face[:SHARED] = sharing * voice[:SHARED] + np.sqrt(1 - sharing**2) * face[:SHARED]
    return Person(
        identity=identity_name(number),
        gender=GENDERS[voice_groups.gender],
        nationality=NATIONALITIES[voice_groups.nationality],
        age=AGES[voice_groups.age],
        personalised=personalised,
        voice_latent=_shifted(voice, voice_groups),
        face_latent=_shifted(face, face_groups),
    )


def _draw_groups(rng: np.random.Generator) -> _Groups:
    gender, nationality, age = (int(rng.integers(len(names))) for names in (GENDERS, NATIONALITIES, AGES))
    return _Groups(gender=gender, nationality=nationality, age=age)


def _shifted(latent: np.ndarray, groups: _Groups) -> tuple[float, ...]:
    """Latent of one person after the shifts of their groups; its spread over all people stays about 1."""
    shifted = latent.copy()
    shifted[0] = _WITHIN_GROUP * latent[0] + _GENDER_STEP * (2 * groups.gender - 1)
    shifted[1] = _WITHIN_GROUP * latent[1] + _AGE_STEP * (groups.age - 1)
    shift = _NATIONALITY_SHIFTS[groups.nationality]
    spread = np.sqrt(1 - np.mean(_NATIONALITY_SHIFTS**2, axis=0))
    shifted[2:SHARED] = spread * latent[2:SHARED] + shift
    return tuple(float(value) for value in shifted)
