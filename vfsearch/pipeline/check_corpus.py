"""`vfsearch corpus check`: what would fail, before hours are spent."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vfsearch.data.failure import FailedItem, failures_csv
from vfsearch.data.manifest import Item, Manifest
from vfsearch.files import write_file
from vfsearch.media.checking import ClipCheck, PhotoCheck
from vfsearch.media.preparation import Failure, Task
from vfsearch.media.workers import PreparationWorkers
from vfsearch.pipeline.decoding import Decoding
from vfsearch.pipeline.workspace import Workspace
from vfsearch.progress import Progress, silent

CHECKS = {"voice": ClipCheck, "face": PhotoCheck}
_PROGRESS_STEP = 100


@dataclass(frozen=True, kw_only=True, eq=False)
class CheckReport:
    """What a check found.

    Args:
        items: modality -> items listed.
        failed: items that would fail, with the reason.
        media_bytes: modality -> bytes of the files that are there, each counted once.
        audio_seconds: of the clips that would not fail.
        pixels: the fewest and the most of a photo; (0, 0) without one.
        remarks: what else is worth knowing -> how many.
    """

    items: dict[str, int]
    failed: tuple[FailedItem, ...]
    media_bytes: dict[str, int]
    audio_seconds: float
    pixels: tuple[int, int]
    remarks: dict[str, int] = field(default_factory=dict)

    def reasons(self) -> list[tuple[str, str, int, str]]:
        """(modality, reason, how many, one path) of each reason, the most frequent first."""
        counts = Counter((item.modality, item.reason) for item in self.failed)
        first: dict[tuple[str, str], str] = {}
        for item in self.failed:
            first.setdefault((item.modality, item.reason), item.path)
        return [(*key, count, first[key]) for key, count in counts.most_common()]

    def to_json(self) -> dict:
        """The report as JSON."""
        return {
            "items": self.items,
            "failed": len(self.failed),
            "reasons": [
                {"modality": modality, "reason": reason, "items": count, "path": path}
                for modality, reason, count, path in self.reasons()
            ],
            "media_bytes": self.media_bytes,
            "audio_hours": self.audio_seconds / 3600,
            "pixels": list(self.pixels),
            "remarks": self.remarks,
        }


def check_corpus(
    workspace: Workspace,
    deep: bool = False,
    decoding: Decoding | None = None,
    report: Path | None = None,
    progress: Progress = silent,
) -> CheckReport:
    """Look at every file of the manifest, in processes that may die of it.

    Args:
        workspace: with a manifest.
        deep: decode everything; else headers, truncation, and a moment of each clip.
        decoding: processes and limits.
        report: write the items that would fail to this file, in the columns of failures.csv.
        progress: called with items done.
    Raises:
        InputError: there is no manifest, or it has a bad line.
    """
    manifest, decoding = workspace.read_manifest(), decoding or Decoding()
    failed: list[FailedItem] = []
    values: dict[str, list[float]] = {}
    for modality, check in CHECKS.items():
        items = [item for item in manifest if item.modality == modality]
        values[modality] = []
        with PreparationWorkers(check(deep=deep), decoding.limits, decoding.workers) as workers:
            results = workers.prepare(_tasks(manifest, items))
            for done, (item, result) in enumerate(zip(items, results, strict=True), start=1):
                if isinstance(result, Failure):
                    failed.append(_failed(item, result))
                else:
                    values[modality].append(float(result.sample[0]))
                if done % _PROGRESS_STEP == 0 or done == len(items):
                    progress(f"{modality} items", done, len(items))
    if report is not None:
        write_file(report, failures_csv(failed))
    pixels = values["face"]
    return CheckReport(
        items={modality: sum(item.modality == modality for item in manifest) for modality in CHECKS},
        failed=tuple(failed),
        media_bytes=_bytes(manifest),
        audio_seconds=sum(values["voice"]),
        pixels=(int(min(pixels)), int(max(pixels))) if pixels else (0, 0),
        remarks=_remarks(manifest),
    )


def _tasks(manifest: Manifest, items: Sequence[Item]) -> Iterator[Task]:
    return (
        Task(path=manifest.media_path(item), start_seconds=item.start_seconds, end_seconds=item.end_seconds)
        for item in items
    )


def _failed(item: Item, failure: Failure) -> FailedItem:
    return FailedItem(
        id=item.id, path=item.path, modality=item.modality, identity=item.identity, stage=failure.stage,
        reason=failure.reason, columns=item.columns,
    )  # fmt: skip


def _bytes(manifest: Manifest) -> dict[str, int]:
    found, base = {}, os.fspath(manifest.folder)
    for modality in CHECKS:
        paths = {item.path for item in manifest if item.modality == modality}
        found[modality] = sum(map(_size, (os.path.join(base, path) for path in paths)))
    return found


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except (OSError, ValueError):
        return 0


def _remarks(manifest: Manifest) -> dict[str, int]:
    """What is no failure, but may be a mistake of the list."""
    has: dict[str, set[str]] = defaultdict(set)
    splits: dict[str, set[str]] = defaultdict(set)
    parts: Counter[tuple] = Counter()
    for item in manifest:
        has[item.identity].add(item.modality)
        splits[item.identity].add(item.columns.get("split", ""))
        parts[item.modality, item.path, item.start_seconds, item.end_seconds] += 1
    both = any(len(own) == len(CHECKS) for own in has.values())
    found = {
        "people without a voice": sum("voice" not in own for own in has.values()) if both else 0,
        "people without a face": sum("face" not in own for own in has.values()) if both else 0,
        "people in more than one split": sum(len(own) > 1 for own in splits.values()),
        "items that list the same part of a file again": sum(count - 1 for count in parts.values()),
    }
    return {what: count for what, count in found.items() if count}
