"""`vfsearch model info`: what a model says of itself."""

import math
from collections.abc import Sequence
from pathlib import Path

from vfsearch.errors import SettingsError
from vfsearch.pipeline.model import IdentityRow, open_model

USUAL_COUNT = 10


def describe_model(folder: Path) -> dict:
    """What a model is and how it was made, as JSON; its weights are not read.

    Raises:
        ArtefactError: there is no finished model.
        DamagedError: its manifest is damaged.
    """
    model = open_model(folder)
    about, files = model.artefact.about, model.artefact.files
    kept = ("settings", "split", "validation", "identities", "left_out", "final", "best", "trained_on", "imported")
    return {
        "model": str(folder),
        "digest": model.artefact.seal,
        "end_to_end": model.end_to_end,
        "encoders": about["encoders"],
        "space": model.space.to_json(),
        "feature_spaces": {modality: space.to_json() for modality, space in model.feature_spaces.items()},
        **{name: about[name] for name in kept if name in about},
        "files": {name: facts["size"] for name, facts in files.items()},
        "size_bytes": sum(facts["size"] for facts in files.values()),
    }


def describe_identities(folder: Path, count: int = USUAL_COUNT) -> dict:
    """The identities that a model was trained on, by how hard they were.

    Args:
        folder: of the model.
        count: how many of the hardest; 0 for all.
    Returns:
        JSON: "hardest" (identity, weight and hardness of each, hardest first, those without a hardness last), and
        "left_out_identities" (all whose weight is 0, hardest first).
    Raises:
        SettingsError: a count below 0.
        ArtefactError, DamagedError: there is no finished model, or it is damaged.
    """
    if count < 0:
        raise SettingsError(f"count is {count}, it must be at least 0 (0: all)")
    rows = sorted(open_model(folder).identity_table(), key=_hardest_first)
    return {
        "hardest": _as_json(rows[: count or None]),
        "left_out_identities": [row.identity for row in rows if row.weight == 0],
    }


def _hardest_first(row: IdentityRow) -> tuple:
    known = not math.isnan(row.hardness)
    return (not known, -row.hardness if known else 0.0, row.identity)


def _as_json(rows: Sequence[IdentityRow]) -> list[dict]:
    return [
        {
            "identity": row.identity,
            "weight": row.weight,
            "hardness": None if math.isnan(row.hardness) else row.hardness,
        }
        for row in rows
    ]
