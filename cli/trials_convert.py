"""`vfsearch trials convert`."""

from pathlib import Path

import click
from vfsearch_cli.options import PATH, common, option
from vfsearch_cli.terminal import size, table

EPILOG = """\b
Examples:
  vfsearch trials convert veri_test.txt --to vfsearch --out veri_test.tsv
  vfsearch trials convert verify_v2f_test.txt --to voxceleb --identities vox1_test.csv --out pairs.txt
  vfsearch trials convert match_*.txt verify_*.txt --to vfsearch --out lists
  vfsearch trials convert sub_score_*.tsv --to fame-scores --drop labels --out submission.zip
"""


@click.command(epilog=EPILOG)
@click.argument("files", type=PATH, nargs=-1, required=True)
@option("--to", required=True, help="Format to write; see `vfsearch trials formats`.")
@option("--out", type=PATH, required=True,
        help="File to write; several lists go into a folder of this name.")  # fmt: skip
@option("--format", default=None, help="Format of FILES.  [default: as recognised]")
@option("--identities", type=PATH, multiple=True,
        help="Table of whose items are: vox1_*.csv, a manifest, utt2spk, ...; may be given several times.")  # fmt: skip
@option("--drop", type=click.Choice(["scores", "labels"]), multiple=True,
        help="What may be lost, where the format has no place for it; may be given twice.")  # fmt: skip
@option("--overwrite", is_flag=True, help="Replace files that are there.")
@common
def convert(terminal, workspace: Path, files, to, out, format, identities, drop, overwrite):
    """Write lists of trials and of scores in another format.

    Nothing is lost in silence: a list that the format cannot hold is refused. Where a list has no labels and the
    format needs them, they are taken from the identities. Lists of any length are converted in little memory.
    """
    from vfsearch.pipeline.trial_files import Conversion, convert

    conversion = Conversion(to=to, format=format, identities=identities, drop=drop, overwrite=overwrite)
    written = convert(files, out, conversion)
    rows = [
        (each.source, each.format, each.kind, f"{each.trials:,}", f"{each.names:,}", each.out, size(each.size_bytes))
        for each in written
    ]
    document = {"to": to, "files": [_document(each) for each in written]}
    terminal.result(document, table(["list", "format", "kind", ">trials", ">names", f"as {to}", ">size"], rows))


def _document(each) -> dict:
    from dataclasses import asdict

    return {**asdict(each), "source": str(each.source), "out": str(each.out)}
