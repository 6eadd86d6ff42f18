"""The model folder: what `train` writes and `embed` and `query --file` read."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from vfsearch.artefact import Artefact, exists, read_artefact
from vfsearch.data.space import Space
from vfsearch.errors import ArtefactError, DamagedError, MismatchError
from vfsearch.files import digest, remove_file
from vfsearch.pipeline.features import Frozen

SCHEMA = 1
MADE_BY = "vfsearch train"
WEIGHTS_NAME = "weights.safetensors"
RECORD_NAME = "training.csv"
IDENTITIES_NAME = "identities.json"
OWN_NAMES = r"weights\.safetensors|training\.csv|identities\.json|checkpoint-\d{7,}\.safetensors"


@dataclass(frozen=True, eq=False)
class Model:
    """A trained joint space over two frozen encoders; get one from `open_model`.

    Args:
        artefact: the sealed folder.
    """

    artefact: Artefact

    @property
    def frozen(self) -> Frozen:
        """The encoders that its heads stand on."""
        return Frozen(**self.artefact.about["frozen"])

    @property
    def space(self) -> Space:
        """The joint space: of voices and faces alike."""
        return Space(**self.artefact.about["space"])

    @property
    def feature_spaces(self) -> dict[str, Space]:
        """Modality -> space of the features that its heads take."""
        return {modality: Space(**space) for modality, space in self.artefact.about["feature_spaces"].items()}

    @property
    def provenance(self) -> dict:
        """What a store says of the model that it was made with; JSON."""
        about = self.artefact.about
        return {"split": about["split"], "settings": about["settings"], "trained_on": about["trained_on"]}

    def seen(self, identity: str, split: str) -> str:
        """What the training saw of an item: "item" (itself), "identity" (others of that person) or "no"."""
        if identity not in self._identities:
            return "no"
        return "item" if self.artefact.about["split"] in (None, split) else "identity"

    @cached_property
    def _identities(self) -> frozenset[str]:
        return frozenset(json.loads(self.artefact.read(IDENTITIES_NAME)))

    def projection(self, device: str = "cpu") -> "Projection":
        """The heads, ready to run.

        Raises:
            DamagedError: the weights are damaged.
        """
        import safetensors.torch
        import torch

        from vfsearch.networks.heads import HeadSettings, JointHeads

        about = self.artefact.about
        widths = {modality: space.dimension for modality, space in self.feature_spaces.items()}
        heads = JointHeads(widths, HeadSettings(**about["settings"]["head"]))
        try:
            heads.load_state_dict(safetensors.torch.load(self.artefact.read(WEIGHTS_NAME)))
        except (RuntimeError, safetensors.SafetensorError) as error:
            raise DamagedError(f"{self.artefact.folder / WEIGHTS_NAME} does not fit its model: {error}") from error
        return Projection(heads.double().eval().to(torch.device(device)), device)


class Projection:
    """Features of frozen encoders to joint embeddings: a row is the same whatever else is in its batch.

    In float32 the last digits of a product depend on the batch and on the row's place in it, so that equal features
    would get unequal rows and ties would be lost. What is left of that in float64 goes in the rounding to float32.

    Args:
        heads: in evaluation mode, float64.
        device: where they are.
    """

    def __init__(self, heads, device: str) -> None:
        self._heads = heads
        self._device = device

    def __call__(self, modality: str, features: np.ndarray) -> np.ndarray:
        """(n, dimension) float32 joint embeddings, not normalised, of (n, inputs) features."""
        import torch

        with torch.inference_mode():
            rows = self._heads(modality, torch.as_tensor(features).to(self._device, torch.float64))
            return rows.float().cpu().numpy()


def open_model(folder: Path) -> Model:
    """Open a trained model.

    Raises:
        ArtefactError: there is none, or its training is not finished.
        DamagedError: its manifest is damaged.
    """
    artefact = read_artefact(folder, "model", SCHEMA, MADE_BY)
    if not artefact.about["complete"]:
        raise ArtefactError(f"the training of {folder} is not finished; go on with `{MADE_BY}`")
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
        artefact = Artefact(folder=folder, kind="model", schema=SCHEMA, about=about)
        artefact.write()
    artefact.remove_unlisted(OWN_NAMES)
    artefact.verify()
    return artefact


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


def joint_space(weights: bytes, feature_spaces: dict[str, Space], dimension: int) -> Space:
    """The space of a model: its weights and what they stand on."""
    standing_on = {modality: space.to_json() for modality, space in feature_spaces.items()}
    return Space(name="joint", fingerprint=digest([weights.hex(), standing_on]), dimension=dimension)


class FileCheckpoints:
    """Training state in the model folder, a new file each time.

    Args:
        artefact: the model that is being trained.
    """

    def __init__(self, artefact: Artefact) -> None:
        self._artefact = artefact

    def load(self):
        """The last state saved, or None."""
        import safetensors.torch

        names = [name for name in self._artefact.files if name.startswith("checkpoint-")]
        return safetensors.torch.load(self._artefact.read(names[-1])) if names else None

    def save(self, state) -> None:
        """Keep a state, and drop the one before."""
        import safetensors.torch

        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
        old = [name for name in self._artefact.files if name.startswith("checkpoint-")]
        for name in old:
            del self._artefact.files[name]
        self._artefact.add(f"checkpoint-{len(state['record']):07d}.safetensors", safetensors.torch.save(tensors))
        self._artefact.write()
        for name in old:
            remove_file(self._artefact.folder / name)
