"""A run on disk: its outcome, and what the outcome was computed from."""

import json
from pathlib import Path

from vfsearch.artefact import MANIFEST_NAME, Artefact, exists, read_artefact
from vfsearch.data.outcome import Outcome
from vfsearch.errors import MismatchError
from vfsearch.files import remove_file, remove_temporaries
from vfsearch.protocol.comparison import Comparison
from vfsearch.protocol.result import Result
from vfsearch.tables import build, put_array, put_texts

SCHEMA = 1
MADE_BY = "vfsearch query"
OUTCOME_NAME = "outcome.json"
RAW_NAME = "neighbors.h5"


def saved_outcome(folder: Path, request: dict) -> Outcome | None:
    """The outcome of the same request, if it is there.

    Raises:
        MismatchError: the folder holds the run of another request.
        DamagedError: a file of the run is damaged.
    """
    if not exists(folder):
        return None
    artefact = read_run_artefact(folder)
    if artefact.about != request:
        raise MismatchError(
            f"the run {folder} was made from other things or with other settings; give another --name, "
            "or --overwrite to replace it"
        )
    artefact.verify()
    return Outcome.from_json(json.loads(artefact.read(OUTCOME_NAME)))


def read_run_artefact(folder: Path) -> Artefact:
    """The sealed list of a run's files.

    Raises:
        ArtefactError: there is no run of this layout.
        DamagedError: its manifest is damaged.
    """
    return read_artefact(folder, "run", SCHEMA, MADE_BY)


def save_run(folder: Path, request: dict, outcome: Outcome, results: dict[str, Result], comparison: Comparison) -> None:
    """Write a run, replacing the one that is there; call it while holding the folder's lock.

    Args:
        folder: of the run.
        request: what was asked of what; JSON.
        outcome: what came out.
        results: protocol -> trials, scores, ranks and neighbours.
        comparison: both sides, whose ids the rows of the trials stand for.
    """
    remove_temporaries(folder)
    # While a run is being replaced there is none: its files are named alike, and an old manifest would not fit them.
    remove_file(folder / MANIFEST_NAME)
    artefact = Artefact(folder=folder, kind="run", schema=SCHEMA, about=request)
    artefact.add(OUTCOME_NAME, json.dumps(outcome.to_json(), indent=1).encode() + b"\n")
    artefact.add(RAW_NAME, build(lambda file: _fill(file, results, comparison)))
    artefact.write()


def _fill(file, results: dict[str, Result], comparison: Comparison) -> None:
    for side, rows in {"probes": comparison.probes, "gallery": comparison.gallery}.items():
        group = file.create_group(side)
        put_texts(group, "ids", rows.ids)
        put_texts(group, "identities", rows.identities)
    for name, result in results.items():
        group = file.create_group(name)
        for key, values in result.raw.items():
            put_array(group, key, values)
