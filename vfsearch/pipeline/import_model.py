"""`vfsearch model import`: a checkpoint of others to a model, or to weights that a training starts from."""

import contextlib
import io
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vfsearch.artefact import MANIFEST_NAME, Artefact, exists, read_artefact, require_replaceable
from vfsearch.data.space import MODALITIES, Space
from vfsearch.encoders.network_weights import KIND as NETWORK_KIND
from vfsearch.encoders.network_weights import MADE_BY
from vfsearch.encoders.network_weights import SCHEMA as NETWORK_SCHEMA
from vfsearch.errors import InputError, MismatchError, MissingExtraError, SettingsError
from vfsearch.files import digest, read_file, remove_file, sha256, writer_lock
from vfsearch.networks.catalog import network_settings, settings_to_json
from vfsearch.pipeline.encoders import Encoders
from vfsearch.pipeline.model import (
    CLASSIFIER_NAME,
    IDENTITIES_NAME,
    SCHEMA,
    WEIGHTS_NAME,
    begin_model,
    finish_model,
    identities_csv,
    joint_space,
)
from vfsearch.pipeline.workspace import Workspace

if TYPE_CHECKING:
    from vfsearch.networks.translation import Translation

logger = logging.getLogger(__name__)

# What a training that nobody knows of saw: the items of no split that a list has.
UNKNOWN_SPLIT = "(unknown)"


@dataclass(frozen=True, kw_only=True)
class ImportReport:
    """What was made of a file.

    Args:
        folder: that was written.
        kind: "model" (both networks with their heads) or "network" (one network without a head).
        layout: of the file: "wen2021", "ir" or "speaker".
        entry: of the file that the tensors stand in; "" for none.
        networks: modality -> {"name", "settings"}.
        identities: that the model was trained on; 0 for a network.
        space: of the model; None for a network.
        tensors: "used", "missing", "left_over" (by intent), "unknown" (left over too) -> names in the file.
        differing: those left over that are computed here, to other values.
        imported_now: False when the same file was imported before.
    """

    folder: Path
    kind: str
    layout: str
    entry: str
    networks: dict[str, dict]
    identities: int
    space: Space | None
    tensors: dict[str, tuple[str, ...]]
    differing: tuple[str, ...]
    imported_now: bool


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What no checkpoint says.

    Args:
        identities: file with the names of the identities, one a line, in the order of the classifier's rows.
        face_settings: how photos are prepared, for example {"aligned": True}.
        voice_settings: how clips are, for example {"seconds": 5.0}.
    """

    identities: Path | None = None
    face_settings: Mapping = field(default_factory=dict)
    voice_settings: Mapping = field(default_factory=dict)


def import_checkpoint(
    workspace: Workspace, file: Path, out: Path | None = None, choices: Choices | None = None, overwrite: bool = False
) -> ImportReport:
    """Take over a checkpoint: nothing is written unless all of it fits, and nothing that it holds is run.

    Args:
        workspace: for the usual folders: the model's, or `networks/<name>`.
        file: that torch.save or safetensors wrote.
        out: another folder.
        choices: what the file does not say.
        overwrite: replace what another file gave.
    Raises:
        InputError: the file is of no known layout, or tensors are missing, damaged or do not fit.
        SettingsError: names of identities, or settings, that the file has no use for.
        MismatchError: the folder holds something else already.
    """
    from vfsearch.networks.checkpoint_file import load_checkpoint
    from vfsearch.networks.layouts import state_dict_in
    from vfsearch.networks.translation import translate

    choices, data = choices or Choices(), read_file(file, "checkpoint")
    try:
        tensors, entry = state_dict_in(load_checkpoint(data))
        found = translate(tensors)
    except InputError as error:
        raise InputError(f"cannot import {file}: {error}") from error
    imported = {"file": file.name, "sha256": sha256(data), "layout": found.layout.name}
    write = _write_model if found.layout.joint else _write_network
    artefact, imported_now = write(workspace, out, found, imported, choices, overwrite)
    report = ImportReport(
        folder=artefact.folder,
        kind=artefact.kind,
        layout=found.layout.name,
        entry=entry,
        networks=_networks(found),
        identities=artefact.about.get("identities", 0),
        space=Space(**artefact.about["space"]) if "space" in artefact.about else None,
        tensors={name: getattr(found, name) for name in ("used", "missing", "left_over", "unknown")},
        differing=found.differing,
        imported_now=imported_now,
    )
    for what, names in report.tensors.items():
        for name in names:
            logger.info("%s: %s", what.replace("_", " "), name)
    return report


def _networks(found: "Translation") -> dict[str, dict]:
    """Modality -> name and all settings, in the usual order."""
    return {
        modality: {
            "name": found.networks[modality][0],
            "settings": settings_to_json(found.networks[modality][0], network_settings(*found.networks[modality])),
        }
        for modality in MODALITIES
        if modality in found.networks
    }


def _write_model(
    workspace: Workspace, out: Path | None, found: "Translation", imported: dict, choices: Choices, overwrite: bool
) -> tuple[Artefact, bool]:
    import safetensors.torch

    networks = _networks(found)
    chosen = {"voice": choices.voice_settings, "face": choices.face_settings}
    encoders = Encoders(
        **{modality: each["name"] for modality, each in networks.items()},
        **{f"{modality}_settings": {**each["settings"], **chosen[modality]} for modality, each in networks.items()},
    ).as_networks()
    names = _identities(choices.identities, found.identities)
    table = _identity_table(names, found)
    about = {
        "encoders": encoders.to_json(),
        "end_to_end": True,
        "settings": {"head": asdict(found.head)},
        "feature_spaces": {},
        "split": UNKNOWN_SPLIT,
        "validation": None,
        "trained_on": imported["sha256"],
        "imported": {**imported, "identities": digest(names)},
        "names_identities": choices.identities is not None,
    }
    weights = safetensors.torch.save(found.state)
    files = {WEIGHTS_NAME: weights, IDENTITIES_NAME: identities_csv(names, *table)}
    if "classifier" in found.training:
        files[CLASSIFIER_NAME] = safetensors.torch.save({"weight": found.training["classifier"]})
    space = joint_space(weights, _standing_on(encoders), found.head.dimension)
    findings = {"identities": len(names), "left_out": int((table[0] == 0).sum()), "final": {}, "best": {}}
    folder = out or workspace.model_folder
    with writer_lock(folder):
        there = _there(folder, "model", SCHEMA, about, overwrite)
        if there is not None:
            return there, False
        artefact = begin_model(folder, about, overwrite=True)
        finish_model(artefact, files, {**findings, "space": space.to_json()})
    return artefact, True


def _write_network(
    workspace: Workspace, out: Path | None, found: "Translation", imported: dict, choices: Choices, overwrite: bool
) -> tuple[Artefact, bool]:
    import safetensors.torch

    (network,) = _networks(found).values()
    if choices != Choices():
        raise SettingsError(
            f"the file holds one network, {network['name']}, without head and classifier: names of identities and how "
            "media are prepared belong to a whole model; leave these options out"
        )
    about = {"network": network["name"], "settings": network["settings"], "imported": imported}
    folder = out or workspace.folder / "networks" / network["name"]
    with writer_lock(folder):
        there = _there(folder, NETWORK_KIND, NETWORK_SCHEMA, about, overwrite)
        if there is not None:
            return there, False
        artefact = Artefact(folder=folder, kind=NETWORK_KIND, schema=NETWORK_SCHEMA, about=about)
        # A reader finds the old weights or the new ones, never new ones under the old list.
        remove_file(folder / MANIFEST_NAME)
        artefact.add(WEIGHTS_NAME, safetensors.torch.save(found.state))
        artefact.write()
        artefact.remove_unlisted(r"weights\.safetensors")
    return artefact, True


def _standing_on(encoders: Encoders) -> dict:
    """What the joint space stands on besides its weights, as for a model that was trained here."""
    landmarks = None
    # Where dlib is not installed, no photo can be prepared so, and there will be no rows to compare.
    with contextlib.suppress(MissingExtraError):
        landmarks = encoders.landmarks()
    return {**encoders.to_json(), "landmarks": landmarks}


def _there(folder: Path, kind: str, schema: int, about: dict, overwrite: bool) -> Artefact | None:
    """What the folder holds, if it is to be kept; None if it holds nothing, or what may be replaced.

    Raises:
        MismatchError: it was made of something else, and nothing says that it may be replaced.
        ArtefactError, DamagedError: it is of another kind, which is never replaced, or another version, or damaged.
    """
    if not exists(folder):
        return None
    if overwrite:
        require_replaceable(folder, kind)
        return None
    there = read_artefact(folder, kind, schema, MADE_BY)
    if any(there.about.get(name) != value for name, value in about.items()):
        of = there.about.get("imported", {}).get("file")
        what = f"imported from {of}, with other content or choices" if of else "trained here"
        raise MismatchError(
            f"{folder} holds another {kind}, {what}; give --overwrite to replace it, or --out another folder"
        )
    there.verify()
    # What a killed import left is begun anew.
    return there if there.about.get("complete", True) else None


def _identities(path: Path | None, count: int) -> list[str]:
    """Names of the classifier's rows: those of a file, or numbers.

    Raises:
        InputError: the file has another number of names, an empty one, or one twice.
    """
    if path is None:
        return [f"identity{number:04d}" for number in range(count)]
    try:
        text = read_file(path, "names of the identities").decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no UTF-8 text: {error}; wanted one name a line") from error
    names = [line.strip() for line in io.StringIO(text)]
    if len(names) != count:
        raise InputError(f"{path} has {len(names)} lines, the checkpoint {count} identities; wanted one name a line")
    lines: dict[str, int] = {}
    for number, name in enumerate(names, start=1):
        if not name or name in lines:
            what = f"{name!r} again, after line {lines[name]}" if name else "no name"
            raise InputError(f"{path}, line {number}: {what}; wanted one name a line, each once")
        lines[name] = number
    return names


def _identity_table(names: list[str], found: "Translation") -> tuple[np.ndarray, np.ndarray]:
    """Weights (M,), all 1 where the file has none, and hardness (M,), NaN where it has none."""
    weights, hardness = (
        found.training[name].numpy().astype(np.float64) if name in found.training else np.full(len(names), otherwise)
        for name, otherwise in (("weights", 1.0), ("hardness", np.nan))
    )
    return weights, hardness
