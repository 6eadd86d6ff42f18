"""The file formats of trials that are known by name, and which of them a file has."""

from pathlib import Path

from vfsearch.data.trial_list import TrialList
from vfsearch.errors import TrialListError
from vfsearch.registry import Entry, Registry, load_target
from vfsearch.trials.formats.base import Format
from vfsearch.trials.formats.lines import read_head

CERTAINTIES = ("no", "it would parse", "typical content", "unmistakable")
"""What the numbers of `Format.recognise` mean."""


def _entry(target: str) -> Entry:
    return Entry(target=f"vfsearch.trials.formats.{target}")


FORMATS = Registry(
    "format of trials",
    "vfsearch.trial_formats",
    {
        "vfsearch": _entry("own:Own"),
        "wen2021": _entry("wen2021:Wen2021"),
        "cmpc-matching": _entry("cmpc:CmpcMatching"),
        "cmpc-verification": _entry("cmpc:CmpcVerification"),
        "cmpc-retrieval": _entry("cmpc_retrieval:CmpcRetrieval"),
        "vfal-eva": _entry("vfal_eva:VfalEva"),
        "vfal-eva-f2v": _entry("vfal_eva:VfalEvaF2V"),
        "fame-list": _entry("fame:FameList"),
        "fame-scores": _entry("fame:FameScores"),
        "voxceleb": _entry("voxceleb:VoxCeleb"),
        "voxsrc": _entry("voxsrc:VoxSRC"),
        "kaldi": _entry("kaldi:Kaldi"),
        "voices": _entry("voices:Voices"),
        "wespeaker": _entry("wespeaker:Wespeaker"),
        "speechbrain": _entry("speechbrain:SpeechBrain"),
        "nist": _entry("nist:Nist"),
        "bob4": _entry("bob:Bob4"),
        "bob5": _entry("bob:Bob5"),
        "trec-run": _entry("trec:TrecRun"),
        "trec-qrels": _entry("trec:TrecQrels"),
    },
    base=Format,
)


def load_format(name: str) -> Format:
    """The format of a name.

    Raises:
        UnknownNameError: no format is named so.
    Example:
        >>> load_format("vfsearch").name
        'vfsearch'
    """
    return FORMATS.load(name)()


def recognise(path: Path) -> tuple[str, int]:
    """The format of a file, from its content, and how sure that is.

    Returns:
        Name and certainty, a place in `CERTAINTIES`.
    Raises:
        TrialListError: unreadable; no format would parse it; or several are equally sure.
    """
    head = read_head(path)
    sure = {name: format_.recognise(head) for name, format_ in _every_format().items()}
    most = max(sure.values())
    best = [name for name, certainty in sure.items() if certainty == most]
    if most == 0:
        known = ", ".join(sure)
        raise TrialListError(f"{path} is of no known format; name it with --format, one of {known}")
    if len(best) > 1:
        raise TrialListError(f"{path} may be of the format {' or '.join(best)}; say which with --format {best[0]}")
    return best[0], most


def open_trials(path: Path, format: str | None = None) -> TrialList:
    """The list in a file.

    Args:
        path: of the file, gzipped or not.
        format: name of its format; None: what `recognise` finds.
    Raises:
        TrialListError: it is not of that format, or of none that is known.
        UnknownNameError: no format is named so.
    """
    return load_format(format or recognise(path)[0]).read(path)


def formats_for(trials: TrialList) -> list[str]:
    """The names of the formats that can hold a list, by its kind and its scores."""
    return [name for name, format_ in _every_format().items() if not format_.problem(trials)]


def _every_format() -> dict[str, Format]:
    # One look for the formats of other packages serves all.
    return {name: load_target(entry.target, FORMATS.kind)() for name, entry in FORMATS.entries().items()}
