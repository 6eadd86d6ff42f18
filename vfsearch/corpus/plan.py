"""What a generated corpus is to hold: its settings, its items and the manifest that lists them."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from vfsearch.corpus.people import Person, draw_people
from vfsearch.errors import SettingsError

SPLITS = ("person", "item")
COLUMNS = ("path", "modality", "identity", "gender", "nationality", "age", "split", "personalised")


@dataclass(frozen=True, kw_only=True)
class GeneratedCorpus:
    """What to generate; the same settings always give the same files.

    Attributes:
        people: how many people.
        seed: from 0 to 2**32 - 1.
        sharing: correlation of the latents that voice and face have in common, in [0, 1]; with 0 a face says nothing
            about the voice.
        personalised: share of people whose face is drawn without regard to their voice, in [0, 1].
        clips: voice clips a person.
        photos: face photos a person.
        clip_seconds: length of a clip, from 0.5 to 60.
        split: "person" to have train and test people apart (unseen-unheard), "item" to divide the items of each
            person (seen-heard).
        train_share: share of the people, or of each person's items, in the train split, in [0, 1]; unless it is 0 or
            1, both splits get at least one.
    """

    people: int = 64
    seed: int = 1
    sharing: float = 0.95
    personalised: float = 0.0
    clips: int = 6
    photos: int = 6
    clip_seconds: float = 3.0
    split: str = "person"
    train_share: float = 0.5

    def __post_init__(self) -> None:
        """Check every setting.

        Raises:
            SettingsError: one is out of its range; the message names it.
        """
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if isinstance(low, int) and not isinstance(value, int):
                raise SettingsError(f"{name} is {value!r}; wanted a whole number")
            if not low <= value <= high:
                raise SettingsError(f"{name} is {value}; wanted a number from {low} to {high}")
        if self.split not in SPLITS:
            raise SettingsError(f"split is {self.split!r}; wanted one of {', '.join(map(repr, SPLITS))}")
        if 0 < self.train_share < 1:
            self._check_divisible()

    def _check_divisible(self) -> None:
        for name in ("people",) if self.split == "person" else ("clips", "photos"):
            if getattr(self, name) < 2:
                message = f"{name} is {getattr(self, name)}; a split by {self.split} needs at least 2 to have train "
                raise SettingsError(message + "and test; raise it, or set train_share to 0 or 1")


_RANGES = (
    ("people", 1, 1_000_000),
    ("seed", 0, 2**32 - 1),
    ("sharing", 0.0, 1.0),
    ("personalised", 0.0, 1.0),
    ("clips", 1, 1000),
    ("photos", 1, 1000),
    ("clip_seconds", 0.5, 60.0),
    ("train_share", 0.0, 1.0),
)


@dataclass(frozen=True, kw_only=True)
class Item:
    """One media file to be.

    Attributes:
        person: whose it is.
        person_number: counted from 0 over the corpus.
        modality: "voice" or "face".
        number: counted from 0 over the items of this person and modality.
        split: "train" or "test".
    """

    person: Person
    person_number: int
    modality: str
    number: int
    split: str

    @property
    def path(self) -> str:
        """Path in the workspace, with forward slashes."""
        suffix = "wav" if self.modality == "voice" else "png"
        return f"{self.modality}/{self.person.identity}/{self.number:02d}.{suffix}"


def corpus_items(settings: GeneratedCorpus) -> Iterator[Item]:
    """Every item of a corpus, person by person, clips before photos."""
    people = draw_people(
        people=settings.people, seed=settings.seed, sharing=settings.sharing, personalised=settings.personalised
    )
    train_people = _train_count(settings.people, settings.train_share)
    for person_number, person in enumerate(people):
        for modality, count in (("voice", settings.clips), ("face", settings.photos)):
            train_items = _train_count(count, settings.train_share)
            for number in range(count):
                train = person_number < train_people if settings.split == "person" else number < train_items
                yield Item(
                    person=person,
                    person_number=person_number,
                    modality=modality,
                    number=number,
                    split="train" if train else "test",
                )


def _train_count(count: int, share: float) -> int:
    """How many of `count` are for training: neither none nor all, unless the share says so."""
    if share in (0, 1):
        return int(count * share)
    return min(max(round(count * share), 1), count - 1)


def manifest_bytes(items: list[Item]) -> bytes:
    """The manifest of some items, as CSV in UTF-8 with a header of `COLUMNS`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for item in items:
        person = item.person
        about = (person.identity, person.gender, person.nationality, person.age)
        writer.writerow((item.path, item.modality, *about, item.split, int(person.personalised)))
    return text.getvalue().encode()
