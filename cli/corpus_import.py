"""`vfsearch corpus import`."""

from pathlib import Path

import click
from vfsearch_cli.options import PATH, common, option
from vfsearch_cli.terminal import table

SHOWN = 5
EPILOG = """\b
Examples:
  vfsearch corpus import folders --from media --test-share 0.3
  vfsearch corpus import voxceleb1 --from /data/vox1 --face /data/VGGFace --identities vox1_train.csv \\
      --identities vox1_val.csv --identities vox1_test.csv
  vfsearch corpus import voxceleb2 --from /data/vox2 --dry-run
  vfsearch corpus import mav-celeb --from /data/mavceleb_v1
"""
LAYOUT_NAMES = ("folders", "voxceleb1", "voxceleb2", "mav-celeb")


@click.command("import", epilog=EPILOG)
@click.argument("layout", type=click.Choice(LAYOUT_NAMES))
@option("--from", "folder", type=PATH, default=None, help="Folder that the corpus is in.")
@option("--voice", type=PATH, default=None, help="Folder of voices, where they lie apart.")
@option("--face", type=PATH, default=None, help="Folder of faces, where they lie apart.")
@option("--identities", "tables", type=PATH, multiple=True,
        help="Table of people: names, gender, nationality, set. More than once for more. vox1_meta.csv and "
        "vox2_meta.csv are found where they lie in the corpus.")  # fmt: skip
@option("--video", type=click.Choice(["voice", "face", "both", "skip"]), default="voice", show_default=True,
        help="What a video is taken for.")  # fmt: skip
@option("--test-share", type=float, default=0.0, show_default=True,
        help="Share of the people in the split test, of those whose split no table says.")  # fmt: skip
@option("--val-share", type=float, default=0.0, show_default=True, help="Likewise in the split val.")
@option("--seed", type=int, default=1, show_default=True, help="Of these shares.")
@option("--out", type=PATH, default=None, help="The manifest.  [default: manifest.csv]")
@option("--overwrite", is_flag=True, help="Replace a manifest that is there.")
@option("--dry-run", is_flag=True, help="Look and report; write nothing.")
@common
def import_(terminal, workspace: Path, out: Path | None, overwrite, dry_run, **sources):
    """List the media of a corpus: folders and tables to a manifest.

    Identity, gender, nationality and split come from the tables, the recording from the folders. What is missing is
    said: people without media, without a voice or a face, files and folders that were passed over.
    """
    from vfsearch.pipeline.import_corpus import CorpusSources, import_corpus

    sources["tables"] = tuple(sources["tables"])
    manifest = out or workspace / "manifest.csv"
    report = import_corpus(CorpusSources(**sources), manifest, overwrite, dry_run, terminal.progress)
    terminal.result(report.to_json(), *_found(report, dry_run), *_missing(report))


def _found(report, dry_run: bool) -> list:
    rows = [(modality, f"{count:,}") for modality, count in sorted(report.items.items(), reverse=True)]
    splits = ", ".join(f"{name}: {count:,}" for name, count in report.splits.items())
    return [
        table(["modality", ">items"], rows),
        f"{report.people:,} people; by split: {splits}",
        "nothing was written" if dry_run else f"written: {report.manifest}",
    ]


def _missing(report) -> list[str]:
    lines = [
        f"{what}: {len(names):,} ({', '.join(names[:SHOWN])}{', ...' if len(names) > SHOWN else ''})"
        for what, names in report.missing.items()
    ]
    if report.unknown_files:
        kinds = ", ".join(f"{suffix} {count:,}" for suffix, count in list(report.unknown_files.items())[:SHOWN])
        lines.append(f"files that are no media, passed over: {kinds}")
    return lines
