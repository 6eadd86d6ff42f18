"""An outcome as a table."""

import math
import operator

from vfsearch_cli.terminal import size, table

from vfsearch.data.outcome import GroupDifference, Measurement, Outcome, Value

COLUMNS = ("protocol", "direction", ">N", ">trials", "measure", ">value %", ">95 % interval", ">chance %", ">trials/s",
           ">probes/s", ">median ms", ">p95 ms", ">p99 ms")  # fmt: skip
# What a narrow terminal shows of them, in two tables; the line above says the direction.
FIGURES = operator.itemgetter(0, 2, 3, 4, 5, 6, 7)
SPEEDS = operator.itemgetter(0, 2, 8, 9, 10, 11, 12)
WIDTH = 160
# Of lists; nothing was asked one at a time there.
OF_LISTS = ("list", "direction", ">N", ">trials", ">missing", "measure", ">value %", ">95 % interval", ">chance %",
            ">trials/s")  # fmt: skip
OF_FILES = OF_LISTS[:-1]


def outcome_table(outcome: Outcome, width: int) -> list:
    """One row a measure; speed stands on the first row of its protocol.

    Args:
        outcome: what to show.
        width: columns of the terminal; where one table does not fit, figures and speed are two.
    """
    groups = group_tables(outcome)
    if "lists" in outcome.counts:
        return [_title_of_lists(outcome), list_table(outcome), *groups, _caption(outcome)]
    exactly = bool(outcome.settings.get("exact"))
    rows = [row for measurement in outcome.measurements for row in _rows(measurement, exactly)]
    if width >= WIDTH:
        return [_title(outcome), table(COLUMNS, rows), *groups, _caption(outcome)]
    figures = [FIGURES(row) for row in rows if row[4]]
    speeds = [SPEEDS(row) for row in rows if row[0]]
    return [
        _title(outcome),
        table(FIGURES(COLUMNS), figures),
        table(SPEEDS(COLUMNS), speeds),
        *groups,
        _caption(outcome),
    ]


def list_table(outcome: Outcome):
    """One row a measure of each list; without speed where nothing was scored."""
    scored = any(not math.isnan(measurement.trials_per_second) for measurement in outcome.measurements)
    columns = OF_LISTS if scored else OF_FILES
    rows = [row[: len(columns)] for measurement in outcome.measurements for row in _rows_of_list(measurement)]
    return table(columns, rows)


GROUPS = ("of", "by", "group", ">people", ">trials", "measure", ">value %", ">95 % interval", ">chance %")
DIFFERENCES = ("of", "by", "groups", "measure", ">difference", ">95 % interval", ">p")


def group_tables(outcome: Outcome) -> list:
    """The figures of groups of people, and by how much they differ; nothing where none were told apart."""
    groups, differences = [], []
    for measurement in outcome.measurements:
        name = measurement.list or f"{_protocol(measurement)}{_n(measurement)}"
        for group in measurement.groups:
            head = (name, group.column, group.value or "not known", group.identities, group.trials)
            groups += [(*head, *row) for row in _measures(group.values)]
        differences += [_difference(name, each) for each in measurement.differences]
    return [table(columns, rows) for columns, rows in ((GROUPS, groups), (DIFFERENCES, differences)) if rows]


def _difference(name: str, each: GroupDifference) -> tuple:
    form, found = _signed_percent if _is_percent(each.measure) else _signed, each.difference
    interval, p = f"{form(found.low)} to {form(found.high)}", "-" if math.isnan(found.p) else f"{found.p:.3f}"
    return (name, each.column, f"{each.left} - {each.right}", each.measure, form(found.value), interval, p)


def _signed_percent(fraction: float) -> str:
    return "-" if math.isnan(fraction) else f"{100 * fraction:+.2f} %"


def _signed(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:+.4g}"


def _title_of_lists(outcome: Outcome) -> str:
    lists = outcome.counts["lists"]
    made_from = outcome.made_from
    source = ", ".join(made_from.get("vectors", ())) or ("the store" if "store" in made_from else "")
    of = f", scored with {source}" if source else ""
    told = sorted({facts["identities_from"] for facts in lists.values()})
    return f"{_count(len(lists), 'list')}{of}; identities from {' and '.join(told)}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _title(outcome: Outcome) -> str:
    counts = outcome.counts
    probes, items = (
        f"{outcome.settings['probe']} probes{_pooled(counts, 'probe')}",
        f"{outcome.settings['gallery']} gallery items{_pooled(counts, 'gallery')}",
    )
    return (
        f"{counts['probes']} {probes} ({counts['probe_identities']} identities), "
        f"{counts['gallery']} {items} ({counts['gallery_identities']} identities), "
        f"split {counts['split']}{_seen(counts)}"
    )


def _pooled(counts: dict, side: str) -> str:
    """How many items templates were made of."""
    items = counts.get(f"{side}_items")
    return "" if items is None else f" pooled from {items}"


def _seen(counts: dict) -> str:
    """How many probes are of identities that the model was trained on."""
    seen = counts.get("probes_of_seen_identities")
    if seen is None:
        return ""
    return f"; {seen or 'no'} probes are of identities seen in training"


def _caption(outcome: Outcome) -> str:
    machine, backend = outcome.machine, outcome.made_from.get("backend")
    return (
        f"peak memory {size(outcome.peak_memory_bytes)}; device {outcome.device}"
        f" ({machine.get('processor', '?')}, {machine.get('cores', '?')} cores, {machine.get('threads', '?')} threads)"
        + (f"; {_index(outcome)}" if backend else "")
        + "; intervals resample identities"
        + ("; ms: one probe at a time" if backend else "")
    )


def _index(outcome: Outcome) -> str:
    """Back end and search settings in force; runs of older versions say the back end alone."""
    search = outcome.made_from.get("search")
    name = f"index {outcome.made_from['backend']}"
    if search is None:
        return name
    built = "".join(
        f" {value}" for value in search["built"]["parameters"].values() if isinstance(value, str) and value != "none"
    )
    return f"{name}{built}{_searched(outcome, search)}{_among(outcome.counts)}"


def _searched(outcome: Outcome, search: dict) -> str:
    if outcome.settings.get("exact"):
        return ", every row of it compared (--exact)"
    if not search["settings"]:
        return ""
    settings = ", ".join(f"{name} {value}" for name, value in search["settings"].items())
    origin = "given" if search["given"] else tuned_text(search["tuned"])
    where = " on the CPU" if (search["device"], outcome.device[:4]) == ("cpu", "cuda") else ""
    return f", searched{where} with {settings} ({origin})"


def tuned_text(tuned: dict | None) -> str:
    """How search settings were found, as the manifest of an index says it."""
    if tuned is None:
        return "not tuned"
    targets, probe = tuned.get("targets"), tuned.get("probe")
    stale = ", before the index was changed" if tuned.get("stale") else ""
    to = f" to {' and '.join(targets)}" if targets else ""
    return f"tuned{to}{f' with {probe} probes' if probe else ''}{stale}"


def _among(counts: dict) -> str:
    held = counts["gallery"] - counts["gallery_not_in_index"]
    return "" if held == counts["index_rows"] else f", among {held} of its {counts['index_rows']} rows"


def _protocol(measurement: Measurement) -> str:
    return measurement.protocol if measurement.group == "U" else f"{measurement.protocol} {measurement.group}"


def _rows(measurement: Measurement, exactly: bool = False) -> list[tuple]:
    candidates = {"matching": "1:{}", "retrieval": "{}", "identification": "{}", "search": "top {}"}
    searched = measurement.protocol == "search"
    head = (
        _protocol(measurement) + (" (exact)" if searched and exactly else ""),
        measurement.direction,
        candidates.get(measurement.protocol, "-").format(measurement.candidates),
        measurement.trials,
    )
    speed = (
        _rate(measurement.trials_per_second),
        _rate(measurement.probes_per_second),
        _milliseconds(measurement.latency_median_seconds),
        _milliseconds(measurement.latency_p95_seconds),
        _milliseconds(measurement.latency_p99_seconds),
    )
    measures = _of_search(measurement) if searched else _measures(measurement.values)
    first, *others = measures or [("", "", "", "")]
    return [(*head, *first, *speed), *((*[""] * len(head), *each, *[""] * len(speed)) for each in others)]


def _of_search(measurement: Measurement) -> list[tuple[str, str, str, str]]:
    """Figures of an approximate search, all of them shares, and what it lost of them against the exact one."""
    shown = []
    for name, value in measurement.values.items():
        interval = f"{_percent(value.low)} to {_percent(value.high)}"
        shown.append((name, _percent(value.value), interval, _percent(value.chance)))
        lost = measurement.lost.get(name.removesuffix(" exact"))
        if lost is not None and name.endswith(" exact"):
            interval = f"{_percent(lost.low)} to {_percent(lost.high)}"
            shown.append((name.replace(" exact", " lost"), _percent(lost.value), interval, ""))
    return shown


def _rows_of_list(measurement: Measurement) -> list[tuple]:
    candidates = {"matching": "1:{}", "retrieval": "{}"}.get(measurement.protocol, "-").format(measurement.candidates)
    head = (measurement.list, measurement.direction, candidates, measurement.trials, measurement.missing)
    first, *more = _measures(measurement.values)
    return [(*head, *first, _rate(measurement.trials_per_second)), *(("",) * 5 + (*each, "") for each in more)]


def _measures(values: dict[str, Value]) -> list[tuple[str, str, str, str]]:
    """Name, value, interval and chance of each measure."""
    shown = []
    for name, value in values.items():
        form = _percent if _is_percent(name) else _plain
        interval = f"{form(value.low)} to {form(value.high)}"
        shown.append((name, form(value.value), interval, form(value.chance)))
    return shown


def _is_percent(name: str) -> bool:
    from vfsearch.measure.catalog import parse_measure

    # A peer's arithmetic is named behind the measure, in brackets.
    return parse_measure(name.partition(" [")[0]).kind.percent


def _percent(fraction: float) -> str:
    return "-" if math.isnan(fraction) else f"{100 * fraction:.2f}"


def _plain(value: float) -> str:
    """A figure that is no percentage, marked as such."""
    return "-" if math.isnan(value) else f"= {value:.4g}"


def _rate(value: float) -> str:
    # Three digits: no timing on a shared machine has more.
    return "-" if math.isnan(value) else f"{float(f'{value:.3g}'):,.0f}"


def _milliseconds(seconds: float) -> str:
    return "-" if math.isnan(seconds) else f"{1000 * seconds:.3f}"


def outcome_warnings(outcome: Outcome) -> list[str]:
    """What a reader of the table must know: ties, missing probes, a measurement on the items trained on."""
    warnings = [
        f"{measurement.list or _protocol(measurement)}{_n(measurement)}: {100 * measurement.tied:.1f} % of the trials "
        "hang on ties"
        for measurement in outcome.measurements
        if measurement.tied > 0.01
    ]
    if "lists" in outcome.counts:
        return [*warnings, *(text for each in outcome.counts["lists"].items() for text in _of_list(*each))]
    return [*warnings, *_of_tuning(outcome), *_of_sides(outcome.counts)]


def _of_tuning(outcome: Outcome) -> list[str]:
    """That an index was tuned for other probes than these."""
    tuned = (outcome.made_from.get("search") or {}).get("tuned") or {}
    asked = outcome.settings["probe"]
    if tuned.get("probe", asked) == asked:
        return []
    return [
        f"the index was tuned with {tuned['probe']} probes, these are {asked} probes: what it was tuned to may not "
        f"hold; `vfsearch index tune --probe {asked}` tunes it for them"
    ]


def of_lost(counts: dict) -> list[str]:
    """That partitions of the index were not searched, and what share of its rows that is."""
    if not counts.get("partitions_lost"):
        return []
    lost, there = counts["index_rows_lost"], counts.get("index_rows")
    share = "" if there is None else f", {100 * lost / (lost + there):.1f} % of its rows"
    return [
        f"{counts['partitions_lost']} of the {counts['partitions']} partitions of the index could not be opened: "
        f"{lost:,} rows{share} are missing from all that is said here"
    ]


def _of_sides(counts: dict) -> list[str]:
    warnings = of_lost(counts)
    if counts["failed_probes"]:
        warnings.append(f"{counts['failed_probes']} probes could not be embedded and count as misses")
    if counts["failed_gallery"]:
        warnings.append(f"{counts['failed_gallery']} gallery items could not be embedded and cannot be found")
    for side in ("probe", "gallery"):
        if counts.get(f"failed_{side}_items"):
            warnings.append(
                f"{counts[f'failed_{side}_items']} items of the {side} side could not be embedded; templates are made "
                "of the others"
            )
    if counts.get("gallery_not_in_index"):
        warnings.append(
            f"the index lacks {counts['gallery_not_in_index']} of the {counts['gallery']} gallery items: the rows "
            "`search` are of the others alone"
        )
    if counts.get("probes_seen_in_training"):
        warnings.append(f"{counts['probes_seen_in_training']} of the probes are items that the model was trained on")
    if counts["gallery_identities"] < 2:
        warnings.append("the gallery has one identity: there is nobody to be taken for")
    return warnings


def _of_list(name: str, facts: dict) -> list[str]:
    """What is missing of one list, and of whom nothing is known."""
    warnings = []
    if facts.get("missing_probes") or facts.get("missing_items"):
        warnings.append(
            f"{name}: {facts['missing_probes']} of {facts['probes']} probes and {facts['missing_items']} of "
            f"{facts['items']} items have no vector (such as {facts['examples_of_missing'][0]!r}): what asks for them "
            "scores least"
        )
    if facts.get("missing_scores"):
        warnings.append(f"{name}: {facts['missing_scores']} trials have no score: they count as the least alike")
    if facts["unknown_identities"]:
        warnings.append(
            f"{name}: nothing is known of {facts['unknown_identities']} of {facts['names']} names: each counts as "
            "somebody of its own in the intervals"
        )
    return [*warnings, *(f"{name}: {text}" for text in facts.get("notes", ()))]


def _n(measurement: Measurement) -> str:
    return f" 1:{measurement.candidates}" if measurement.protocol == "matching" and not measurement.list else ""
