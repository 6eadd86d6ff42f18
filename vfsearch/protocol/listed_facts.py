"""What a list asks about, before anything is scored."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from vfsearch.data.trial_list import RETRIEVAL, TrialList
from vfsearch.errors import TrialListError

VOICE = frozenset({".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".m4a", ".aac", ".sph", ".aiff", ".aif", ".au"})
FACE = frozenset({".jpg", ".jpeg", ".png", ".pgm", ".ppm", ".bmp", ".webp", ".tif", ".tiff", ".gif"})
_LOOKED_AT = 1000


@dataclass(frozen=True, kw_only=True, eq=False)
class ListFacts:
    """What a list asks about.

    Args:
        trials: how many questions.
        candidates: N of 1:N matching, the size of the gallery of retrieval, else None.
        probes, items: numbers of the distinct names on either side, ascending.
        direction: "voice to face", ... where the file names tell, else "probe to item".
    """

    trials: int
    candidates: int | None
    probes: np.ndarray
    items: np.ndarray
    direction: str


def list_facts(trials: TrialList) -> ListFacts:
    """Read a list to its end.

    Raises:
        TrialListError: it is empty; 1:N matching of several N.
    """
    count, candidates, probes, items = _of_sides(trials) if trials.kind == RETRIEVAL else _of_blocks(trials)
    if not count:
        raise TrialListError(f"{trials.where} has no trials")
    texts = trials.names.texts
    one, other = (modality_of(texts[number] for number in side[:_LOOKED_AT]) for side in (probes, items))
    direction = f"{one} to {other}" if one and other else "probe to item"
    return ListFacts(trials=count, candidates=candidates, probes=probes, items=items, direction=direction)


def _of_sides(trials: TrialList) -> tuple[int, int | None, np.ndarray, np.ndarray]:
    sides = trials.sides()
    return len(sides.probes), len(sides.gallery), np.unique(sides.probes), np.unique(sides.gallery)


def _of_blocks(trials: TrialList) -> tuple[int, int | None, np.ndarray, np.ndarray]:
    count, widths, seen = 0, set(), [np.zeros(0, dtype=bool)] * 2
    for block in trials.blocks():
        count += len(block)
        widths.add(block.items.shape[1])
        seen = [
            _with(known, numbers, len(trials.names))
            for known, numbers in zip(seen, (block.probes, block.items.ravel()), strict=True)
        ]
    if len(widths) > 1:
        raise TrialListError(f"{trials.where} has trials with {' and '.join(map(str, sorted(widths)))} items")
    candidates = max(widths, default=1)
    return count, candidates if candidates > 1 else None, *(np.flatnonzero(known) for known in seen)


def _with(known: np.ndarray, numbers: np.ndarray, count: int) -> np.ndarray:
    known = np.concatenate([known, np.zeros(count - len(known), dtype=bool)])
    known[numbers] = True
    return known


def modality_of(names: Iterable[str]) -> str:
    """What some files hold by their names: "voice" or "face", "" where they do not tell or differ.

    Example:
        >>> modality_of(["id10117/59-3D0HIDAc/00001.wav"]), modality_of(["a.jpg", "b.wav"])
        ('voice', '')
    """
    found = {_by_suffix(PurePosixPath(name).suffix.lower()) for name in names}
    return found.pop() if len(found) == 1 else ""


def _by_suffix(suffix: str) -> str:
    return "voice" if suffix in VOICE else "face" if suffix in FACE else ""
