"""`vfsearch train`."""

import math
from pathlib import Path

import click
from click.core import ParameterSource
from vfsearch_cli.options import (
    PATH,
    PLACE,
    SIZE,
    WORDS,
    chosen_encoders,
    common,
    computing,
    decoding,
    option,
    shard_rows,
)
from vfsearch_cli.terminal import named

EPILOG = """\b
Examples:
  vfsearch train                                            # heads on frozen features, three stages
  vfsearch train --stages retrain --steps 3000 --overwrite  # without re-weighting
  vfsearch train --stages warm-up,weights --out weighed
  vfsearch train --stages retrain --identity-weights weighed --overwrite
  vfsearch train --end-to-end --face-encoder ir50 --voice-encoder thin-resnet34 --out networks-model
  torchrun --nproc-per-node 2 -m vfsearch_cli.main train --end-to-end
"""
# Among 200 generated people hardness found personalised ones no better than chance, among 1,000 well.
FEW_IDENTITIES = 300
MILESTONES = "Steps at which the rate falls, for example 2000,3000."


@click.command(epilog=EPILOG)
@option("--manifest", type=PATH, default=None, help="List of media files.  [default: manifest.csv or .jsonl]")
@option("--features", type=PLACE, default=None, help="Store of frozen features.  [default: features]")
@option("--out", type=PATH, default=None, help="Folder of the model.  [default: model]")
@option("--split", default=None, help="Items to train on, or all.  [default: train if there is such a split, else all]")
@option("--validation", default=None,
        help="Split to validate on, or none.  [default: val, valid, validation or dev, if there]")  # fmt: skip
@option("--end-to-end", is_flag=True, help="Train the networks too, from media.")
@chosen_encoders
@option("--stages", type=WORDS, default=None, help="Stages to run.  [default: warm-up,weights,retrain]")
@option("--identity-weights", "weights_from", type=PATH, default=None,
        help="With --stages retrain: a model whose weights to use, or a CSV of identity, weight.")  # fmt: skip
@option("--dimension", type=int, default=128, show_default=True, help="Of the joint space.")
@option("--hidden", type=int, default=None,
        help="Units of the heads' hidden layer; 0: none.  [default: 256; 0 end to end]")  # fmt: skip
@option("--dropout", type=float, default=0.5, show_default=True, help="Share of a head's outputs dropped.")
@option("--steps", type=int, default=10_000, show_default=True, help="Of the run that retrains.")
@option("--milestones", type=WORDS, default=None, help=f"{MILESTONES}  [default: at 1/5 and 3/10 of the steps]")
@option("--weights-steps", type=int, default=2400, show_default=True,
        help="Of the run that learns the weights, warm-up included.")  # fmt: skip
@option("--weights-milestones", type=WORDS, default=None, help=f"{MILESTONES}  [default: at 5/12 and 10/12]")
@option("--warm-up-steps", type=int, default=None, help="Before the first weights.  [default: 5/24 of the run]")
@option("--weights-every", type=int, default=None, help="Steps between updates of the weights.  [default: 1/24]")
@option("--weights-first-share", type=float, default=0.5, show_default=True,
        help="Identities that the first update gives a weight.")  # fmt: skip
@option("--weights-step-share", type=float, default=0.024, show_default=True, help="That each later one adds.")
@option("--weights-decay", type=float, default=0.99, show_default=True, help="Factor on all weights at an update.")
@option("--weights-full-share", type=float, default=0.9, show_default=True, help="No more identities after this.")
@option("--hardness-momentum", type=float, default=0.9, show_default=True, help="Of the mean of an identity's loss.")
@option("--hardness-start", type=float, default=14.0, show_default=True, help="Where that mean starts.")
@option("--batch-size", type=int, default=64, show_default=True, help="Identities in a batch.")
@option("--optimiser", type=click.Choice(["sgd", "adamw"]), default="sgd", show_default=True)
@option("--learning-rate", type=float, default=None, help="At the start.  [default: 0.01 with sgd, 0.002 with adamw]")
@option("--schedule", type=click.Choice(["steps", "cosine"]), default="steps", show_default=True,
        help="How the rate falls: at the milestones, or to 0 along half a cosine.")  # fmt: skip
@option("--decay", type=float, default=0.1, show_default=True, help="Factor on the rate at a milestone.")
@option("--momentum", type=float, default=0.9, show_default=True, help="Of sgd.")
@option("--weight-decay", type=float, default=1e-4, show_default=True)
@option("--implicit", type=float, default=1.0, show_default=True, help="Weight of the implicit (global) loss.")
@option("--explicit", type=float, default=1.0, show_default=True, help="Weight of the explicit (local) loss.")
@option("--margin", type=float, default=4.4, show_default=True, help="m' of the explicit loss.")
@option("--flip/--no-flip", default=True, show_default=True, help="Mirror half of the photos (end to end).")
@option("--rotation-degrees", type=float, default=15.0, show_default=True, help="Turn photos by up to this.")
@option("--shortest-seconds", type=float, default=2.5, show_default=True, help="Clips of a batch are at least so long")
@option("--longest-seconds", type=float, default=5.0, show_default=True, help="and at most so long (end to end).")
@option("--precision", type=click.Choice(["auto", "fp32", "bf16"]), default="auto", show_default=True,
        help="Of the networks; auto: bf16 on a GPU that has it, else fp32.")  # fmt: skip
@option("--validate-steps", type=int, default=2000, show_default=True, help="Steps between two validations.")
@option("--checkpoint-steps", type=int, default=250, show_default=True, help="Steps between two checkpoints.")
@option("--seed", type=int, default=1, show_default=True, help="Of weights, batches, augmentation and dropout.")
@option("--cache", "cache_bytes", type=SIZE, default="2GiB", show_default=True,
        help="Memory for decoded media of a modality (end to end).")  # fmt: skip
@shard_rows
@option("--retry-failed", is_flag=True, help="Look again at the items that failed before.")
@option("--overwrite", is_flag=True, help="Train anew where a model was trained otherwise.")
@decoding
@computing(beside_decoders=True)
@common
def train(terminal, workspace: Path, manifest, features, out, encoders, device, **more):
    """Train the joint voice-face space: manifest to model.

    In three stages: a warm-up, in which all identities weigh the same; the weights, in which those are left out whose
    voice and face do not go together; and the retraining with those weights.

    Without --end-to-end the media of the split are turned into features by frozen encoders (kept in features/, so that
    training again takes seconds), and two heads are trained on them. With it the networks (ir50, ir_se50 for faces;
    thin-resnet34 for voices) are trained too, from random or pretrained weights (--face-setting weights=...).

    A run that was stopped goes on where it was; a model that was trained with the same settings on the same data is
    kept. Learning curves are in the model's folder as CSV, picture and TensorBoard files.
    """
    from vfsearch.pipeline.train import train_model
    from vfsearch.pipeline.workspace import Workspace

    passed = {name: more.pop(name) for name in PASSED}
    report = train_model(
        Workspace(folder=workspace, manifest=manifest, features=features, model=out),
        _settings(device, passed["end_to_end"], more),
        _networks_by_default(encoders) if passed["end_to_end"] else encoders,
        device=device,
        progress=terminal.progress,
        **passed,
    )
    failed = sum(report.failures.values())
    if report.first:
        if failed:
            terminal.warn(f"{failed} items could not be used: {named(report.failed)}")
        for remark in _remarks(report):
            terminal.warn(remark)
        terminal.result(_document(report), *_lines(report))
    return 4 if failed else 0


PASSED = ("split", "validation", "end_to_end", "weights_from", "cache_bytes", "rows_per_part", "retry_failed",
          "overwrite", "decoding")  # fmt: skip


def _remarks(report) -> list[str]:
    """What a user should know of a training that went well."""
    found = []
    if report.left_out and "weights" in report.model.settings["stages"] and report.identities < FEW_IDENTITIES:
        found.append(
            f"with {report.identities} identities the hardest that are left out may well be worth learning: hardness "
            "tells who cannot be learned among many hundreds; --stages retrain trains without re-weighting"
        )
    if report.validation is not None and report.validation == report.split:
        found.append(f"validated on the split {report.split} that it was trained on: the figures flatter")
    return found


def _settings(device: str, end_to_end: bool, numbers: dict):
    from vfsearch.devices import resolve_precision
    from vfsearch.networks.heads import HeadSettings
    from vfsearch.train.reweighting import Reweighting
    from vfsearch.train.settings import STAGES, TrainSettings

    hidden, steps = _given(numbers.pop("hidden"), 0 if end_to_end else 256), numbers["weights_steps"]
    head = HeadSettings(hidden=hidden, dimension=numbers.pop("dimension"), dropout=numbers.pop("dropout"))
    reweighting = Reweighting(
        # In the proportions of the published schedule, 500 and 100 of 2,400 steps.
        warm_up_steps=_given(numbers.pop("warm_up_steps"), max(1, steps * 5 // 24)),
        every=_given(numbers.pop("weights_every"), max(1, steps // 24)),
        momentum=numbers.pop("hardness_momentum"),
        initial_hardness=numbers.pop("hardness_start"),
        **{name: numbers.pop(f"weights_{name}") for name in ("first_share", "step_share", "decay", "full_share")},
    )
    numbers["learning_rate"] = _given(numbers["learning_rate"], 0.01 if numbers["optimiser"] == "sgd" else 0.002)
    numbers["stages"] = numbers["stages"] or STAGES
    numbers["precision"] = resolve_precision(numbers["precision"], device)
    for name in ("milestones", "weights_milestones"):
        numbers[name] = _whole_numbers(name, numbers[name])
    return TrainSettings(head=head, reweighting=reweighting, **numbers)


def _given(value, usual):
    return usual if value is None else value


def _whole_numbers(name: str, words: tuple[str, ...] | None) -> tuple[int, ...] | None:
    from vfsearch.errors import SettingsError

    try:
        return None if words is None else tuple(map(int, words))
    except ValueError:
        flag = name.replace("_", "-")
        raise SettingsError(f"--{flag} is {','.join(words)!r}, wanted whole numbers, for example 2000,3000") from None


def _networks_by_default(encoders):
    """The published networks, unless others were asked for."""
    from dataclasses import replace

    ctx = click.get_current_context()
    usual = {"voice": "thin-resnet34", "face": "ir50"}
    given = {name for name in usual if ctx.get_parameter_source(f"{name}_encoder") is not ParameterSource.DEFAULT}
    return replace(encoders, **{name: network for name, network in usual.items() if name not in given})


def _document(report) -> dict:
    return {
        "model": str(report.model.artefact.folder),
        "space": report.model.space.to_json(),
        "end_to_end": report.model.end_to_end,
        "split": report.split or "all",
        "validation": report.validation,
        "identities": report.identities,
        "left_out": report.left_out,
        "rows": report.rows,
        "failures": report.failures,
        "final": report.final,
        "best": report.best,
        "steps_per_second": None if math.isnan(report.steps_per_second) else report.steps_per_second,
        "trained_now": report.trained_now,
    }


def _lines(report) -> list[str]:
    done = "trained" if report.trained_now else "trained before, kept"
    what = "networks and heads" if report.model.end_to_end else "heads on frozen features"
    speed = "" if math.isnan(report.steps_per_second) else f", {report.steps_per_second:.3g} steps/s"
    losses = ", ".join(f"{name} {value:.4f}" for name, value in report.final.items())
    lines = [
        f"{report.model.artefact.folder}: {what}, {done}{speed}; space {report.model.space}",
        f"on {report.identities} identities, {report.rows['voice']} clips, {report.rows['face']} photos "
        f"(split {report.split or 'all'}); mean of the last tenth of the steps: {losses}",
    ]
    if report.left_out:
        lines.append(
            f"{report.left_out} of {report.identities} identities were left out (weight 0); "
            f"`vfsearch model info --model {report.model.artefact.folder} --identities` lists them"
        )
    if not report.best:
        lines.append("no validation: the last networks are kept; --validation names a split to choose the best by")
    else:
        accuracy = "{voice_to_face:.2%} voice to face, {face_to_voice:.2%} face to voice".format(**report.best)
        lines.append(f"kept: after {report.best['step'] + 1} steps, 1:2 matching on {report.validation}: {accuracy}")
    return lines
