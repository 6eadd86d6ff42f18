"""Media to frozen features, in a store of their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vfsearch.artefact import exists
from vfsearch.data.manifest import Manifest
from vfsearch.embed.meter import Meter
from vfsearch.embed.plan import ROWS_PER_PART, Part, plan_parts
from vfsearch.embed.run import stopped
from vfsearch.encoders.base import Encoder
from vfsearch.files import digest
from vfsearch.pipeline.decoding import Decoding
from vfsearch.pipeline.encoding import Encoding
from vfsearch.pipeline.engine import HERE, Engine, Filling, MediaWork
from vfsearch.pipeline.recipe import Recipe
from vfsearch.pipeline.workspace import Workspace
from vfsearch.progress import Progress, silent
from vfsearch.store.store import read_store_artefact
from vfsearch.store.writer import writing

ANYTHING = ("spaces", "rows_per_part", "list", "parts", "model", "precision", "dtype")
"""In all that the features of another training may differ: those of equal items and encoders are kept."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """How the features of a whole manifest are cut into shards.

    Args:
        parts: the shards.
        rows_per_part: the most items in one.
    """

    parts: list[Part]
    rows_per_part: int

    @property
    def names(self) -> list[str]:
        """Of the shards."""
        return [part.name for part in self.parts]

    def list_name(self) -> str:
        """What a store says of the list: the shards' names carry digests of their items and of the files' marks."""
        return f"{sum(len(part.items) for part in self.parts)} items ({digest(self.names)[:16]})"


def plan_features(
    workspace: Workspace,
    manifest: Manifest,
    encoders: dict[str, Encoder],
    rows_per_part: int | None = None,
    folder: Path | None = None,
    encoding: Encoding | None = None,
) -> Plan:
    """Cut a manifest into shards.

    Args:
        rows_per_part: None: as the store was begun, else 512. With another number than before, shards are cut anew.
        folder: of the store; None: that of the features.
        encoding: says how a changed file is noticed.
    """
    folder, encoding = folder or workspace.features_folder, encoding or Encoding()
    if rows_per_part is None and exists(folder):
        rows_per_part = read_store_artefact(folder).about["rows_per_part"]
    rows_per_part = ROWS_PER_PART if rows_per_part is None else rows_per_part
    spaces = {modality: encoder.space for modality, encoder in encoders.items()}
    precisions = {modality: encoding.precision_of(encoder) for modality, encoder in encoders.items()}
    parts = plan_parts(manifest, spaces, rows_per_part, encoding.changed_by, precisions)
    return Plan(parts=parts, rows_per_part=rows_per_part)


def fill_features(
    workspace: Workspace,
    manifest: Manifest,
    encoders: dict[str, Encoder],
    plan: Plan,
    split: str | None,
    decoding: Decoding,
    encoding: Encoding | None = None,
    progress: Progress = silent,
    engine: Engine = HERE,
    recipe: Recipe | None = None,
) -> dict[str, Meter]:
    """See that the store of frozen features holds every item of a split (None: of all).

    What was made before by the same encoders from the same items is kept, also when the manifest has changed since.

    Returns:
        Modality -> how fast it went, for those that were not there already.
    Raises:
        LockedError, VfsearchError: the store cannot be written.
    """
    encoding = encoding or Encoding()
    about = {
        "spaces": {modality: encoder.space.to_json() for modality, encoder in encoders.items()},
        "rows_per_part": plan.rows_per_part,
        "list": plan.list_name(),
    }
    with writing(
        workspace.features_folder, about, "float32", plan.names, may_differ=ANYTHING,
        retry_failed=encoding.retry_failed,
    ) as writer:  # fmt: skip
        asked = [part for part in plan.parts if split in (None, part.split)]
        meters = embed_media(manifest, encoders, asked, writer, decoding, encoding, progress, engine, recipe)
        if not writer.complete and all(map(writer.holds, plan.names)):
            writer.finish(plan.names)
    return meters


def embed_media(
    manifest: Manifest,
    encoders: dict[str, Encoder],
    parts: Sequence[Part],
    writer: Filling,
    decoding: Decoding,
    encoding: Encoding,
    progress: Progress,
    engine: Engine = HERE,
    recipe: Recipe | None = None,
    seen_by: Path | None = None,
) -> dict[str, Meter]:
    """Media to rows in a store, as far as it does not hold them yet; see `embed_parts`.

    Args:
        manifest: of the items.
        encoders: modality -> its encoder.
        parts: to be there.
        writer: of the store.
        decoding, encoding: how.
        progress: called with items done.
        engine: what does the work.
        recipe: how other processes make the encoders.
        seen_by: folder of the model whose training other processes ask the rows about.
    Returns:
        Modality -> how fast it went, for those that were not there already.
    """
    meters = {}
    for modality, encoder in encoders.items():
        of_modality = [part for part in parts if part.modality == modality]
        if encoding.strict:
            _require_none_failed(writer, of_modality)
        if all(writer.holds(part.name) for part in of_modality):
            continue
        work = MediaWork(
            folder=manifest.folder, encoder=encoder, parts=of_modality, decoding=decoding, encoding=encoding,
            recipe=recipe, seen_by=seen_by,
        )  # fmt: skip
        meters[modality] = engine.embed(work, writer, progress)
    return meters


def _require_none_failed(writer: Filling, parts: Sequence[Part]) -> None:
    """A strict run takes no failures of an earlier one either."""
    for shard in (writer.shard(part.name) for part in parts if writer.holds(part.name)):
        for failure in shard.failures[:1]:
            raise stopped(failure.modality, failure.path, failure.stage, failure.reason)
