"""What `vfsearch model` shows, as lines and tables and as JSON."""

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table
from vfsearch_cli.terminal import size, table

SHOWN_LEFT_OUT = 20


def info_lines(found: dict) -> list[Table]:
    """What a model is."""
    from vfsearch.data.space import Space

    facts = [
        ("made by", _made_by(found)),
        *((modality, _encoder(found, modality)) for modality in found["encoders"]),
        ("space", str(Space(**found["space"]))),
        ("identities", f"{found['identities']}, of these {found.get('left_out', 0)} left out (weight 0)"),
        *_training(found),
        ("files", f"{len(found['files'])}, {size(found['size_bytes'])}: {', '.join(_kinds(found['files']))}"),
    ]
    return [table(["model", found["model"]], facts)]


def _made_by(found: dict) -> str:
    if "imported" in found:
        origin = found["imported"]
        return f"import of {origin['file']} (layout {origin['layout']}, SHA-256 {origin['sha256'][:12]}...)"
    what = "networks and heads, end to end" if found["end_to_end"] else "heads on frozen features"
    validation = f", validated on {found['validation']}" if found.get("validation") else ""
    return f"training of {what} (split {found['split'] or 'all'}{validation})"


def _encoder(found: dict, modality: str) -> str:
    from vfsearch.data.space import Space

    encoder, spaces = found["encoders"][modality], found["feature_spaces"]
    settings = ", ".join(f"{name} {_short(value)}" for name, value in encoder["settings"].items())
    features = f"features {Space(**spaces[modality])}" if modality in spaces else ""
    return "; ".join(part for part in (encoder["name"], settings, features) if part)


def _short(value: object) -> str:
    return "-".join(map(str, value)) if isinstance(value, list) else str(value).lower()


def _training(found: dict) -> list[tuple[str, str]]:
    settings = found["settings"]
    head = ", ".join(f"{name} {value:g}" for name, value in settings["head"].items())
    lines = [("head", head)]
    if "stages" in settings:
        steps = {"weights_steps": "warm-up", "steps": "retrain"}
        names = [name for name, stage in steps.items() if stage in settings["stages"]]
        names += ["batch_size", "optimiser", "learning_rate", "implicit", "explicit", "seed"]
        rest = ", ".join(f"{name.replace('_', ' ')} {settings[name]}" for name in names)
        lines.append(("settings", f"stages {', '.join(settings['stages'])}; {rest}"))
    if found.get("final"):
        losses = ", ".join(f"{name} {value:.4f}" for name, value in found["final"].items())
        lines.append(("final losses", f"{losses} (mean of the last tenth of the steps)"))
    if found.get("best"):
        best = found["best"]
        lines.append(
            (
                "validation",
                f"best after step {best['step'] + 1}: 1:2 matching {best['voice_to_face']:.2%} voice to face, "
                f"{best['face_to_voice']:.2%} face to voice",
            )
        )
    return lines


def _kinds(files: dict) -> list[str]:
    """Names of files; those of the learning curves, of which there are many, as one."""
    events = [name for name in files if "tfevents" in name]
    rest = [name for name in files if "tfevents" not in name]
    return [*rest, f"{len(events)} for TensorBoard"] if events else rest


def people_lines(people: dict) -> list[Table | str]:
    """The hardest identities, and those left out."""
    rows = [
        (each["identity"], f"{each['weight']:.4g}", "-" if each["hardness"] is None else f"{each['hardness']:.4f}")
        for each in people["hardest"]
    ]
    left_out = people["left_out_identities"]
    named = ", ".join(left_out[:SHOWN_LEFT_OUT])
    more = f" and {len(left_out) - SHOWN_LEFT_OUT} more (--json names all)" if len(left_out) > SHOWN_LEFT_OUT else ""
    return [
        table(["identity", ">weight", ">hardness"], rows, "hardest identities"),
        f"left out (weight 0), hardest first: {named}{more}" if left_out else "no identity was left out",
    ]


def import_document(report) -> dict:
    """What was imported, with the name of every tensor; JSON."""
    return {
        "folder": str(report.folder),
        "kind": report.kind,
        "layout": report.layout,
        "entry": report.entry,
        "networks": report.networks,
        "identities": report.identities,
        "space": report.space and report.space.to_json(),
        "tensors": {name: list(names) for name, names in report.tensors.items()},
        "differing": list(report.differing),
        "imported_now": report.imported_now,
    }


def import_lines(report, file: Path) -> list[str]:
    """What was imported."""
    networks = [
        f"{modality}: {each['name']} ({', '.join(f'{name} {_short(v)}' for name, v in each['settings'].items())})"
        for modality, each in report.networks.items()
    ]
    tensors = report.tensors
    where = f", entry {report.entry!r}" if report.entry else ""
    left_over = [*tensors["left_over"], *tensors["unknown"]]
    lines = [
        f"{file}{where}: layout {report.layout}",
        *networks,
        f"tensors: {len(tensors['used'])} used; {_counted(tensors['missing'], 'missing')}; "
        f"{_counted(left_over, 'left over')}",
    ]
    done = "written" if report.imported_now else "imported before, kept"
    if report.kind == "model":
        return [*lines, f"{report.folder}: {done}; {report.identities} identities; space {report.space}"]
    (network,) = (each["name"] for each in report.networks.values())
    modality = next(iter(report.networks))
    return [
        *lines,
        f"{report.folder}: {done}; to train from it: "
        f"vfsearch train --end-to-end --{modality}-encoder {network} --{modality}-setting weights={report.folder}",
    ]


def _counted(names: Sequence[str], what: str) -> str:
    return f"{len(names)} {what}" + (f" ({some(names)})" if names else "")


def some(names: Sequence[str], most: int = 6) -> str:
    """The first few names."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def export_table(report) -> Table:
    """The files that were written."""
    rows = [(each.path, each.takes, _difference(each), size(each.size_bytes)) for each in report.files]
    columns = ["file", "takes", "largest difference", ">size"]
    return table(columns, rows, caption=f"space {report.model.space}")


def _difference(file) -> str:
    if file.format != "onnx":
        return "exact"
    return "not compared" if file.largest_difference is None else f"{file.largest_difference:.2g}"


def export_document(report) -> dict:
    """What was written; JSON."""
    return {
        "model": str(report.model.artefact.folder),
        "space": report.model.space.to_json(),
        "checked": report.checked,
        "files": [
            {
                "path": str(each.path),
                "modality": each.modality,
                "format": each.format,
                "takes": each.takes,
                "size_bytes": each.size_bytes,
                "largest_difference": each.largest_difference,
                "metadata": report.metadata[each.modality],
            }
            for each in report.files
        ],
    }
