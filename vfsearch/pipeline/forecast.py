"""What embedding a manifest will take: counted, and timed on a few of its items."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from vfsearch.artefact import exists
from vfsearch.data.shard import Shard
from vfsearch.embed.marks import Mark
from vfsearch.embed.meter import Meter
from vfsearch.embed.plan import Part
from vfsearch.embed.reuse import Kept
from vfsearch.embed.run import embed_parts
from vfsearch.encoders.base import Encoder
from vfsearch.errors import SettingsError
from vfsearch.pipeline.decoding import Decoding
from vfsearch.pipeline.embedding_plan import EmbeddingPlan, plan_embedding
from vfsearch.pipeline.encoders import Encoders
from vfsearch.pipeline.encoding import Encoding
from vfsearch.pipeline.engine import preparing
from vfsearch.pipeline.workspace import Workspace
from vfsearch.progress import Progress, silent
from vfsearch.store.store import open_store

SAMPLE = 48
WARM_UP = 4
BYTES_OF_TEXTS = 160
"""What a row's id, path, identity and columns take in a shard, about."""


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What one modality will take.

    Args:
        items: listed.
        kept: of these, rows or failures that are there already.
        missing: files that are not there, of those to be embedded.
        media_bytes: to be read.
        store_bytes: of all its shards.
        sampled: items that were embedded to see how long it takes; `failed` of them failed.
        failed: see there.
        reasons: why, the first few.
        items_per_second: in that sample; None: nothing could be sampled.
        audio_seconds: to be decoded, by the sample.
        seconds: that it will take, by the sample.
        limit: "decode", "encode" or "write".
        precision: of the encoder.
    """

    items: int
    kept: int
    missing: int
    media_bytes: int
    store_bytes: int
    sampled: int
    failed: int
    reasons: tuple[str, ...]
    items_per_second: float | None
    audio_seconds: float
    seconds: float | None
    limit: str
    precision: str

    @property
    def to_embed(self) -> int:
        """Items that are not there yet."""
        return self.items - self.kept

    def to_json(self) -> dict:
        """The forecast as JSON."""
        return {**asdict(self), "to_embed": self.to_embed}


def forecast(
    workspace: Workspace,
    frozen: Encoders | None = None,
    decoding: Decoding | None = None,
    encoding: Encoding | None = None,
    dtype: str = "float32",
    overwrite: bool = False,
    prune: bool = False,
    rows_per_part: int | None = None,
    sample: int = SAMPLE,
    progress: Progress = silent,
) -> dict[str, Forecast]:
    """What `embed_manifest` with the same arguments would do; nothing is written.

    Args:
        sample: items of each modality that are embedded to time it; 0: none.
    Returns:
        Modality -> what it will take.
    Raises:
        ArtefactError, InputError, MismatchError: as `embed_manifest` would, before it begins.
    """
    if sample < 0:
        raise SettingsError(f"a sample has {sample} items, it must have 0 or more")
    work = plan_embedding(workspace, frozen, encoding, rows_per_part)
    if not overwrite:
        work.require_fitting(dtype, prune)
    held = _Held(work.source_folder, giving_up=overwrite and not work.project, retry=work.encoding.retry_failed)
    found = {}
    for done, (modality, encoder) in enumerate(work.encoders.items(), start=1):
        found[modality] = _of_modality(work, modality, encoder, held, decoding or Decoding(), dtype, sample)
        progress("modalities", done, len(work.encoders))
    return found


class _Held:
    """What a store has of a list.

    Args:
        folder: of the store; there may be none.
        giving_up: it will be made anew.
        retry: what failed is looked at again.
    """

    def __init__(self, folder: Path, giving_up: bool, retry: bool) -> None:
        self._store = None if giving_up or not exists(folder) else open_store(folder, complete=False)
        self._retry = retry

    def fresh(self, parts: Sequence[Part], encoder: Encoder) -> list[tuple[Part, list[int]]]:
        """The parts with something to be embedded, and the places of that in them."""
        if self._store is None:
            return [(part, list(range(len(part.items)))) for part in parts]
        files, names = self._store.artefact.files, {part.name for part in parts}
        outdated = [
            (name, not (self._retry or facts.get("again")))
            for name, facts in files.items()
            if facts.get("modality") == encoder.modality and (name not in names or self._again(facts))
        ]
        missing = [part for part in parts if part.name not in files or self._again(files[part.name])]
        kept = Kept(self._store.shard, outdated if missing else (), encoder.space, self._store.written_ns)
        places = [(part, kept.of(part)) for part in missing]
        return [(part, [place for place in range(len(part.items)) if place not in there]) for part, there in places]

    def _again(self, facts: dict) -> bool:
        return bool(facts.get("again") or (self._retry and facts["failures"]))


def _of_modality(
    work: EmbeddingPlan, modality: str, encoder: Encoder, held: _Held, decoding: Decoding, dtype: str, sample: int
) -> Forecast:
    parts = [part for part in work.plan.parts if part.modality == modality]
    fresh = held.fresh(parts, encoder)
    marks = [part.marks[place] for part, places in fresh for place in places]
    items, to_embed = sum(len(part.items) for part in parts), len(marks)
    chosen = _spread(fresh, sample, needs_media=encoder.preparation is not None)
    meter, failures = _timed(work, encoder, chosen, decoding) if len(chosen) else (None, [])
    rate = None if meter is None else meter.items / max(meter.seconds, 1e-9)
    row_bytes = encoder.space.dimension if work.project is None else work.spaces[modality].dimension
    return Forecast(
        items=items,
        kept=items - to_embed,
        missing=sum(mark == -1 for mark in marks) if encoder.preparation is not None else 0,
        media_bytes=sum(map(_bytes, marks)),
        store_bytes=items * (row_bytes * (2 if dtype == "float16" else 4) + BYTES_OF_TEXTS),
        sampled=len(chosen),
        failed=len(failures),
        reasons=tuple(dict.fromkeys(failures))[:3],
        items_per_second=rate,
        audio_seconds=0.0 if meter is None else to_embed * meter.audio_seconds / max(meter.items, 1),
        seconds=to_embed / rate if rate else (0.0 if not to_embed else None),
        limit="" if meter is None else meter.limit,
        precision=work.precisions[modality],
    )


def _bytes(mark: Mark) -> int:
    """The size that a mark says."""
    return max(0, mark if isinstance(mark, int) else int(mark.split()[0]))


def _spread(fresh: Sequence[tuple[Part, list[int]]], count: int, needs_media: bool) -> list[tuple[Part, int]]:
    """Some items whose files are there, evenly spread over the list."""
    there = [
        (part, place) for part, places in fresh for place in places if not needs_media or part.marks[place] != -1
    ]  # fmt: skip
    step = max(1, len(there) // max(count, 1))
    return there[::step][:count]


def _timed(
    work: EmbeddingPlan, encoder: Encoder, chosen: Sequence[tuple[Part, int]], decoding: Decoding
) -> tuple[Meter, list[str]]:
    """How fast some items are embedded, once everything is loaded, and why some of them are not."""
    first = chosen[0][0]
    taken = _Taken()
    with preparing(encoder, work.manifest.folder, decoding) as prepare, work.encoding.running(encoder) as running:
        for some in (chosen[:WARM_UP], chosen):
            items = [part.items[place] for part, place in some]
            marks = [part.marks[place] for part, place in some]
            part = Part(
                name="sample", modality=encoder.modality, split="", items=items, marks=marks, folder=first.folder,
                changed_by=first.changed_by,
            )  # fmt: skip
            taken.reasons = []
            meter = embed_parts([part], encoder, prepare, taken, running)
    return meter, taken.reasons


class _Taken:
    """A writer that keeps nothing but reasons."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def holds(self, part: str) -> bool:
        """Never."""
        return False

    def add(self, part: str, shard: Shard) -> None:
        """Note why items failed."""
        self.reasons += [failure.reason for failure in shard.failures]
