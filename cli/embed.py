"""`vfsearch embed`."""

from pathlib import Path

import click
from click.core import ParameterSource
from vfsearch_cli.cluster import on_cluster
from vfsearch_cli.options import PATH, PLACE, chosen_encoders, common, computing, decoding, option, shard_rows
from vfsearch_cli.terminal import duration, named, size, table

from vfsearch.errors import SettingsError

ENCODER_OPTIONS = ("voice_encoder", "face_encoder", "aligned", "on_no_face", "faces", "voice_setting", "face_setting")
EPILOG = """\b
Examples:
  vfsearch embed --dry-run                 # what there is to do, and how long it will take
  vfsearch embed
  vfsearch embed --retry-failed --changed-by time
  vfsearch embed --precision bf16 --dtype float16 --overwrite
  vfsearch embed --on ray://head:10001     # on a Ray cluster
  vfsearch embed --frozen --aligned        # without a model: each modality in its encoder's own space
"""


class _BatchSize(click.ParamType):
    """A number of items, or "auto" as None."""

    name = "N|auto"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        """The number."""
        if value is None or str(value) == "auto":
            return None
        if not str(value).isdigit() or int(value) < 1:
            self.fail(f"{value!r} must be auto or a whole number above 0", param, ctx)
        return int(value)


@click.command(epilog=EPILOG)
@option("--manifest", type=PATH, default=None, help="List of media files.  [default: manifest.csv or .jsonl]")
@option("--model", type=PATH, default=None, help="Folder of the model.  [default: model]")
@option("--features", type=PLACE, default=None, help="Store of frozen features.  [default: features]")
@option("--out", "embeddings", type=PLACE, default=None, help="Folder of the store.  [default: embeddings]")
@option("--frozen", "without_model", is_flag=True, help="Store what the frozen encoders give; use no model.")
@chosen_encoders
@option("--dtype", type=click.Choice(["float32", "float16"]), default="float32", show_default=True,
        help="Of the stored vectors.")  # fmt: skip
@option("--batch-size", type=_BatchSize(), default=None, help="Items to an encoder call.  [default: auto]")
@option("--precision", type=click.Choice(["auto", "fp32", "bf16", "fp16"]), default="fp32", show_default=True,
        help="What networks compute in; auto: bf16 on a GPU that has it. Rows differ in the third digit.")  # fmt: skip
@shard_rows
@option("--changed-by", type=click.Choice(["size", "time", "digest"]), default="size", show_default=True,
        help="How a file that has changed is noticed: by its size, also by its time, or by reading it.")  # fmt: skip
@option("--retry-failed", is_flag=True, help="Look again at the items that failed before.")
@option("--strict", is_flag=True, help="Stop at the first item that fails, or that failed before (see --retry-failed).")
@option("--prune", is_flag=True, help="Remove rows that are no longer listed even where they are most of the store.")
@option("--overwrite", is_flag=True, help="Give up the store that is there.")
@option("--dry-run", is_flag=True, help="Say what there is to do and, from a sample, how long it takes; write nothing.")
@option("--sample", type=click.IntRange(min=0), default=48, show_default=True,
        help="Items of each modality that a dry run embeds.")  # fmt: skip
@decoding
@computing(beside_decoders=False)
@on_cluster
@common
def embed(terminal, workspace: Path, without_model, encoders, decoding, device, dry_run, sample, on, **more):
    """Embed every item of the manifest that is not embedded yet: media and model to store.

    Both modalities go into the joint space of the model, in checksummed HDF5 shards; an item that cannot be embedded
    is named with its reason in failures.csv, and the exit code is then 4. A run that was stopped goes on where it was.
    After the manifest or a file has changed, only what is new or changed is embedded, and what is no longer listed is
    removed. The encoder options count only with --frozen: otherwise the model says which encoders it stands on.
    On a Ray cluster (--on ray) the same work is done by many machines that share the folders, and gives the same bytes.
    """
    from vfsearch.pipeline.embed import embed_manifest
    from vfsearch.pipeline.forecast import forecast
    from vfsearch.pipeline.workspace import Workspace

    if not without_model:
        _refuse_encoder_options(click.get_current_context())
    places = {name: more.pop(name) for name in ("manifest", "model", "features", "embeddings")}
    place, frozen = Workspace(folder=workspace, **places), encoders if without_model else None
    more["encoding"] = _encoding(device, more)
    more["progress"] = terminal.progress
    if dry_run:
        found = forecast(place, frozen, decoding, sample=sample, **more)
        document = {name: each.to_json() for name, each in found.items()}
        there = on.plan({name: each.seconds for name, each in found.items()})
        terminal.result(document | there.document, _forecast_table(found, place), *there.lines)
        return 0
    with on.engine() as engine:
        report = embed_manifest(place, frozen, decoding, engine=engine, **more)
    return _show(terminal, report, on)


def _encoding(device: str, options: dict):
    """The settings of the encoding, taken out of the options."""
    from vfsearch.devices import resolve_precision
    from vfsearch.pipeline.encoding import Encoding

    names = ("batch_size", "precision", "changed_by", "retry_failed", "strict")
    chosen = {name: options.pop(name) for name in names}
    return Encoding(device=device, **{**chosen, "precision": resolve_precision(chosen["precision"], device)})


def _show(terminal, report, on) -> int:
    failed = sum(report.failures.values())
    for modality in report.fallen_back:
        terminal.remark(f"note: the {modality} encoder computes in fp32 alone")
    for note, count in report.notes.items():
        terminal.remark(f"note: {count} items: {note}")
    if report.touched:
        terminal.remark(f"note: {report.touched} files were changed after they were embedded and have the size that "
                        "they had; --changed-by time or digest looks closer")  # fmt: skip
    if failed:
        terminal.warn(f"{failed} items could not be embedded: {named(report.failed)}; all are in "
                      f"{report.folder / 'failures.csv'}")  # fmt: skip
    terminal.result(_document(report) | on.document, _table(report), *_speeds(report), *on.lines)
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
        "embedded": _embedded(report),
        "touched": report.touched,
        "precisions": report.precisions,
        "speed": {modality: meter.to_json() for modality, meter in report.meters.items()},
    }


def _table(report):
    rows = [
        (modality, report.rows[modality], report.failures[modality], space) for modality, space in report.spaces.items()
    ]
    done = "complete before; nothing was written"
    if report.added:
        done = f"{report.added:,} rows written now, {_embedded(report):,} items embedded for them"
    return table(["modality", ">rows", ">failures", "space"], rows, title=str(report.folder), caption=done)


def _speeds(report) -> list[str]:
    return [
        f"{modality}: {meter.items:,} items embedded in {duration(meter.seconds)}; {meter.text()}"
        for modality, meter in report.meters.items()
        if meter.items
    ]


def _embedded(report) -> int:
    """Items whose media were looked at now."""
    return sum(meter.items for meter in report.meters.values())


def _forecast_table(found, place):
    columns = ["modality", ">items", ">there", ">to embed", ">no file", ">media", ">sound", ">items/s", ">takes",
               "limit", ">store"]  # fmt: skip
    rows = [
        (
            modality, f"{each.items:,}", f"{each.kept:,}", f"{each.to_embed:,}", f"{each.missing:,}",
            size(each.media_bytes), duration(each.audio_seconds) if each.audio_seconds else "-",
            "-" if each.items_per_second is None else f"{each.items_per_second:,.1f}",
            "-" if each.seconds is None else duration(each.seconds), each.limit or "-", size(each.store_bytes),
        )
        for modality, each in found.items()
    ]  # fmt: skip
    failed = [
        f"{each.failed} of the {each.sampled} {modality} items sampled failed: {'; '.join(each.reasons)}"
        for modality, each in found.items()
        if each.failed
    ]
    sampled = ", ".join(f"{each.sampled} {modality} items" for modality, each in found.items())
    caption = "\n".join([f"nothing was written; times are from {sampled}", *failed])
    return table(columns, rows, title=f"what `vfsearch embed` would do: {place.store_folder}", caption=caption)
