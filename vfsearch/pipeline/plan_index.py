"""`vfsearch index plan`: what each kind of index would take and give, before anything is built."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vfsearch.errors import ArtefactError, DoesNotFitError, SettingsError, VfsearchError
from vfsearch.index.backends import BACKENDS
from vfsearch.index.base import Index
from vfsearch.index.costs import PROCESS_BYTES, TEXT_BYTES, Costs, Size, costs
from vfsearch.index.estimates import Estimate, estimate
from vfsearch.index.presets import PRESETS, Preset, buildable, find_preset
from vfsearch.index.rates import Floors
from vfsearch.index.settings import BuildSettings
from vfsearch.pipeline.calibration import floors_here
from vfsearch.pipeline.gallery_source import store_source
from vfsearch.pipeline.workspace import Workspace
from vfsearch.store.store import Store, open_store

EXACT = "exact"
COMPARED_RECALL = 0.95
"""What kinds of index are compared with the exact engine at, where no recall is asked for."""


@dataclass(frozen=True, kw_only=True)
class PlanSettings:
    """What is wanted of an index.

    Args:
        presets: kinds to look at; () for all.
        max_memory: bytes that building and searching may take, the process included; None: any.
        max_latency_seconds: of a probe that comes alone, in the median; None: any.
        min_recall: R@10 that must be found; times are then those of the quickest setting that does. None: times are
            those of the setting that an index has from the start.
    Raises:
        SettingsError: one is out of range.
    """

    presets: Sequence[str] = ()
    max_memory: int | None = None
    max_latency_seconds: float | None = None
    min_recall: float | None = None

    def __post_init__(self) -> None:
        if self.max_memory is not None and self.max_memory < 1:
            raise SettingsError(f"the most memory is {self.max_memory} bytes, it must be at least 1")
        if self.max_latency_seconds is not None and not self.max_latency_seconds > 0:
            raise SettingsError(f"the most latency is {self.max_latency_seconds} seconds, it must be above 0")
        if self.min_recall is not None and not 0 < self.min_recall <= 1:
            raise SettingsError(f"the least recall is {self.min_recall}, it must be above 0 and at most 1")

    def to_json(self) -> dict:
        """The settings as JSON."""
        return {**vars(self), "presets": list(self.presets)}


@dataclass(frozen=True, kw_only=True)
class PlannedIndex:
    """One kind of index.

    Args:
        preset, backend, help: what it is.
        parameters: build settings that it would have.
        costs: its bytes; None: not known before it is built.
        expected: time and recall; None: nothing like it was measured.
        reason: why it is left out; "" if it is not.
    """

    preset: str
    backend: str
    help: str
    parameters: Mapping[str, object]
    costs: Costs | None
    expected: Estimate | None
    reason: str = ""

    def to_json(self) -> dict:
        """The kind as JSON; ranges are pairs."""
        expected = self.expected and {name: value.to_json() for name, value in vars(self.expected).items()}
        return {
            **vars(self),
            "parameters": dict(self.parameters),
            "costs": self.costs and vars(self.costs),
            "expected": expected,
        }


@dataclass(frozen=True, kw_only=True)
class IndexPlan:
    """Kinds of index for one gallery.

    Args:
        size: of the gallery.
        settings: what is wanted.
        fitting: kinds that fit what is wanted, as far as can be told.
        left_out: kinds that cannot, each with its reason.
        missing: kind -> what is not here that it needs.
        verdicts: how the exact engine compares.
        floors: of this machine.
    """

    size: Size
    settings: PlanSettings
    fitting: tuple[PlannedIndex, ...]
    left_out: tuple[PlannedIndex, ...]
    missing: Mapping[str, str]
    verdicts: tuple[str, ...]
    floors: Floors

    def to_json(self) -> dict:
        """The plan as JSON."""
        return {
            "rows": self.size.rows,
            "dimension": self.size.dimension,
            "text_bytes": self.size.text_bytes,
            "process_bytes": PROCESS_BYTES,
            **self.settings.to_json(),
            "indices": [each.to_json() for each in self.fitting],
            "left_out": [each.to_json() for each in self.left_out],
            "missing": dict(self.missing),
            "verdicts": list(self.verdicts),
            "floors": vars(self.floors),
        }


def store_size(workspace: Workspace, modality: str | None, split: str | None = None) -> tuple[Size, str]:
    """The size of the gallery that a store's rows of one modality make, and which modality that is.

    Args:
        workspace: with a store.
        modality: None: "face" where the store has it.
        split: None: all.
    Raises:
        ArtefactError: there is no store, or it has no such rows.
    """
    store = open_store(workspace.store_folder)
    there = [name for name in ("face", "voice") if name in store.spaces and store.count("rows", name)]
    if modality is None and not there:
        raise ArtefactError(f"the store {workspace.store_folder} has no rows to index")
    chosen = modality or there[0]
    source = store_source(store, chosen, split)
    return Size(rows=len(source), dimension=source.space.dimension, text_bytes=text_bytes(store, chosen)), chosen


def text_bytes(store: Store, modality: str) -> int:
    """What a row's id, identity and columns take in an index, as the first shard with rows tells."""
    part = next((name for name in store.parts(modality) if store.artefact.files[name]["rows"]), None)
    if part is None:
        return TEXT_BYTES
    rows = store.shard(part).embeddings
    columns = [rows.ids, rows.identities, *rows.columns.values()]
    return round(sum(8 * len(column) + sum(len(text.encode()) for text in column) for column in columns) / len(rows))


def plan_index(
    size: Size, settings: PlanSettings | None = None, device: str = "cpu", here: Floors | None = None
) -> IndexPlan:
    """What each kind of index that can be built here would take and give.

    Args:
        size: of the gallery.
        settings: what is wanted.
        device: where it would be built and searched.
        here: floors of this machine; None: measured now.
    Raises:
        UnknownNameError: there is no such kind.
        DoesNotFitError: no kind can be what is wanted; the message has each kind's reason.
    """
    settings = settings or PlanSettings()
    here = here or floors_here()
    wanted = [find_preset(name) for name in settings.presets] or list(PRESETS.values())
    names = {each.name for each in buildable(device)}
    missing = {each.name: _missing(each) for each in wanted if each.name in PRESETS and each.name not in names}
    planned = [_planned(each, size, settings, here) for each in wanted if each.name not in missing]
    fitting = tuple(each for each in planned if not each.reason)
    left_out = tuple(each for each in planned if each.reason)
    if not fitting:
        raise DoesNotFitError(_nothing_fits(size, left_out, missing))
    return IndexPlan(
        size=size, settings=settings, fitting=fitting, left_out=left_out, missing=missing,
        verdicts=_verdicts(fitting, size, settings, here), floors=here,
    )  # fmt: skip


def _missing(preset: Preset) -> str:
    entry = BACKENDS.entry(preset.backend)
    return f"{', '.join(entry.missing)}: {entry.pip_line}" if entry.missing else "a GPU (--device cuda)"


def _planned(preset: Preset, size: Size, settings: PlanSettings, here: Floors) -> PlannedIndex:
    kind: type[Index] = BACKENDS.load(preset.backend)
    expected = estimate(preset.name, size.rows, size.dimension, here, settings.min_recall)
    try:
        chosen = kind.prepared(preset.settings(), size.rows, size.dimension)
    except VfsearchError as error:
        return _described(preset, {}, None, expected, str(error))
    bytes_ = planned_costs(chosen, size)
    reason = "; ".join(filter(None, [
        memory_reason(bytes_, settings.max_memory),
        _latency_reason(expected, settings.max_latency_seconds),
        _recall_reason(preset, expected, size, here, settings.min_recall),
    ]))  # fmt: skip
    return _described(preset, chosen.parameters, bytes_, expected, reason)


def _described(
    preset: Preset, parameters: Mapping[str, object], bytes_: Costs | None, expected: Estimate | None, reason: str
) -> PlannedIndex:
    return PlannedIndex(
        preset=preset.name, backend=preset.backend, help=preset.help, parameters=parameters, costs=bytes_,
        expected=expected, reason=reason,
    )  # fmt: skip


def planned_costs(settings: BuildSettings, size: Size) -> Costs | None:
    """What an index takes; None where that is not known before it is built."""
    try:
        return costs(settings, size)
    except SettingsError:
        return None


def memory_reason(bytes_: Costs | None, most: int | None) -> str:
    """Why an index does not fit some memory; "" where it does, or where that is not known.

    Args:
        bytes_: what it takes.
        most: bytes; None: any.

    Example:
        >>> memory_reason(Costs(disk=0, memory=2**30, mapped=0, build=2**29), 2**30)
        'searches want 1.34 GiB of memory, 1.00 GiB are allowed'
        >>> memory_reason(Costs(disk=0, memory=2**20, mapped=0, build=0), 350 * 2**20)
        'searches want 351.0 MiB of memory, 350.0 MiB are allowed'
    """
    if most is None or bytes_ is None:
        return ""
    asked = {"building it wants": bytes_.build, "searches want": bytes_.memory}
    return "; ".join(
        f"{what} {_size(PROCESS_BYTES + own)} of memory, {_size(most)} are allowed"
        for what, own in asked.items()
        if PROCESS_BYTES + own > most
    )


def _size(count: int) -> str:
    if count >= 2**30:
        return f"{count / 2**30:.2f} GiB"
    return f"{count / 2**20:.1f} MiB" if count >= 2**20 else f"{count / 2**10:.1f} KiB"


def _figures(value: float, count: int) -> str:
    """A number with so many figures that count, never as a power of ten.

    Example:
        >>> _figures(171.3, 2), _figures(0.0743, 2), _figures(12_345, 3)
        ('170', '0.074', '12,300')
    """
    rounded = float(f"{value:.{count}g}")
    return f"{rounded:,.0f}" if rounded >= 10 ** (count - 1) else f"{rounded:g}"


def _latency_reason(expected: Estimate | None, most: float | None) -> str:
    if most is None or expected is None or expected.single_seconds.low <= most:
        return ""
    return f"a probe takes at least {_figures(expected.single_seconds.low * 1e3, 3)} ms, {most * 1e3:g} ms are allowed"


def _recall_reason(preset: Preset, expected: Estimate | None, size: Size, here: Floors, least: float | None) -> str:
    if least is None or expected is not None:
        return ""
    known = estimate(preset.name, size.rows, size.dimension, here)
    return "" if known is None else f"no setting that was measured found {least:g} of the neighbours"


def _nothing_fits(size: Size, left_out: Sequence[PlannedIndex], missing: Mapping[str, str]) -> str:
    reasons = [f"{each.preset}: {each.reason}" for each in left_out]
    reasons += [f"{name}: not here, it needs {what}" for name, what in missing.items()]
    return f"no kind of index of {size.rows:,} x {size.dimension} rows fits what is asked for: {'; '.join(reasons)}"


def _verdicts(fitting: Sequence[PlannedIndex], size: Size, settings: PlanSettings, here: Floors) -> tuple[str, ...]:
    """Whether an index that fits is worth having beside the exact engine, for many probes at once and for one alone."""
    exact = estimate(EXACT, size.rows, size.dimension, here)
    recall = settings.min_recall or COMPARED_RECALL
    names = [each.preset for each in fitting if each.preset != EXACT]
    others = {name: estimate(name, size.rows, size.dimension, here, recall) for name in names}
    others = {name: found for name, found in others.items() if found is not None}
    if exact is None or not others:
        return ()
    return (
        _verdict(exact, others, recall, "many probes at once", lambda each: each.probes_per_second, True),
        _verdict(exact, others, recall, "one probe alone", lambda each: each.single_seconds, False),
    )


def _verdict(exact: Estimate, others: Mapping[str, Estimate], recall: float, mode: str, figure, greater: bool) -> str:
    def gain(each: Estimate) -> float:
        ratio = figure(each).middle / figure(exact).middle
        return ratio if greater else 1.0 / ratio

    best = max(others, key=lambda name: gain(others[name]))
    found, mine = figure(others[best]), figure(exact)
    surely_not = found.high <= mine.low if greater else found.low >= mine.high
    surely = found.low > mine.high if greater else found.high < mine.low
    at, times = f"{mode}, R@10 of {recall:g}", f"about {_figures(gain(others[best]), 2)} times as fast"
    if gain(others[best]) <= 1.0:
        sure = "no index is" if surely_not else "probably no index is"
        return f"{at}: {sure} faster than the exact engine at this size; the next is {best}, {times}"
    return f"{at}: {best} {'is' if surely else 'is probably'} faster than the exact engine, {times}"
