"""What a generated corpus is to hold: its settings, its items and the manifest that lists them."""

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass

from vfsearch.corpus.people import Person, draw_people
from vfsearch.data.csv_lines import CsvLines
from vfsearch.errors import SettingsError

SPLITS = ("person", "item")
LEAST_VAL_PEOPLE = 2
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
        train_share: share of the people, or of each person's items, in the train split, in [0, 1]; the first ones.
        val_share: likewise in the split val, the next ones. What is left is the split test; every split whose share is
            not 0 gets at least one, and val at least `LEAST_VAL_PEOPLE` people, who can be told from one another.
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
    val_share: float = 0.0

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
        if self._test_share < 0.0:
            raise SettingsError(
                f"train_share is {self.train_share} and val_share is {self.val_share}; wanted at most 1 together, what "
                "is left being the share of test; lower one of them"
            )
        for name in ("people",) if self.split == "person" else ("clips", "photos"):
            self._check_divisible(name)

    @property
    def _test_share(self) -> float:
        shares = self.train_share + self.val_share
        return 0.0 if math.isclose(shares, 1.0, rel_tol=1e-12) else 1.0 - shares

    @property
    def _least(self) -> dict[str, int]:
        """The splits that are to have something, and how many each has at least."""
        val = LEAST_VAL_PEOPLE if self.split == "person" else 1
        shares = {"train": (self.train_share, 1), "val": (self.val_share, val), "test": (self._test_share, 1)}
        return {name: least for name, (share, least) in shares.items() if share}

    def _check_divisible(self, name: str) -> None:
        needed = sum(self._least.values())
        if getattr(self, name) < needed:
            wanted = " and ".join(f"{least} in {split}" if least > 1 else split for split, least in self._least.items())
            raise SettingsError(
                f"{name} is {getattr(self, name)}; a split by {self.split} needs at least {needed} to have {wanted}; "
                f"raise it, or set {'val_share to 0' if self.val_share else 'train_share to 0 or 1'}"
            )

    def split_sizes(self, count: int) -> dict[str, int]:
        """How many of `count` people or items each split has, in the order in which they take them.

        Example:
            >>> GeneratedCorpus(train_share=0.5, val_share=0.2).split_sizes(64)
            {'train': 32, 'val': 13, 'test': 19}
        """
        train, val, test = (self._least.get(name, 0) for name in ("train", "val", "test"))
        train = min(max(round(count * self.train_share), train), count - val - test)
        val = min(max(round(count * self.val_share), val), count - train - test) if test else count - train
        return {"train": train, "val": val, "test": count - train - val}


_RANGES = (
    ("people", 1, 1_000_000),
    ("seed", 0, 2**32 - 1),
    ("sharing", 0.0, 1.0),
    ("personalised", 0.0, 1.0),
    ("clips", 1, 1000),
    ("photos", 1, 1000),
    ("clip_seconds", 0.5, 60.0),
    ("train_share", 0.0, 1.0),
    ("val_share", 0.0, 1.0),
)


@dataclass(frozen=True, kw_only=True)
class Item:
    """One media file to be.

    Attributes:
        person: whose it is.
        person_number: counted from 0 over the corpus.
        modality: "voice" or "face".
        number: counted from 0 over the items of this person and modality.
        split: "train", "val" or "test".
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
    by_person = settings.split == "person"
    of_people = _split_names(settings, settings.people) if by_person else []
    for person_number, person in enumerate(people):
        for modality, count in (("voice", settings.clips), ("face", settings.photos)):
            splits = [of_people[person_number]] * count if by_person else _split_names(settings, count)
            for number, split in enumerate(splits):
                yield Item(person=person, person_number=person_number, modality=modality, number=number, split=split)


def _split_names(settings: GeneratedCorpus, count: int) -> list[str]:
    return [name for name, size in settings.split_sizes(count).items() for _ in range(size)]


def manifest_bytes(items: list[Item]) -> bytes:
    """The manifest of some items, as CSV in UTF-8 with a header of `COLUMNS`."""
    text = io.StringIO()
    writer = CsvLines(text)
    writer.writerow(COLUMNS)
    for item in items:
        person = item.person
        about = (person.identity, person.gender, person.nationality, person.age)
        writer.writerow((item.path, item.modality, *about, item.split, int(person.personalised)))
    return text.getvalue().encode()
