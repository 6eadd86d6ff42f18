"""A workspace of generated people: clips and photos as real WAV and PNG files, and the manifest that lists them."""

import io
import json
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

from vfsearch.corpus.faces import draw_view, face_traits
from vfsearch.corpus.plan import GeneratedCorpus, Item, corpus_items, manifest_bytes
from vfsearch.corpus.portrait import draw_portrait
from vfsearch.corpus.speech import SAMPLE_RATE_HZ, synthesise, voice_traits
from vfsearch.errors import ArtefactError, InputError, MismatchError, VfsearchError
from vfsearch.files import make_folder, read_file, remove_file, remove_temporaries, write_file, writer_lock
from vfsearch.progress import Progress, silent

__all__ = ["MANIFEST_NAME", "MARKER_NAME", "GeneratedCorpus", "GeneratedSummary", "generate"]

MANIFEST_NAME = "manifest.csv"
MARKER_NAME = "corpus.json"
_VERSION = 1
_KINDS = {"voice": 1, "face": 2}
# What a corpus has whose marker does not say so: settings that came later, at the value that changes nothing.
_UNSAID = {"val_share": 0.0}


@dataclass(frozen=True, kw_only=True)
class GeneratedSummary:
    """What `generate` did.

    Attributes:
        manifest: path of the manifest.
        people: how many people.
        train_items: items in the train split.
        val_items: items in the val split.
        test_items: items in the test split.
        written: media files written by this call.
        kept: media files that an earlier call with the same settings had written.
    """

    manifest: Path
    people: int
    train_items: int
    val_items: int
    test_items: int
    written: int
    kept: int


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
        overwrite: write all anew; another manifest, and the media of a corpus of other settings, are removed.
    Raises:
        MismatchError: the workspace has a generated corpus of other settings; the message names the differences.
        InputError: the workspace has a manifest or media that this call did not write.
    """
    items = list(corpus_items(settings))
    with writer_lock(workspace):
        _prepare(workspace, settings, items, overwrite)
        written = _write_media(workspace, settings, items, progress)
        if not (workspace / MANIFEST_NAME).exists():
            write_file(workspace / MANIFEST_NAME, manifest_bytes(items))
    items_of = Counter(item.split for item in items)
    return GeneratedSummary(
        manifest=workspace / MANIFEST_NAME,
        people=settings.people,
        train_items=items_of["train"],
        val_items=items_of["val"],
        test_items=items_of["test"],
        written=written,
        kept=len(items) - written,
    )


def _prepare(workspace: Path, settings: GeneratedCorpus, items: list[Item], overwrite: bool) -> None:
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
    said = {name: value for name, value in asdict(settings).items() if name not in _UNSAID or value != _UNSAID[name]}
    return {"format": "generated-corpus", "version": _VERSION, "settings": said}


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


def _manifest_fits(workspace: Path, items: list[Item]) -> bool:
    """Whether the manifest is still to be written, or is the one that these settings give."""
    path = workspace / MANIFEST_NAME
    return not path.exists() or read_file(path, "manifest") == manifest_bytes(items)


def _difference(path: Path, before: dict, wanted: dict) -> str:
    old, new = ({**_UNSAID, **marker["settings"]} for marker in (before, wanted))
    names = [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]
    changes = ", ".join(f"{name} is {old.get(name)} there and {new.get(name)} here" for name in names)
    changes = changes or f"its version is {before.get('version')} there and {_VERSION} here"
    return f"{path} is of another corpus: {changes}; take another workspace, the same settings, or overwrite"


def _refuse_foreign_files(workspace: Path, items: list[Item]) -> None:
    for name in (MANIFEST_NAME, *(item.path for item in items)):
        if (workspace / name).exists():
            message = f"{workspace / name} is there already and not known to be of this corpus"
            raise InputError(f"{message}; take another workspace, or overwrite")


def _clear(workspace: Path, before: dict | None, items: list[Item]) -> None:
    """Remove the manifest, the media of the corpus before and whatever lies where new media go."""
    remove_file(workspace / MANIFEST_NAME)
    paths = {workspace / item.path for item in [*_items_of_marker(before), *items]}
    for path in paths:
        remove_file(path)
    for folder in {path.parent for path in paths}:
        with suppress(OSError):
            folder.rmdir()


def _items_of_marker(marker: dict | None) -> list[Item]:
    """Items of an earlier corpus, none if its settings are not understood."""
    known = {field.name for field in fields(GeneratedCorpus)}
    try:
        settings = {**_UNSAID, **(marker or {})["settings"]}
        return list(corpus_items(GeneratedCorpus(**{name: settings[name] for name in known})))
    except (KeyError, TypeError, VfsearchError):
        return []


def _write_media(workspace: Path, settings: GeneratedCorpus, items: list[Item], progress: Progress) -> int:
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


def _encode(item: Item, settings: GeneratedCorpus) -> bytes:
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
