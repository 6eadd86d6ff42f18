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
class Difference:
    """By how much one figure exceeds another.

    Args:
        value: the difference, of fractions.
        low, high: its 95 % interval, both figures in the same resamples of the identities.
        p: two-sided p-value of no difference.
    """

    value: float
    low: float
    high: float
    p: float


@dataclass(frozen=True, kw_only=True)
class GroupFigures:
    """The figures of the trials whose probe is of one group of people.

    Args:
        column: what groups people, for example "gender".
        value: what its people have in common; "" for people of whom it is not known.
        identities: how many people ask.
        trials: how many questions they ask.
        values: measure name -> figure; of a group that is too small without an interval.
    """

    column: str
    value: str
    identities: int
    trials: int
    values: dict[str, Value]


@dataclass(frozen=True, kw_only=True)
class GroupDifference:
    """How much better one group does than another.

    Args:
        column: what groups people.
        left, right: its values.
        measure: name of the measure.
        difference: left minus right; its p-value is of this one comparison.
    """

    column: str
    left: str
    right: str
    measure: str
    difference: Difference


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """The figures of one protocol in one direction.

    Args:
        protocol: "matching", "verification", "retrieval", "identification" or "search".
        direction: "voice to face", ...
        candidates: N of 1:N matching; gallery size for retrieval and identification; None for verification.
        trials: how many questions were asked, those of missing probes included.
        missing: how many of them had a probe that could not be embedded; they count as misses.
        tied: share of the trials whose outcome depends on a tie.
        values: measure name -> figure.
        trials_per_second, probes_per_second: in batches; scoring and ranking, without computing the measures.
        latency_median_seconds, latency_p95_seconds, latency_p99_seconds: of one probe at a time.
        list: name of the list that was measured, "" where the run drew its own trials.
        group: what all candidates of a trial have in common with its probe: "U" nothing, "G" gender, ...
        groups, differences: the figures of groups of people and how they differ, where they were asked for.
        lost: measure name -> what an approximate search lost of it: the figure of the exact search less its own.
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
    list: str = ""
    group: str = "U"
    groups: tuple[GroupFigures, ...] = ()
    differences: tuple[GroupDifference, ...] = ()
    latency_p99_seconds: float = math.nan
    lost: dict[str, Difference] = field(default_factory=dict)


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
        """The outcome as JSON; a figure that does not exist (NaN) is null, one without bound (a median rank) "inf"."""
        return nulls(asdict(self))

    @classmethod
    def from_json(cls, document: dict) -> "Outcome":
        """The outcome that `to_json` wrote."""
        return cls(**{**document, "measurements": tuple(map(_measurement, document["measurements"]))})


def nulls(value: object) -> object:
    """A value as JSON has it, which knows neither NaN (null) nor infinity ("inf", "-inf")."""
    if isinstance(value, dict):
        return {name: nulls(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [nulls(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else repr(value)
    return value


_NO_NUMBERS = ("candidates", "list", "group")
_NOT_FINITE = {None: math.nan, "inf": math.inf, "-inf": -math.inf}


def _numbers(entry: dict) -> dict:
    """The entry with the numbers that `nulls` could not write as such."""
    return {
        name: _NOT_FINITE[value]
        if name not in _NO_NUMBERS and (value is None or isinstance(value, str)) and value in _NOT_FINITE
        else value
        for name, value in entry.items()
    }


def _measurement(entry: dict) -> Measurement:
    parts = {
        "values": _values(entry["values"]),
        "groups": tuple(
            GroupFigures(**{**each, "values": _values(each["values"])}) for each in entry.get("groups", ())
        ),
        "differences": tuple(
            GroupDifference(**{**each, "difference": Difference(**_numbers(each["difference"]))})
            for each in entry.get("differences", ())
        ),
        "lost": {name: Difference(**_numbers(each)) for name, each in entry.get("lost", {}).items()},
    }
    return Measurement(**{**_numbers(entry), **parts})


def _values(entries: dict) -> dict[str, Value]:
    return {name: Value(**_numbers(entry)) for name, entry in entries.items()}
