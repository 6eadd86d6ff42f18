"""Identity weights from elsewhere: to retrain with what was learned before, or was set by hand."""

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vfsearch.artefact import exists
from vfsearch.errors import InputError, SettingsError
from vfsearch.files import read_file
from vfsearch.pipeline.model import open_model


def fixed_weights(source: Path | None, settings, identities: Sequence[str]) -> np.ndarray | None:
    """The weight of each identity, to train with.

    Args:
        source: a model's folder, or a CSV table with the columns identity and weight; None: no weights.
        settings: of the training; it must be one that retrains alone.
        identities: M names.
    Returns:
        (M,) float64, or None.
    Raises:
        SettingsError: the stages learn weights themselves, or a weight is missing or not a number from 0.
        InputError: the table cannot be read.
    """
    if source is None:
        return None
    if settings.stages != ("retrain",):
        raise SettingsError("identity weights were given, and the stages learn their own: give --stages retrain too")
    table = _of_model(source) if exists(source) else _of_table(source)
    missing = [name for name in identities if name not in table]
    if missing:
        raise SettingsError(
            f"{source} has no weight for {len(missing)} of {len(identities)} identities, the first is {missing[0]!r}; "
            "give each a weight (0 leaves it out)"
        )
    weights = np.array([table[name] for name in identities])
    if not weights.any():
        raise SettingsError(f"{source} gives every identity the weight 0: nothing is left to train on")
    return weights


def _of_model(folder: Path) -> dict[str, float]:
    return {row.identity: row.weight for row in open_model(folder).identity_table()}


def _of_table(path: Path) -> dict[str, float]:
    text = read_file(path, "table of identity weights").decode("utf-8-sig", errors="replace")
    rows = csv.DictReader(io.StringIO(text, newline=""))
    if not {"identity", "weight"} <= set(rows.fieldnames or ()):
        found = ", ".join(rows.fieldnames or ()) or "no columns"
        raise InputError(f"{path} has {found} in its first line; wanted the columns identity and weight")
    weights: dict[str, float] = {}
    for row in rows:
        where = f"{path}, line {rows.line_num}"
        if row["identity"] in weights:
            raise InputError(f"{where}: the identity {row['identity']!r} has a weight already; give each one weight")
        weights[row["identity"]] = _weight(row["weight"], where)
    return weights


def _weight(text: str | None, where: str) -> float:
    try:
        weight = float(text or "")
    except ValueError:
        weight = math.nan
    if not 0 <= weight < math.inf:
        raise InputError(f"{where}: the weight is {text!r}, wanted a number from 0")
    return weight
