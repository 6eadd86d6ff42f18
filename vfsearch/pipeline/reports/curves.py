"""Diagrams of what is no run of `query`: pooling curves, measured indices, the training of the runs' model."""

import csv
import io
import json
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from vfsearch.artefact import exists, read_artefact
from vfsearch.data.plot import Line, Plot
from vfsearch.errors import DamagedError
from vfsearch.files import is_there, read_file
from vfsearch.pipeline.index_bench import JSON_NAME as BENCH_NAME
from vfsearch.pipeline.model import MADE_BY, RECORD_NAME, SCHEMA, Model
from vfsearch.pipeline.reports.run_plots import file_name
from vfsearch.pipeline.reports.runs import ReportedRun
from vfsearch.pipeline.saved_curve import JSON_NAME as POOLING_NAME
from vfsearch.pipeline.workspace import Workspace
from vfsearch.report.record import Record
from vfsearch.report.smoothing import local_means, spread
from vfsearch.train.settings import RUN_NAMES

PLACES, WINDOWS = 400, 50
LOSSES = ("loss", "implicit", "explicit")
ACCURACIES = ("voice_to_face", "face_to_voice")


def other_plots(workspace: Workspace, runs: Sequence[ReportedRun], measured: Sequence[tuple[str, Path]]) -> list[Plot]:
    """Accuracy against clips, recall against speed, training losses, validation, identity weights: what there is.

    Args:
        workspace: its model's training is shown where a run was made with it.
        runs: of the report.
        measured: name and folder of each pooling curve or measurement of indices.
    Raises:
        DamagedError: a file is not what it was written as.
    """
    return [*_pooling(measured), *_speed(runs, measured), *_training(workspace, runs)]


def _documents(measured: Sequence[tuple[str, Path]], name: str, read: Callable[[str, dict], object]) -> Iterator:
    for label, folder in measured:
        path = folder / name
        if is_there(path):
            try:
                yield read(label, json.loads(read_file(path, "measurement")))
            except (ValueError, KeyError, TypeError, IndexError) as error:
                raise DamagedError(
                    f"{path} is not what vfsearch wrote ({error}): make it anew, or remove it"
                ) from error


def _pooling(measured: Sequence[tuple[str, Path]]) -> Iterator[Plot]:
    """A diagram a direction, measure and quantity."""
    lines: dict[tuple[str, str, str], list[tuple[Line, Line]]] = {}
    for found in _documents(measured, POOLING_NAME, _pooling_lines):
        for key, pair in found:
            lines.setdefault(key, []).append(pair)
    for (direction, measure, of), pairs in lines.items():
        unit = "items" if of == "items" else "seconds of speech"
        yield Plot(
            name=file_name("pooling", f"{direction} {measure} {of}"),
            title=f"{measure}, {direction}, by what is pooled",
            x=f"{unit} of a person",
            y=measure,
            lines=[line for line, _ in pairs],
            x_scale="log2",
            mark=True,
            chance=pairs[0][1],
        )


def _pooling_lines(label: str, document: dict) -> list:
    found = []
    for line in document["lines"]:
        for measure in line["points"][0]["values"]:
            values = [point["values"][measure] for point in line["points"]]
            places = np.array(
                [point["items" if line["of"] == "items" else "seconds"] for point in line["points"]], float
            )
            columns = {name: _numbers(value[part] for value in values)
                       for name, part in (("y", "value"), ("low", "low"), ("high", "high"))}  # fmt: skip
            chance = Line(name="chance", x=places, y=_numbers(value["chance"] for value in values))
            key = (document["direction"], measure, line["of"])
            found.append((key, (Line(name=label, x=places, **columns), chance)))
    return found


def _speed(runs: Sequence[ReportedRun], measured: Sequence[tuple[str, Path]]) -> Iterator[Plot]:
    """Recall against probes a second: of runs with an approximate index among them, and of measured indices."""
    lines: dict[str, list[Line]] = {}
    approximate = set()
    for run in runs:
        for each in run.outcome.measurements:
            if each.protocol == "search":
                recall = next((value.value for name, value in each.values.items() if name.endswith(" of exact")), 1.0)
                approximate |= {each.direction} if recall < 1.0 or len(each.values) else set()
                point = Line(name=run.name, x=np.array([recall]), y=np.array([each.probes_per_second]))
                lines.setdefault(each.direction, []).append(point)
    for direction in sorted(approximate):
        yield Plot(name=file_name("speed", direction), title=f"Recall and speed of the searches, {direction}",
                   x="recall of the exact neighbours", y="probes a second", y_scale="log", mark=True,
                   lines=lines[direction])  # fmt: skip
    for label, presets in _documents(measured, BENCH_NAME, _bench_lines):
        yield Plot(name=file_name("indices", label), title=f"Recall and speed of indices, {label}",
                   x="recall of the exact neighbours", y="probes a second", y_scale="log", mark=True,
                   lines=presets)  # fmt: skip


def _bench_lines(label: str, document: dict) -> tuple[str, list[Line]]:
    """A line a kind, through those of its settings that none of its others beats in both."""
    lines = []
    for preset in document["presets"]:
        points = sorted((point["recall"]["value"], point["probes_per_second"]) for point in preset["points"])
        best = [(recall, rate) for place, (recall, rate) in enumerate(points)
                if all(rate > other for _, other in points[place + 1 :])]  # fmt: skip
        if best:
            lines.append(Line(name=preset["preset"], x=_numbers(recall for recall, _ in best),
                              y=_numbers(rate for _, rate in best)))  # fmt: skip
    return label, lines


def _training(workspace: Workspace, runs: Sequence[ReportedRun]) -> Iterator[Plot]:
    model = _model(workspace, runs)
    if model is None:
        return
    record = _record(model)
    if record is not None:
        for run in record.runs:
            yield from _losses(record, run)
        yield from _accuracies(record)
    yield from _weights(model)


def _model(workspace: Workspace, runs: Sequence[ReportedRun]) -> Model | None:
    """The workspace's model, if a run was made with it."""
    if not exists(workspace.model_folder):
        return None
    model = Model(artefact=read_artefact(workspace.model_folder, "model", SCHEMA, MADE_BY))
    ours = json.loads(json.dumps(model.provenance))
    return model if any(run.outcome.made_from.get("model") == ours for run in runs) else None


def _record(model: Model) -> Record | None:
    if RECORD_NAME not in model.artefact.files:
        return None
    head, *rows = csv.reader(io.StringIO(model.artefact.read(RECORD_NAME).decode(), newline=""))
    return Record(columns=head, rows=[[float(cell or math.nan) for cell in row] for row in rows], run_names=RUN_NAMES)


def _losses(record: Record, run: int) -> Iterator[Plot]:
    name, steps = record.run_names[run], record.values(run, "step")
    places, lines = spread(len(steps), PLACES), []
    for column in LOSSES:
        values = record.values(run, column)
        if np.isfinite(values).any():
            means = local_means(values, places, len(steps) // WINDOWS)
            lines.append(Line(name="total" if column == "loss" else column, x=steps[places] + 1, y=means))
    if lines:
        yield Plot(name=file_name("training", name), title=f"Training, {name}: losses, means over 2 % of the steps",
                   x="step", y="loss", lines=lines)  # fmt: skip


def _accuracies(record: Record) -> Iterator[Plot]:
    lines = []
    for run in record.runs:
        for column in ACCURACIES:
            values = record.values(run, column)
            there = np.isfinite(values)
            if there.any():
                name = f"{record.run_names[run]}, {column.replace('_', ' ')}"
                lines.append(Line(name=name, x=record.values(run, "step")[there] + 1, y=values[there]))
    if lines:
        yield Plot(
            name="validation", title="Validation by 1:2 matching", x="step", y="accuracy", lines=lines, mark=True
        )


def _weights(model: Model) -> Iterator[Plot]:
    rows = [row for row in model.identity_table() if math.isfinite(row.hardness)]
    if not rows:
        return
    rows.sort(key=lambda row: row.hardness)
    place = np.arange(1, len(rows) + 1, dtype=np.float64)
    for name, title, values in (
        ("weight", "Identity weights: 0 is left out as personalised", [row.weight for row in rows]),
        ("hardness", "Hardness of identities: running means of their losses", [row.hardness for row in rows]),
    ):
        line = Line(name=name, x=place, y=np.array(values))
        about = {"x": "identity, the easiest first", "y": name, "mark": True, "joined": False}
        yield Plot(name=f"identity-{name}", title=title, lines=[line], **about)


def _numbers(values) -> np.ndarray:
    return np.array([math.nan if value is None else float(value) for value in values])
