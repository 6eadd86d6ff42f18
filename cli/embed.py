"""`vfsearch embed`."""

from pathlib import Path

import click
from click.core import ParameterSource
from vfsearch_cli.options import PATH, chosen_encoders, common, computing, decoding, option, shard_rows
from vfsearch_cli.terminal import named, table

from vfsearch.errors import SettingsError

ENCODER_OPTIONS = ("voice_encoder", "face_encoder", "aligned", "on_no_face", "voice_setting", "face_setting")
EPILOG = """\b
Examples:
  vfsearch embed
  vfsearch embed --dtype float16 --overwrite
  vfsearch embed --frozen --aligned        # without a model: each modality in its encoder's own space
"""


@click.command(epilog=EPILOG)
@option("--manifest", type=PATH, default=None, help="List of media files.  [default: manifest.csv or .jsonl]")
@option("--model", type=PATH, default=None, help="Folder of the model.  [default: model]")
@option("--features", type=PATH, default=None, help="Store of frozen features.  [default: features]")
@option("--out", "embeddings", type=PATH, default=None, help="Folder of the store.  [default: embeddings]")
@option("--frozen", "without_model", is_flag=True, help="Store what the frozen encoders give; use no model.")
@chosen_encoders
@option("--dtype", type=click.Choice(["float32", "float16"]), default="float32", show_default=True)
@option("--batch-size", type=click.IntRange(min=1), default=64, show_default=True, help="Items to an encoder call.")
@shard_rows
@option("--retry-failed", is_flag=True, help="Look again at the items that failed before.")
@option("--overwrite", is_flag=True, help="Give up the store that is there.")
@decoding
@computing(beside_decoders=True)
@common
def embed(terminal, workspace: Path, without_model, encoders, overwrite, decoding, device, **more):
    """Embed every item of the manifest: media and model to store.

    Both modalities go into the joint space of the model, in checksummed HDF5 shards; an item that cannot be embedded
    is named with its reason in failures.csv, and the exit code is then 4. A run that was stopped goes on where it was.
    The encoder options count only with --frozen: otherwise the model says which encoders it stands on.
    """
    from vfsearch.pipeline.embed import embed_manifest
    from vfsearch.pipeline.workspace import Workspace

    if not without_model:
        _refuse_encoder_options(click.get_current_context())
    places = {name: more.pop(name) for name in ("manifest", "model", "features", "embeddings")}
    report = embed_manifest(
        Workspace(folder=workspace, **places),
        encoders if without_model else None,
        decoding,
        device,
        overwrite=overwrite,
        progress=terminal.progress,
        **more,
    )
    failed = sum(report.failures.values())
    for note, count in report.notes.items():
        terminal.remark(f"note: {count} items: {note}")
    if failed:
        terminal.warn(f"{failed} items could not be embedded: {named(report.failed)}; all are in "
                      f"{report.folder / 'failures.csv'}")  # fmt: skip
    terminal.result(_document(report), _table(report))
    return 4 if failed else 0


def _refuse_encoder_options(ctx: click.Context) -> None:
    """The model says which encoders it stands on and how they prepare media; to ask for others would change nothing."""
    given = [name for name in ENCODER_OPTIONS if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    if given:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise SettingsError(f"{flags}: the model decides that; give it to `vfsearch train`, or embed with --frozen")


def _document(report) -> dict:
    return {
        "store": str(report.folder),
        "spaces": {modality: space.to_json() for modality, space in report.spaces.items()},
        "rows": report.rows,
        "failures": report.failures,
        "notes": report.notes,
        "added": report.added,
    }


def _table(report):
    rows = [
        (modality, report.rows[modality], report.failures[modality], space) for modality, space in report.spaces.items()
    ]
    done = f"{report.added} rows written now" if report.added else "complete before; nothing was written"
    return table(["modality", ">rows", ">failures", "space"], rows, title=str(report.folder), caption=done)
