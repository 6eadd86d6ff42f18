"""A workspace of generated people: clips and photos as real WAV and PNG files, and the manifest that lists them."""

import csv
import io
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

from vfsearch.corpus.faces import draw_view, face_traits
from vfsearch.corpus.people import Person, draw_people
from vfsearch.corpus.portrait import draw_portrait
from vfsearch.corpus.speech import SAMPLE_RATE_HZ, synthesise, voice_traits
from vfsearch.errors import ArtefactError, InputError, MismatchError, SettingsError, VfsearchError
from vfsearch.files import make_folder, read_file, remove_file, remove_temporaries, write_file, writer_lock
from vfsearch.progress import Progress, silent

MANIFEST_NAME = "manifest.csv"
MARKER_NAME = "corpus.json"
SPLITS = ("person", "item")
COLUMNS = ("path", "modality", "identity", "gender", "nationality", "age", "split", "personalised")
_VERSION = 1
_KINDS = {"voice": 1, "face": 2}


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
class GeneratedSummary:
    """What `generate` did.

    Attributes:
        manifest: path of the manifest.
        people: how many people.
        train_items: items in the train split.
        test_items: items in the test split.
        written: media files written now.
        kept: media files that an earlier, interrupted call had written.
    """

    manifest: Path
    people: int
    train_items: int
    test_items: int
    written: int
    kept: int


@dataclass(frozen=True, kw_only=True)
class _Item:
    """One media file to be: person `person.identity`, `number` among that person's items of the modality."""

    person: Person
    person_number: int
    modality: str
    number: int
    split: str

    @property
    def path(self) -> str:
        suffix = "wav" if self.modality == "voice" else "png"
        return f"{self.modality}/{self.person.identity}/{self.number:02d}.{suffix}"


def generate(
    workspace: Path, settings: GeneratedCorpus, progress: Progress = silent, overwrite: bool = False
) -> GeneratedSummary:
    """Write `voice/<identity>/<nn>.wav`, `face/<identity>/<nn>.png` and last `manifest.csv` into a workspace.

    An interrupted call is taken up again by the same call: `corpus.json` holds the settings, and media that are there
    are kept. When all is there already, nothing is written.

    Args:
        workspace: the folder, made if missing.
        settings: what to generate.
        progress: told after each media file.
        overwrite: replace another manifest or a corpus of other settings, whose media files are removed.
    Raises:
        MismatchError: the workspace has a generated corpus of other settings; the message names the differences.
        InputError: the workspace has a manifest or media that this call did not write.
    """
    items = list(_items(settings))
    with writer_lock(workspace):
        _prepare(workspace, settings, items, overwrite)
        written = _write_media(workspace, settings, items, progress)
        write_file(workspace / MANIFEST_NAME, _manifest(items))
    train_items = sum(item.split == "train" for item in items)
    return GeneratedSummary(
        manifest=workspace / MANIFEST_NAME,
        people=settings.people,
        train_items=train_items,
        test_items=len(items) - train_items,
        written=written,
        kept=len(items) - written,
    )


def _items(settings: GeneratedCorpus) -> Iterator[_Item]:
    people = draw_people(
        people=settings.people, seed=settings.seed, sharing=settings.sharing, personalised=settings.personalised
    )
    train_people = _train_count(settings.people, settings.train_share)
    for person_number, person in enumerate(people):
        for modality, count in (("voice", settings.clips), ("face", settings.photos)):
            train_items = _train_count(count, settings.train_share)
            for number in range(count):
                train = person_number < train_people if settings.split == "person" else number < train_items
                yield _Item(
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


def _prepare(workspace: Path, settings: GeneratedCorpus, items: list[_Item], overwrite: bool) -> None:
    """Leave the workspace such that each media file in it is one of these settings, or raise."""
    marker = workspace / MARKER_NAME
    before = _read_marker(marker, forgive=overwrite) if marker.exists() else None
    if not overwrite and before == _marker(settings) and _manifest_fits(workspace, items):
        return
    if overwrite:
        _clear(workspace, before, items)
    elif before is not None and before != _marker(settings):
        raise MismatchError(_difference(marker, before, _marker(settings)))
    else:
        _refuse_foreign_files(workspace, items)
    write_file(marker, json.dumps(_marker(settings), indent=2).encode() + b"\n")


def _marker(settings: GeneratedCorpus) -> dict:
    return {"format": "generated-corpus", "version": _VERSION, "settings": asdict(settings)}


def _read_marker(path: Path, forgive: bool) -> dict:
    try:
        marker = json.loads(read_file(path, "settings of the generated corpus"))
        if not isinstance(marker["settings"], dict):
            raise TypeError("no settings")
    except (ValueError, KeyError, TypeError) as error:
        if forgive:
            return {}
        raise ArtefactError(f"{path} is not the settings of a generated corpus; overwrite, or remove it") from error
    return marker


def _manifest_fits(workspace: Path, items: list[_Item]) -> bool:
    """Whether the manifest is still to be written, or is the one that these settings give."""
    path = workspace / MANIFEST_NAME
    return not path.exists() or read_file(path, "manifest") == _manifest(items)


def _difference(path: Path, before: dict, wanted: dict) -> str:
    old, new = before["settings"], wanted["settings"]
    names = [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]
    changes = ", ".join(f"{name} is {old.get(name)} there and {new.get(name)} here" for name in names)
    changes = changes or f"its version is {before.get('version')} there and {_VERSION} here"
    return f"{path} is of another corpus: {changes}; take another workspace, the same settings, or overwrite"


def _refuse_foreign_files(workspace: Path, items: list[_Item]) -> None:
    for name in (MANIFEST_NAME, *(item.path for item in items)):
        if (workspace / name).exists():
            message = f"{workspace / name} is there already and not known to be of this corpus"
            raise InputError(f"{message}; take another workspace, or overwrite")


def _clear(workspace: Path, before: dict | None, items: list[_Item]) -> None:
    """Remove the manifest, the media of the corpus before and whatever lies where new media go."""
    remove_file(workspace / MANIFEST_NAME)
    paths = {workspace / item.path for item in [*_items_of_marker(before), *items]}
    for path in paths:
        remove_file(path)
    for folder in {path.parent for path in paths}:
        with suppress(OSError):
            folder.rmdir()


def _items_of_marker(marker: dict | None) -> list[_Item]:
    """Items of an earlier corpus, none if its settings are not understood."""
    known = {field.name for field in fields(GeneratedCorpus)}
    try:
        settings = (marker or {})["settings"]
        return list(_items(GeneratedCorpus(**{name: settings[name] for name in known})))
    except (KeyError, TypeError, VfsearchError):
        return []


def _write_media(workspace: Path, settings: GeneratedCorpus, items: list[_Item], progress: Progress) -> int:
    """Write the media files that are missing; gives how many."""
    written, folder = 0, None
    for done, item in enumerate(items, 1):
        path = workspace / item.path
        if path.parent != folder:
            folder = make_folder(path.parent)
            remove_temporaries(folder)
        if not path.exists():
            write_file(path, _encode(item, settings))
            written += 1
        progress("generating people", done, len(items))
    return written


def _encode(item: _Item, settings: GeneratedCorpus) -> bytes:
    """The bytes of one media file, which depend on the seed and the item alone."""
    rng = np.random.default_rng([settings.seed, item.person_number, _KINDS[item.modality], item.number])
    out = io.BytesIO()
    if item.modality == "voice":
        samples = synthesise(voice_traits(item.person.voice_latent), settings.clip_seconds, rng)
        soundfile.write(out, samples, SAMPLE_RATE_HZ, format="WAV", subtype="PCM_16")
    else:
        photo = draw_portrait(face_traits(item.person.face_latent), draw_view(rng))
        Image.fromarray(photo).save(out, format="PNG")
    return out.getvalue()


def _manifest(items: list[_Item]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for item in items:
        person = item.person
        about = (person.identity, person.gender, person.nationality, person.age)
        writer.writerow((item.path, item.modality, *about, item.split, int(person.personalised)))
    return text.getvalue().encode()
