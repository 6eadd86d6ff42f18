"""`vfsearch model`."""

from pathlib import Path

import click
from vfsearch_cli.model_lines import (
    export_document,
    export_table,
    import_document,
    import_lines,
    info_lines,
    people_lines,
    some,
)
from vfsearch_cli.options import PATH, WORDS, common, option

INFO_EPILOG = """\b
Examples:
  vfsearch model info
  vfsearch model info --identities --count 20
  vfsearch model info --model other-model --json
"""
IMPORT_EPILOG = """\b
Examples:
  vfsearch model import released.pth
  vfsearch model import released.pth --identities names.txt --aligned --overwrite
  vfsearch model import backbone_ir50.pth       # then: vfsearch train --end-to-end --face-encoder ir50
                                                #         --face-setting weights=networks/ir50
"""
EXPORT_EPILOG = """\b
Examples:
  vfsearch model export
  vfsearch model export --format safetensors --out exported
"""


@click.group()
def model() -> None:
    """Models: look at one, take over released checkpoints, write encoders for other programs."""


@model.command(epilog=INFO_EPILOG)
@option("--model", "place", type=PATH, default=None, help="Folder of the model.  [default: model]")
@option("--identities", is_flag=True, help="List the hardest identities, and those that were left out.")
@option("--count", type=click.IntRange(min=0), default=10, show_default=True,
        help="Of the hardest identities; 0: all.")  # fmt: skip
@common
def info(terminal, workspace: Path, place, identities, count):
    """Say what a model is: its encoders, space and training.

    With --identities: the identities whose voice and face went together worst in training. Those with the weight 0
    were left out.
    """
    from vfsearch.pipeline.model_info import describe_identities, describe_model

    folder = place or workspace / "model"
    found = describe_model(folder)
    shown = info_lines(found)
    if identities:
        people = describe_identities(folder, count)
        found, shown = {**found, **people}, [*shown, *people_lines(people)]
    terminal.result(found, *shown)


@model.command("import", epilog=IMPORT_EPILOG)
@click.argument("file", type=PATH)
@option("--out", type=PATH, default=None,
        help="Folder to write.  [default: model; for one network: networks/<its name>]")  # fmt: skip
@option("--identities", type=PATH, default=None,
        help="Names of the identities, one a line, in the classifier's order.  "
        "[default: identity0000, identity0001, ...]")  # fmt: skip
@option("--aligned", is_flag=True, help="Photos will be face crops already: look for no face in them.")
@option("--on-no-face", type=click.Choice(["crop", "fail"]), default=None,
        help="What `embed` does with a photo in which no face is found.  [default: crop]")  # fmt: skip
@option("--overwrite", is_flag=True, help="Replace what is in the folder.")
@common
def import_(terminal, workspace: Path, file, out, identities, aligned, on_no_face, overwrite):
    """Take over a released checkpoint: FILE is what torch.save or safetensors wrote.

    Known layouts: a whole voice-face model as Wen et al. released it becomes model/; a plain IR-50 or IR-SE-50, and the
    speaker network (with __S__. before its names or not), become weights to start a training from. Sizes are read off
    the tensors. Nothing that the file holds is run, and nothing is written unless all of it fits. -v names every
    tensor.
    """
    from vfsearch.pipeline.import_model import Choices, import_checkpoint
    from vfsearch.pipeline.workspace import Workspace

    face = {"aligned": True} if aligned else {}
    if on_no_face is not None:
        face["on_no_face"] = on_no_face
    choices = Choices(identities=identities, face_settings=face)
    report = import_checkpoint(Workspace(folder=workspace), file, out, choices, overwrite)
    if report.tensors["unknown"]:
        terminal.warn(f"tensors that no part of the layout has were left over: {some(report.tensors['unknown'])}")
    if report.differing:
        terminal.warn(
            f"{some(report.differing)}: computed here as the paper has it, to other values than in the file, "
            "so vectors will be others than those of the program that it comes from"
        )
    terminal.result(import_document(report), *import_lines(report, file))


@model.command(epilog=EXPORT_EPILOG)
@option("--model", "place", type=PATH, default=None, help="Folder of the model.  [default: model]")
@option("--out", type=PATH, default=None, help="Folder to write.  [default: export]")
@option("--format", "formats", type=WORDS, default="safetensors,onnx", show_default=True,
        help="safetensors, onnx, or both.")  # fmt: skip
@option("--overwrite", is_flag=True, help="Replace files that are there.")
@common
def export(terminal, workspace: Path, place, out, formats, overwrite):
    """Write each encoder with its head for other programs.

    voice.onnx and face.onnx take what their metadata says (waveforms, photos, or features of the frozen encoder) and
    give unit rows; with onnxruntime installed their rows are compared with the model's before anything is written.
    voice.safetensors and face.safetensors hold the tensors backbone.* and head.*.
    """
    from vfsearch.pipeline.export_model import export_model

    report = export_model(place or workspace / "model", out or workspace / "export", formats, overwrite,
                          terminal.progress)  # fmt: skip
    if not report.checked:
        terminal.warn("the ONNX files were not compared with the model: pip install onnxruntime, then export anew")
    terminal.result(export_document(report), export_table(report))
