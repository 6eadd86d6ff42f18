"""Media to rows: each item of a part becomes a row or a named failure."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

from vfsearch.data.manifest import Item
from vfsearch.data.shard import Shard
from vfsearch.embed.assembly import Assembly
from vfsearch.embed.batches import Batching, Sample, batches
from vfsearch.embed.encoding import EncoderLike, encoded
from vfsearch.embed.lanes import Behind, Lanes
from vfsearch.embed.meter import Meter
from vfsearch.embed.plan import Part
from vfsearch.embed.reuse import OTHER_SIGN, Found, Kept, Reason, Row
from vfsearch.errors import MediaError
from vfsearch.media.preparation import Failure, Prepared
from vfsearch.progress import Progress, detail, silent

Prepare = Callable[[Iterable[Item]], Iterator[Prepared | Failure]]
WINDOWS_AHEAD = 2


class Writer(Protocol):
    """What is needed of a store that is being filled."""

    def holds(self, part: str) -> bool:
        """Whether the part is there."""

    def add(self, part: str, shard: Shard) -> None:
        """Take the part for good."""


@dataclass(frozen=True, kw_only=True)
class Running:
    """How the work is done; of all this only the batches change a row, in its last digits.

    Args:
        batching: samples to an `encode` call.
        lanes: `encode` calls at once.
        begin: called first in each thread that encodes.
        strict: stop at the first item that fails.
    """

    batching: Batching = field(default_factory=Batching)
    lanes: int = 1
    begin: Callable[[], object] | None = None
    strict: bool = False


def embed_parts(
    parts: Sequence[Part],
    encoder: EncoderLike,
    prepare: Prepare,
    writer: Writer,
    running: Running | None = None,
    progress: Progress = silent,
    kept: Kept | None = None,
) -> Meter:
    """Embed every part of one modality that the store does not hold yet.

    Decoding, encoding and writing go on at the same time. The batches of a part depend on the part, and on what is
    kept of it, alone, so its bytes do not depend on where a run before was stopped.

    Args:
        parts: of one modality.
        encoder: of that modality.
        prepare: items in, a sample or a failure for each out, in order; it may work ahead.
        writer: the store.
        running: how.
        progress: called with items done.
        kept: rows of items that need not be embedded again.
    Returns:
        How fast it went.
    Raises:
        VfsearchError: the store cannot be written.
        MediaError: an item failed, and the run is strict.
    """
    running, kept, meter = running or Running(), kept or Kept(), Meter()
    work = [_Work(part, kept) for part in parts if not writer.holds(part.name)]
    total = sum(len(part.items) for part in parts)
    done = total - sum(len(each.part.items) for each in work)
    with Lanes(running.lanes, running.begin) as lanes, Behind() as behind:
        flow = _Flow(encoder, running, lanes, meter)
        assembly = Assembly(encoder.space)
        for each, result in flow.results(work, prepare):
            if result is None:
                _require_none_failed(each.part, _flat(each.kept), running.strict)
                with meter.waiting("write"):
                    behind(writer.add, each.part.name, assembly.shard(each.part, each.kept))
                more = len(each.kept)
                each.forget()
            else:
                _require_none_failed(each.part, result.found, running.strict)
                assembly.add(result.found)
                more = result.items
                meter.items += more
            if more:
                done += more
                detail(progress, f"{each.part.modality} items", meter.text())
                progress(f"{each.part.modality} items", done, total)
    meter.stop()
    return meter


class _Work:
    """A part to be made; what is kept of it is looked up when its turn comes."""

    def __init__(self, part: Part, known: Kept) -> None:
        self.part, self._known, self._kept = part, known, None

    @property
    def kept(self) -> dict:
        """Place -> what is there already of the item."""
        if self._kept is None:
            self._kept = self._known.of(self.part)
        return self._kept

    @property
    def fresh(self) -> list[int]:
        """Places of the items to be embedded."""
        return [place for place in range(len(self.part.items)) if place not in self.kept]

    def forget(self) -> None:
        """It is done: keep nothing in memory."""
        self._kept = {}


@dataclass(frozen=True, kw_only=True)
class _Result:
    """What came of some items.

    Args:
        items: how many of them were looked at here.
        found: (place, row or reason) of each sample.
    """

    items: int
    found: Sequence


class _Flow:
    """Prepared samples into encoder threads, results out, in order."""

    def __init__(self, encoder: EncoderLike, running: Running, lanes: Lanes, meter: Meter) -> None:
        self._encoder, self._running, self._lanes, self._meter = encoder, running, lanes, meter
        self._pending: deque[tuple[_Work, Future | _Result | None]] = deque()

    def results(self, work: Sequence[_Work], prepare: Prepare) -> Iterator[tuple[_Work, _Result | None]]:
        """Of each part its results, then None."""
        prepared = prepare(each.part.items[place] for each in work for place in each.fresh)
        most = WINDOWS_AHEAD * self._running.batching.window // self._running.batching.size + self._lanes.count
        for each in work:
            for futures in self._submitted(each, prepared):
                self._pending.append((each, futures))
                yield from self._settled(most)
            self._pending.append((each, None))
        yield from self._settled(0)

    def _submitted(self, work: _Work, prepared: Iterator[Prepared | Failure]) -> Iterator[Future | _Result]:
        fresh, window = work.fresh, self._running.batching.window
        for start in range(0, len(fresh), window):
            places = fresh[start : start + window]
            with self._meter.waiting("decode"):
                results = list(islice(prepared, len(places)))
            samples, failed = _parted(places, results)
            self._meter.audio_seconds += sum(getattr(result, "seconds", 0.0) for result in results)
            yield _Result(items=len(failed), found=failed)
            for batch in batches(samples, self._running.batching.size):
                yield self._lanes.submit(self._encoded, batch)

    def _encoded(self, batch: Sequence[Sample]) -> _Result:
        first = sum(not sample.suffix for sample in batch)
        return _Result(items=first, found=encoded(batch, self._encoder, self._running.batching.halve))

    def _settled(self, most: int) -> Iterator[tuple[_Work, _Result | None]]:
        while len(self._pending) > most:
            work, result = self._pending.popleft()
            if isinstance(result, Future):
                with self._meter.waiting("encode"):
                    result = result.result()
            yield work, result


def _parted(places: Sequence[int], results: Sequence[Prepared | Failure]) -> tuple[list[Sample], list]:
    """The samples of some items, those of one item one after another; and the items that have none."""
    samples, failed = [], []
    for place, result in zip(places, results, strict=True):
        if isinstance(result, Failure):
            failed.append((place, Reason(suffix="", stage=result.stage, reason=result.reason)))
            continue
        for number, each in enumerate((result, *getattr(result, "others", ())), start=1):
            suffix = f"{OTHER_SIGN}{number}" if number > 1 else ""
            samples.append(Sample(place=place, suffix=suffix, sample=each.sample, note=each.note))
    return samples, failed


def _flat(kept: dict[int, Found]) -> list[tuple[int, Row | Reason]]:
    return [(place, each) for place, found in kept.items() for each in found]


def _require_none_failed(part: Part, found: Iterable[tuple[int, Row | Reason]], strict: bool) -> None:
    for place, each in found:
        if strict and isinstance(each, Reason):
            item = part.items[place]
            raise stopped(item.modality, item.path, each.stage, each.reason)


def stopped(modality: str, path: str, stage: str, reason: str) -> MediaError:
    """What a strict run says of an item that failed, now or in a run before."""
    return MediaError(
        f"{modality} {path!r} cannot be embedded ({stage}: {reason}), and --strict stops there; what was finished is "
        "kept: mend or remove it and run it again"
    )
