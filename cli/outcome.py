"""An outcome as a table."""

import math
import operator

from vfsearch_cli.terminal import size, table

from vfsearch.data.outcome import Measurement, Outcome, Value

COLUMNS = ("protocol", "direction", ">N", ">trials", "measure", ">value %", ">95 % interval", ">chance %", ">trials/s",
           ">probes/s", ">median ms", ">p95 ms")  # fmt: skip
# What a narrow terminal shows of them, in two tables; the line above says the direction.
FIGURES = operator.itemgetter(0, 2, 3, 4, 5, 6, 7)
SPEEDS = operator.itemgetter(0, 2, 3, 8, 9, 10, 11)
WIDTH = 145


def outcome_table(outcome: Outcome, width: int) -> list:
    """One row a measure; speed stands on the first row of its protocol.

    Args:
        outcome: what to show.
        width: columns of the terminal; where one table does not fit, figures and speed are two.
    """
    rows = [row for measurement in outcome.measurements for row in _rows(measurement)]
    if width >= WIDTH:
        return [_title(outcome), table(COLUMNS, rows), _caption(outcome)]
    figures = [FIGURES(row) for row in rows if row[4]]
    speeds = [SPEEDS(row) for row in rows if row[0]]
    return [_title(outcome), table(FIGURES(COLUMNS), figures), table(SPEEDS(COLUMNS), speeds), _caption(outcome)]


def _title(outcome: Outcome) -> str:
    counts = outcome.counts
    return (
        f"{counts['probes']} {outcome.settings['probe']} probes ({counts['probe_identities']} identities), "
        f"{counts['gallery']} {outcome.settings['gallery']} gallery items ({counts['gallery_identities']} identities), "
        f"split {counts['split']}{_seen(counts)}"
    )


def _seen(counts: dict) -> str:
    """How many probes are of identities that the model was trained on."""
    seen = counts.get("probes_of_seen_identities")
    if seen is None:
        return ""
    return f"; {seen or 'no'} probes are of identities seen in training"


def _caption(outcome: Outcome) -> str:
    machine = outcome.machine
    return (
        f"peak memory {size(outcome.peak_memory_bytes)}; device {outcome.device}"
        f" ({machine.get('processor', '?')}, {machine.get('cores', '?')} cores, {machine.get('threads', '?')} threads)"
        f"; index {outcome.made_from['backend']}; intervals resample identities; ms: one probe at a time"
    )


def _rows(measurement: Measurement) -> list[tuple]:
    head = (
        measurement.protocol,
        measurement.direction,
        {"matching": "1:{}", "retrieval": "{}", "search": "top {}"}.get(measurement.protocol, "-").format(
            measurement.candidates
        ),
        measurement.trials,
    )
    speed = (
        _rate(measurement.trials_per_second),
        _rate(measurement.probes_per_second),
        _milliseconds(measurement.latency_median_seconds),
        _milliseconds(measurement.latency_p95_seconds),
    )
    measures = [(name, *_figures(value)) for name, value in measurement.values.items()] or [("", "", "", "")]
    return [(*head, *measures[0], *speed), *(("", "", "", "", *measure, "", "", "", "") for measure in measures[1:])]


def _figures(value: Value) -> tuple[str, str, str]:
    return _percent(value.value), f"{_percent(value.low)} to {_percent(value.high)}", _percent(value.chance)


def _percent(fraction: float) -> str:
    return "-" if math.isnan(fraction) else f"{100 * fraction:.2f}"


def _rate(value: float) -> str:
    # Three digits: no timing on a shared machine has more.
    return "-" if math.isnan(value) else f"{float(f'{value:.3g}'):,.0f}"


def _milliseconds(seconds: float) -> str:
    return "-" if math.isnan(seconds) else f"{1000 * seconds:.3f}"


def outcome_warnings(outcome: Outcome) -> list[str]:
    """What a reader of the table must know: ties, missing probes, a measurement on the items trained on."""
    warnings = [
        f"{measurement.protocol}{_n(measurement)}: {100 * measurement.tied:.1f} % of the trials hang on ties"
        for measurement in outcome.measurements
        if measurement.tied > 0.01
    ]
    counts = outcome.counts
    if counts["failed_probes"]:
        warnings.append(f"{counts['failed_probes']} probes could not be embedded and count as misses")
    if counts["failed_gallery"]:
        warnings.append(f"{counts['failed_gallery']} gallery items could not be embedded and cannot be found")
    if counts.get("probes_seen_in_training"):
        warnings.append(f"{counts['probes_seen_in_training']} of the probes are items that the model was trained on")
    if counts["gallery_identities"] < 2:
        warnings.append("the gallery has one identity: there is nobody to be taken for")
    return warnings


def _n(measurement: Measurement) -> str:
    return f" 1:{measurement.candidates}" if measurement.protocol == "matching" else ""
