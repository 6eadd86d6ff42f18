"""What an embedding of a manifest has to do, before any of it is done."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vfsearch.artefact import exists
from vfsearch.data.manifest import Manifest
from vfsearch.data.space import Space
from vfsearch.embed.marks import changed_ns
from vfsearch.encoders.base import Encoder
from vfsearch.errors import ArtefactError, MismatchError
from vfsearch.pipeline.encoders import Encoders
from vfsearch.pipeline.encoding import Encoding
from vfsearch.pipeline.engine import Project, ProjectWork
from vfsearch.pipeline.features import Plan, plan_features
from vfsearch.pipeline.model import Model, open_model, require_features
from vfsearch.pipeline.recipe import Recipe
from vfsearch.pipeline.workspace import Workspace
from vfsearch.store.store import Store, open_store
from vfsearch.store.writer import require_same_store


@dataclass(frozen=True, kw_only=True, eq=False)
class EmbeddingPlan:
    """What is to be embedded by what, and into what it is cut.

    Args:
        workspace: where.
        manifest: the items.
        model: None: the encoders' own rows are stored.
        encoders: modality -> what takes its media to rows (to features, where `project` is given).
        project: features -> rows of the store; None: the encoders give these.
        spaces: modality -> space of the store's rows.
        plan: the shards.
        encoding: how samples become rows.
        recipe: how other processes make the encoders.
    """

    workspace: Workspace
    manifest: Manifest
    model: Model | None
    encoders: dict[str, Encoder]
    project: Project | None
    spaces: dict[str, Space]
    plan: Plan
    encoding: Encoding
    recipe: Recipe

    @property
    def model_folder(self) -> Path | None:
        """Of the model, for other processes."""
        return None if self.model is None else self.model.artefact.folder.absolute()

    @property
    def projecting(self) -> ProjectWork:
        """What takes features to rows of the store; of encoders that give these there is nothing to do."""
        features = self.workspace.features_folder.absolute()
        return ProjectWork(
            features=features, parts=self.plan.parts, spaces=self.spaces, project=self.project, model=self.model_folder
        )

    @property
    def precisions(self) -> dict[str, str]:
        """Modality -> what its encoder computes in."""
        return {modality: self.encoding.precision_of(encoder) for modality, encoder in self.encoders.items()}

    @property
    def about(self) -> dict:
        """What the store will say of itself; JSON."""
        reduced = {modality: each for modality, each in self.precisions.items() if each != "fp32"}
        return {
            "spaces": {modality: space.to_json() for modality, space in self.spaces.items()},
            "model": None if self.model is None else self.model.provenance,
            "rows_per_part": self.plan.rows_per_part,
            "list": self.plan.list_name(),
            **({"precision": reduced} if reduced else {}),
        }

    def require_fitting(self, dtype: str, prune: bool) -> None:
        """Refuse to change a store that was made otherwise, or to remove most of its rows unasked.

        Raises:
            MismatchError: the message says what differs and what to do.
        """
        folder = self.workspace.store_folder
        require_same_store(folder, self.about, dtype, may_differ=("list",))
        if prune or not exists(folder):
            return
        store = open_store(folder, complete=False)
        rows = sum(store.count("rows", modality) for modality in store.spaces)
        if (
            store.artefact.about["list"] != self.about["list"]
            and 2 * (listed := self._still_listed(store, rows)) < rows
        ):
            raise MismatchError(
                f"the store {folder} holds {rows} rows, and only {listed} of them are in {self.manifest.where}: the "
                "others would be removed; name the list with --manifest, give --out another folder, or --prune to "
                "remove them"
            )

    @property
    def source_folder(self) -> Path:
        """The store that what the encoders give is in: of features, or of the rows themselves."""
        return self.workspace.features_folder if self.project else self.workspace.store_folder

    def touched(self) -> int:
        """Items that are kept by the size of their file alone, though it was changed after it was embedded."""
        if self.encoding.changed_by != "size" or not exists(self.source_folder):
            return 0
        store = open_store(self.source_folder, complete=False)
        held = [part for part in self.plan.parts if part.name in store.artefact.files]
        media = {modality for modality, encoder in self.encoders.items() if encoder.preparation is not None}
        return sum(
            changed_ns(part.folder, item) > written
            for part in held
            if part.modality in media
            for written in [store.written_ns(part.name)]
            for item in part.items
        )

    def _still_listed(self, store: Store, rows: int) -> int:
        """How many rows of a store are of this list; of large stores with few changes only the names are looked at."""
        files, parts = store.artefact.files, set(self.plan.names)
        held = sum(files[name]["rows"] for name in parts & set(files))
        if 2 * held >= rows:
            return held
        ids = {item.id for item in self.manifest}
        others = (name for modality in store.spaces for name in store.parts(modality) if name not in parts)
        return held + sum(id_ in ids for name in others for id_ in store.shard(name).embeddings.ids)


def plan_embedding(
    workspace: Workspace,
    frozen: Encoders | None = None,
    encoding: Encoding | None = None,
    rows_per_part: int | None = None,
) -> EmbeddingPlan:
    """Read the manifest and the model, and cut the list into shards.

    Args:
        workspace, frozen, encoding, rows_per_part: see `embed_manifest`.
    Raises:
        ArtefactError: there is no model.
        InputError: there is no manifest, or it has a bad line.
    """
    manifest, model = workspace.read_manifest(), _model(workspace) if frozen is None else None
    encoding, modalities = encoding or Encoding(), {item.modality for item in manifest}
    if model is not None and model.end_to_end:
        encoders, project = model.encoders(modalities, encoding.device), None
        recipe = Recipe(model=model.artefact.folder.absolute())
    else:
        recipe = Recipe(encoders=(frozen if model is None else model.chosen_encoders).findable())
        encoders, project = _standing_on(model, frozen, modalities, encoding.device)
    encoding.require_known(encoders.values())
    spaces = {name: encoder.space if model is None else model.space for name, encoder in encoders.items()}
    folder = None if project else workspace.store_folder
    plan = plan_features(workspace, manifest, encoders, rows_per_part, folder, encoding)
    return EmbeddingPlan(
        workspace=workspace, manifest=manifest, model=model, encoders=encoders, project=project, spaces=spaces,
        plan=plan, encoding=encoding, recipe=recipe,
    )  # fmt: skip


def _model(workspace: Workspace) -> Model:
    if not exists(workspace.model_folder):
        raise ArtefactError(
            f"no model at {workspace.model_folder}: train one with `vfsearch train`, or store what the frozen encoders "
            "give with --frozen (then voices and faces cannot be compared with each other)"
        )
    return open_model(workspace.model_folder)


def _standing_on(
    model: Model | None, frozen: Encoders | None, modalities: Iterable[str], device: str
) -> tuple[dict[str, Encoder], Project]:
    """Encoders, and what takes their features to the store's rows."""
    if model is None:
        return frozen.make(modalities, device), _unchanged
    encoders = model.chosen_encoders.make(modalities, device)
    for modality, encoder in encoders.items():
        require_features(model.feature_spaces[modality], encoder.space, modality)
    return encoders, model.projection(device)


def _unchanged(modality: str, features: np.ndarray) -> np.ndarray:
    return features
