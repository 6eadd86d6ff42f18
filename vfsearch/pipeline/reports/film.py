"""The film of a run: clips over the faces that they found."""

from collections.abc import Sequence
from pathlib import Path

from vfsearch.data.answers import Answer
from vfsearch.files import make_folder, write_with
from vfsearch.media.views import Sound
from vfsearch.pipeline.reports.answers import Answers
from vfsearch.pipeline.reports.media import views
from vfsearch.progress import Progress, silent
from vfsearch.report.film import LONGEST_SECONDS, RATE_HZ, TILE, Scene, write_film


def write_answers_film(
    path: Path,
    answers: Answers,
    places: Sequence[int],
    redact: bool = False,
    workers: int = 2,
    progress: Progress = silent,
) -> dict[str, str] | None:
    """Write the film of some probes; those whose clip cannot be decoded are left out.

    Args:
        path: of the MP4.
        answers: of a run.
        places: of the probes.
        redact: blur faces and show no ids; voices stay what they are.
        workers: decoding processes.
        progress: called with media decoded.
    Returns:
        Id -> why an item is not seen or heard; None where there is nothing to film: the probes are no voices, the
        gallery is none of faces, or no clip can be heard.
    Raises:
        VfsearchError: the disk is full, ...
    """
    settings = answers.run.outcome.settings
    if (settings["probe"], settings["gallery"]) != ("voice", "face"):
        return None
    shown = [answers[place] for place in places]
    items = [item for answer in shown for item in (answer.probe, *(hit.item for hit in answer.hits))]
    clips = Sound(rate_hz=RATE_HZ, most_seconds=LONGEST_SECONDS)
    found, failed = views(items, TILE, redact, workers, progress, clips)
    scenes = [
        _scene(answer, found, f"probe {number}" if redact else answer.probe.id)
        for number, answer in enumerate(shown, start=1)
        if ("voice", answer.probe.id) in found
    ]
    if not scenes:
        return None
    make_folder(path.parent)
    write_with(path, lambda temporary: write_film(temporary, scenes))
    return failed


def _scene(answer: Answer, found: dict, title: str) -> Scene:
    return Scene(
        title=" ".join(title.encode("utf-8", "backslashreplace").decode().split()),
        samples=found["voice", answer.probe.id],
        tiles=[found.get((hit.item.modality, hit.item.id)) for hit in answer.hits],
        mated=[answer.is_mated(hit) for hit in answer.hits],
        scores=[hit.score for hit in answer.hits],
    )
