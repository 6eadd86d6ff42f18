"""What a run found, and at what speed."""

import math
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, kw_only=True)
class Value:
    """One measured figure.

    Args:
        value: the figure, a fraction.
        low, high: its 95 % interval, resampling identities.
        chance: what scores without information give.
    """

    value: float
    low: float
    high: float
    chance: float


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """The figures of one protocol in one direction.

    Args:
        protocol: "matching", "verification" or "retrieval".
        direction: "voice to face", ...
        candidates: N of 1:N matching; gallery size for retrieval; None for verification.
        trials: how many questions were asked, those of missing probes included.
        missing: how many of them had a probe that could not be embedded; they count as misses.
        tied: share of the trials whose outcome depends on a tie.
        values: measure name -> figure.
        trials_per_second, probes_per_second: in batches; scoring and ranking, without computing the measures.
        latency_median_seconds, latency_p95_seconds: of one probe at a time.
    """

    protocol: str
    direction: str
    candidates: int | None
    trials: int
    missing: int
    tied: float
    values: dict[str, Value]
    trials_per_second: float
    probes_per_second: float
    latency_median_seconds: float
    latency_p95_seconds: float


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One run: what was asked of what, what came out, on which machine.

    Args:
        settings: of the run (probe, gallery, split, n, seed, ...).
        made_from: digests and spaces of store and index.
        measurements: one a protocol (and N).
        counts: probes, gallery items, identities, failures on either side.
        seconds: by phase.
        peak_memory_bytes: of the whole process.
        device: where scores were computed.
        machine: processor, cores, versions.
    """

    settings: dict
    made_from: dict
    measurements: tuple[Measurement, ...]
    counts: dict
    seconds: dict[str, float]
    peak_memory_bytes: int
    device: str
    machine: dict = field(default_factory=dict)

    def to_json(self) -> dict:
        """The outcome as JSON; a figure that does not exist (NaN) is null."""
        return _nulls(asdict(self))

    @classmethod
    def from_json(cls, document: dict) -> "Outcome":
        """The outcome that `to_json` wrote."""
        measurements = tuple(
            Measurement(**{**_numbers(entry), "values": _values(entry["values"])}) for entry in document["measurements"]
        )
        return cls(**{**document, "measurements": measurements})


def _nulls(value: object) -> object:
    if isinstance(value, dict):
        return {name: _nulls(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_nulls(each) for each in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _numbers(entry: dict) -> dict:
    """The entry with NaN for the nulls that `_nulls` made of it."""
    return {name: math.nan if value is None and name != "candidates" else value for name, value in entry.items()}


def _values(entries: dict) -> dict[str, Value]:
    return {name: Value(**_numbers(entry)) for name, entry in entries.items()}
