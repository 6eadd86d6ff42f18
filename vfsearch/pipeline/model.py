"""The model folder: what `train` and `model import` write, and `embed`, `query --file` and `model` read."""

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from vfsearch.artefact import Artefact, exists, read_artefact, require_replaceable
from vfsearch.data.csv_lines import CsvLines
from vfsearch.data.space import Space
from vfsearch.encoders.base import Encoder
from vfsearch.encoders.inference import PRECISIONS, InPrecision
from vfsearch.encoders.joint import JointEncoder
from vfsearch.errors import ArtefactError, DamagedError, MismatchError, SettingsError
from vfsearch.files import digest, remove_file
from vfsearch.pipeline.encoders import Encoders
from vfsearch.pipeline.projection import Projection, network_rows

SCHEMA = 2
MADE_BY = "vfsearch train"
WEIGHTS_NAME = "weights.safetensors"
CLASSIFIER_NAME = "classifier.safetensors"
RECORD_NAME = "training.csv"
IDENTITIES_NAME = "identities.csv"
IDENTITY_COLUMNS = ("identity", "weight", "hardness")
OWN_NAMES = (
    r"(weights|classifier)\.safetensors|(training|identities)\.(csv|png)|checkpoint-\d{7,}\.safetensors|.*tfevents.*"
)


@dataclass(frozen=True, kw_only=True)
class IdentityRow:
    """What a training learned of one identity.

    Args:
        identity: its name.
        weight: that it was trained with; 0: left out.
        hardness: running mean of its loss; NaN where none was kept.
    """

    identity: str
    weight: float
    hardness: float


@dataclass(frozen=True, eq=False)
class Model:
    """A trained joint space; get one from `open_model`.

    It is two heads on the features of frozen encoders, or two networks with their heads that were trained from media.

    Args:
        artefact: the sealed folder.
    """

    artefact: Artefact

    @property
    def end_to_end(self) -> bool:
        """Whether its networks were trained with it; else its heads stand on frozen encoders."""
        return self.artefact.about["end_to_end"]

    @property
    def chosen_encoders(self) -> Encoders:
        """The encoders that its heads stand on, or the networks that were trained."""
        return Encoders.from_json(self.artefact.about["encoders"])

    @property
    def space(self) -> Space:
        """The joint space: of voices and faces alike."""
        return Space(**self.artefact.about["space"])

    @property
    def feature_spaces(self) -> dict[str, Space]:
        """Modality -> space of the features that its heads take; empty for one that was trained end to end."""
        return {modality: Space(**space) for modality, space in self.artefact.about["feature_spaces"].items()}

    @property
    def settings(self) -> dict:
        """Of its training, as JSON; of an imported one the head alone is known."""
        return self.artefact.about["settings"]

    @property
    def provenance(self) -> dict:
        """What a store says of the model that it was made with; JSON."""
        about = self.artefact.about
        return {"split": about["split"], "settings": about["settings"], "trained_on": about["trained_on"]}

    @property
    def names_identities(self) -> bool:
        """Whether the names of the identities that it was trained on are known; not of every imported one."""
        return self.artefact.about.get("names_identities", True)

    def seen(self, identity: str, split: str) -> str:
        """What the training saw of an item: "item" (itself), "identity" (others of that person) or "no"."""
        if identity not in self._identities:
            return "no"
        return "item" if self.artefact.about["split"] in (None, split) else "identity"

    @cached_property
    def _identities(self) -> frozenset[str]:
        return frozenset(row.identity for row in self.identity_table())

    def identity_table(self) -> list[IdentityRow]:
        """The identities trained on, in the order of the classifier's rows."""
        rows = csv.DictReader(io.StringIO(self.artefact.read(IDENTITIES_NAME).decode(), newline=""))
        return [
            IdentityRow(
                identity=row["identity"], weight=float(row["weight"]), hardness=float(row["hardness"] or math.nan)
            )
            for row in rows
        ]

    def networks(self):
        """The networks with their heads (the heads alone on frozen features), in evaluation mode, on the CPU.

        Raises:
            DamagedError: the weights are damaged.
        """
        import safetensors.torch

        networks = make_networks(
            self.chosen_encoders, self.end_to_end, self.feature_spaces, self.artefact.about["settings"]
        )
        try:
            networks.load_state_dict(safetensors.torch.load(self.artefact.read(WEIGHTS_NAME)))
        except (RuntimeError, safetensors.SafetensorError) as error:
            raise DamagedError(f"{self.artefact.folder / WEIGHTS_NAME} does not fit its model: {error}") from error
        return networks.eval()

    def projection(self, device: str = "cpu") -> Projection:
        """The heads over frozen features, ready to run.

        Raises:
            DamagedError: the weights are damaged.
        """
        import torch

        return Projection(self.networks().double().to(torch.device(device)), device)

    def encoders(self, modalities: Iterable[str], device: str = "cpu") -> dict[str, Encoder]:
        """From media to the joint space, each modality by an encoder.

        Raises:
            MismatchError: a frozen encoder is installed in another version than the one that the heads stand on.
        """
        if self.end_to_end:
            return self._whole_networks(modalities, device)
        found = {}
        projection = self.projection(device)
        for modality, encoder in self.chosen_encoders.make(modalities, device).items():
            require_features(self.feature_spaces[modality], encoder.space, modality)
            found[modality] = JointEncoder(
                modality=modality, space=self.space, preparation=encoder.preparation,
                rows=lambda samples, precision, encoder=encoder, modality=modality: projection(
                    modality, encoder.encode(samples)
                ),
            )  # fmt: skip
        return found

    def _whole_networks(self, modalities: Iterable[str], device: str) -> dict[str, Encoder]:
        import torch

        networks = InPrecision(self.networks().to(device, memory_format=torch.channels_last))
        preparations = self.chosen_encoders.preparations()
        return {
            modality: JointEncoder(
                modality=modality, space=self.space, preparation=preparations[modality],
                rows=lambda samples, precision, modality=modality: network_rows(
                    networks(precision), modality, samples, device, precision
                ),
                precisions=PRECISIONS,
            )
            for modality in modalities
        }  # fmt: skip


def make_networks(encoders: Encoders, end_to_end: bool, feature_spaces: Mapping[str, Space], settings: Mapping):
    """New networks of a model, with weights that torch draws.

    Args:
        encoders: what the heads stand on.
        end_to_end: networks and heads, not heads alone.
        feature_spaces: modality -> space of frozen features, where heads stand on those.
        settings: of the training, as JSON; its `head` counts.
    """
    from vfsearch.networks.catalog import make_network
    from vfsearch.networks.heads import HeadSettings
    from vfsearch.networks.joint import JointNetworks

    head = HeadSettings(**settings["head"])
    if not end_to_end:
        return JointNetworks({}, {modality: space.dimension for modality, space in feature_spaces.items()}, head)
    backbones = {modality: make_network(*encoders.network(modality)) for modality in ("voice", "face")}
    return JointNetworks(backbones, {modality: each.dimension for modality, each in backbones.items()}, head)


def require_features(wanted: Space, found: Space, modality: str) -> None:
    """Refuse features of other encoders than those that the heads were trained on.

    Raises:
        MismatchError: they differ.
    """
    if wanted != found:
        raise MismatchError(
            f"the model was trained on {modality} features {wanted}, the encoder here gives {found}: "
            "another version of its weights or preprocessing is installed; install that one, or train anew"
        )


def open_model(folder: Path) -> Model:
    """Open a trained model.

    Raises:
        ArtefactError: there is none, or its training is not finished.
        DamagedError: its manifest is damaged.
    """
    artefact = read_artefact(folder, "model", SCHEMA, MADE_BY)
    if not artefact.about["complete"]:
        raise ArtefactError(f"the training of {folder} is not finished; go on with `{MADE_BY}`, options as before")
    return Model(artefact)


def begin_model(folder: Path, about: dict, overwrite: bool) -> Artefact:
    """A model folder to train in: the one that was begun with the same settings and data, or a new one.

    Call it while holding the folder's lock.

    Raises:
        MismatchError: one is there that was made otherwise; the message says what differs.
        DamagedError: one is there, with a damaged file.
    """
    about = {**about, "complete": False}
    if exists(folder) and not overwrite:
        artefact = read_artefact(folder, "model", SCHEMA, MADE_BY)
        differ = [name for name in about if name != "complete" and artefact.about.get(name) != about[name]]
        if differ:
            raise MismatchError(
                f"the model {folder} was trained otherwise ({_differences(artefact.about, about, differ)}); "
                f"give `{MADE_BY} --overwrite` to train anew, or --out another folder"
            )
    else:
        require_replaceable(folder, "model")
        artefact = Artefact(folder=folder, kind="model", schema=SCHEMA, about=about)
        artefact.write()
    artefact.remove_unlisted(OWN_NAMES)
    artefact.verify()
    return artefact


def finish_model(artefact: Artefact, files: Mapping[str, bytes], about: Mapping) -> None:
    """Put the content of a finished model in place; its checkpoints and their event files go.

    Args:
        artefact: of the model.
        files: name -> content; none of the names that the unfinished model has: a process that is killed before the
            new manifest is in place would leave it with a file that is not the one listed.
        about: what is known of it only now.
    Raises:
        SettingsError: a name is taken.
    """
    old = list(artefact.files)
    taken = sorted(set(old) & set(files))
    if taken:
        raise SettingsError(
            f"the unfinished model {artefact.folder} has files named {taken}; finished ones need others"
        )
    artefact.files.clear()
    for name, data in files.items():
        artefact.add(name, data)
    artefact.about.update(about, complete=True)
    artefact.write()
    for name in old:
        if name not in artefact.files:
            remove_file(artefact.folder / name)


def identities_csv(identities: Sequence[str], weights: np.ndarray, hardness: np.ndarray) -> bytes:
    """The table of identities, in the order of the classifier's rows.

    Args:
        identities: M names.
        weights, hardness: (M,); a hardness of NaN is left blank.
    """
    text = io.StringIO(newline="")
    table = CsvLines(text)
    table.writerow(IDENTITY_COLUMNS)
    for identity, weight, each in zip(identities, weights.tolist(), hardness.tolist(), strict=True):
        table.writerow([identity, f"{weight:.9g}", "" if math.isnan(each) else f"{each:.9g}"])
    return text.getvalue().encode()


def _differences(there: dict, now: dict, names: list[str]) -> str:
    found = []
    for name in names:
        left, right = there.get(name), now[name]
        if isinstance(left, dict) and isinstance(right, dict):
            keys = [key for key in right if left.get(key) != right[key]]
            found += [f"{name}.{key}: {left.get(key)} there, {right[key]} now" for key in keys]
        else:
            found.append(f"{name}: {str(left)[:12]} there, {str(right)[:12]} now")
    return "; ".join(found)


def joint_space(weights: bytes, standing_on: dict, dimension: int) -> Space:
    """The space of a model: its weights and what they stand on.

    Args:
        weights: the bytes of its file of weights.
        standing_on: feature spaces, or networks and their preparation; JSON.
        dimension: of the space.
    """
    return Space(name="joint", fingerprint=digest([weights.hex(), standing_on]), dimension=dimension)
