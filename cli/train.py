"""`vfsearch train`."""

from pathlib import Path

import click
from vfsearch_cli.options import PATH, common, computing, decoding, frozen_encoders, option, shard_rows
from vfsearch_cli.terminal import named

EPILOG = """\b
Examples:
  vfsearch train
  vfsearch train --steps 3000 --hidden 0 --seed 2 --overwrite
  vfsearch train --aligned --voice-encoder my_package:MyEncoder
"""


@click.command(epilog=EPILOG)
@option("--manifest", type=PATH, default=None, help="List of media files.  [default: manifest.csv or .jsonl]")
@option("--features", type=PATH, default=None, help="Store of frozen features.  [default: features]")
@option("--out", type=PATH, default=None, help="Folder of the model.  [default: model]")
@option("--split", default=None, help="Items to train on, or all.  [default: train if there is such a split, else all]")
@frozen_encoders
@option("--dimension", type=int, default=128, show_default=True, help="Of the joint space.")
@option("--hidden", type=int, default=256, show_default=True, help="Units of the heads' hidden layer; 0 for none.")
@option("--dropout", type=float, default=0.5, show_default=True, help="Share of a head's outputs dropped.")
@option("--steps", type=int, default=1500, show_default=True, help="Steps of the optimiser.")
@option("--batch-size", type=int, default=64, show_default=True, help="Identities in a batch.")
@option("--optimiser", type=click.Choice(["adamw", "sgd"]), default="adamw", show_default=True)
@option("--learning-rate", type=float, default=2e-3, show_default=True, help="At the start; it falls to 0.")
@option("--weight-decay", type=float, default=1e-4, show_default=True)
@option("--implicit", type=float, default=1.0, show_default=True, help="Weight of the implicit (global) loss.")
@option("--explicit", type=float, default=1.0, show_default=True, help="Weight of the explicit (local) loss.")
@option("--margin", type=float, default=4.4, show_default=True, help="m' of the explicit loss.")
@option("--checkpoint-steps", type=int, default=250, show_default=True, help="Steps between two checkpoints.")
@option("--seed", type=int, default=1, show_default=True, help="Of weights, batches and dropout.")
@shard_rows
@option("--retry-failed", is_flag=True, help="Look again at the items that failed before.")
@option("--overwrite", is_flag=True, help="Train anew where a model was trained otherwise.")
@decoding
@computing(beside_decoders=True)
@common
def train(terminal, workspace: Path, manifest, features, out, split, frozen, decoding, device, overwrite, **numbers):
    """Train the joint voice-face space: manifest to model.

    The media of the split are turned into features by frozen encoders (kept in features/, so that training again
    takes seconds); two heads are trained on them with the two-level alignment loss. A run that was stopped goes on
    where it was; a model that was trained with the same settings on the same features is kept.
    """
    from vfsearch.networks.heads import HeadSettings
    from vfsearch.pipeline.train import train_model
    from vfsearch.pipeline.workspace import Workspace
    from vfsearch.train.settings import TrainSettings

    rows_per_part, retry_failed = numbers.pop("rows_per_part"), numbers.pop("retry_failed")
    head = HeadSettings(**{name: numbers.pop(name) for name in ("dimension", "hidden", "dropout")})
    report = train_model(
        Workspace(folder=workspace, manifest=manifest, features=features, model=out),
        TrainSettings(head=head, **numbers),
        frozen,
        split,
        decoding,
        device,
        overwrite=overwrite,
        progress=terminal.progress,
        rows_per_part=rows_per_part,
        retry_failed=retry_failed,
    )
    failed = sum(report.failures.values())
    if failed:
        terminal.warn(f"{failed} items could not be used: {named(report.failed)}")
    terminal.result(_document(report), *_lines(report))
    return 4 if failed else 0


def _document(report) -> dict:
    return {
        "model": str(report.model.artefact.folder),
        "space": report.model.space.to_json(),
        "split": report.split or "all",
        "identities": report.identities,
        "rows": report.rows,
        "failures": report.failures,
        "final": report.final,
        "trained_now": report.trained_now,
    }


def _lines(report) -> list[str]:
    done = "trained" if report.trained_now else "trained before, kept"
    losses = ", ".join(f"{name} {value:.4f}" for name, value in report.final.items())
    return [
        f"{report.model.artefact.folder}: {done}; space {report.model.space}",
        f"on {report.identities} identities, {report.rows['voice']} clips, {report.rows['face']} photos "
        f"(split {report.split or 'all'}); mean of the last tenth of the steps: {losses}",
    ]
