"""`vfsearch trials make`."""

from pathlib import Path

import click
from vfsearch_cli.options import NUMBERS, PATH, common, option
from vfsearch_cli.terminal import table

EPILOG = """\b
Examples:
  vfsearch trials make
  vfsearch trials make --probe face --gallery voice --n 2,5,10,50 --group U --group G
  vfsearch trials make --protocol verification --group GNA --exclude-same-source
  vfsearch trials make --group gender+accent --leave-out-small-groups
  vfsearch trials make --format wen2021 --out published
"""
SIDES = click.Choice(["voice", "face"])
PROTOCOLS = ("matching", "verification", "retrieval")


@click.command(epilog=EPILOG)
@option("--probe", type=SIDES, default="voice", show_default=True, help="What is asked with.")
@option("--gallery", type=SIDES, default=None, help="What is searched.  [default: the other one]")
@option("--protocol", "protocols", type=click.Choice(PROTOCOLS), multiple=True, help="May be given more than once.  "
        "[default: all three, or those that the format can hold]")  # fmt: skip
@option("--n", type=NUMBERS, default="2,5,10", show_default=True, help="Candidates of 1:N matching; a list each.")
@option("--group", "groups", multiple=True, help="Candidates agree with the probe in: U nothing, G gender, N "
        "nationality, A age (by decade), letters together (GNA), or columns of the manifest (gender+accent). May be "
        "given more than once.  [default: U]")  # fmt: skip
@option("--split", default=None, help="Items to ask with and to search, or all.  "
        "[default: test if there is such a split, else all]")  # fmt: skip
@option("--galleries", type=click.IntRange(min=1), default=3, show_default=True, help="For each probe and N.")
@option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of the draw.")
@option("--exclude-same-source", is_flag=True, help="The mate is from another source (video) than the probe.")
@option("--source-column", default="source", show_default=True, help="Column of the manifest that names the source.")
@option("--age-years", type=click.IntRange(min=0), default=10, show_default=True,
        help="Span of ages that count as one; 0: as they are.")  # fmt: skip
@option("--leave-out-small-groups", is_flag=True, help="Leave out, and count, probes whose group has fewer than N - 1 "
        "items of other identities, rather than refuse the N.")  # fmt: skip
@option("--format", "format_", default="vfsearch", show_default=True, help="Of the files, for example wen2021.")
@option("--out", type=PATH, default=None, help="Folder of the lists.  [default: trials]")
@option("--overwrite", is_flag=True, help="Replace lists of other content.")
@common
def make(terminal, workspace: Path, out, overwrite, **asked):
    """Make lists of trials from the manifest: 1:N matching, verification and full-gallery retrieval.

    For each probe and N there are some galleries (--galleries) of one mate and N - 1 items of other identities; from
    each 1:2 query comes one verification trial; retrieval lists all probes and the whole gallery. The same manifest,
    options and seed give the same files on every machine, and one more N or group changes no other list. Probes that
    ask nothing are counted by reason.
    """
    from vfsearch.pipeline.make_trials import make_trials
    from vfsearch.pipeline.workspace import Workspace

    report = make_trials(Workspace(folder=workspace), _settings(**asked), out, overwrite, terminal.progress)
    for warning in report.warnings:
        terminal.warn(warning)
    last = f"split {report.split}, {len(report.written)} files written in {report.folder}"
    if report.kept:
        last += f", {len(report.kept)} were there already, the same"
    if report.identity_table is not None:
        last += f"; whose the items are is in {report.identity_table.name}"
    terminal.result(report.to_json(), _lists_table(report.lists), last)


def _settings(probe, gallery, format_, exclude_same_source, source_column, leave_out_small_groups, groups, **more):
    from vfsearch.trials.settings import TrialsSettings

    return TrialsSettings(
        probe=probe, gallery=gallery or {"voice": "face", "face": "voice"}[probe], format=format_,
        groups=groups or ("U",), same_source="exclude" if exclude_same_source else "allow", source=source_column,
        small_groups="leave-out" if leave_out_small_groups else "refuse", **more,
    )  # fmt: skip


def _lists_table(lists):
    rows = [
        ("\n".join(path.name for path in made.files), f"{made.trials:,}", f"{made.probes:,}", f"{made.identities:,}",
         _left_out(made))
        for made in lists
    ]  # fmt: skip
    return table(["file", ">trials", ">probes", ">identities", "left out"], rows)


def _left_out(made) -> str:
    said = [f"{count:,} probes: {reason}" for reason, count in made.left_out.items()]
    if made.gallery_left_out:
        said.append(f"{made.gallery_left_out:,} gallery items: group or source not known")
    return "\n".join(said) or "none"
