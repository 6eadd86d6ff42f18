"""`vfsearch corpus`."""

from dataclasses import asdict
from pathlib import Path

import click
from vfsearch_cli.corpus_check import check
from vfsearch_cli.corpus_import import import_
from vfsearch_cli.options import common, option

EPILOG = """\b
Examples:
  vfsearch corpus generate --people 64 --seed 1
  vfsearch corpus generate --people 200 --split-by item --personalised 0.15
  vfsearch corpus generate --people 400 --train-share 0.5 --val-share 0.1
"""


@click.group()
def corpus() -> None:
    """Corpora: lists of media files."""


@corpus.command(epilog=EPILOG)
@option("--people", type=int, default=64, show_default=True)
@option("--seed", type=int, default=1, show_default=True)
@option("--sharing", type=float, default=0.95, show_default=True, help="How strongly voice and face agree, 0 to 1.")
@option("--personalised", type=float, default=0.0, show_default=True,
        help="Share of people whose face has nothing to do with their voice.")  # fmt: skip
@option("--clips", type=int, default=6, show_default=True, help="Per person.")
@option("--photos", type=int, default=6, show_default=True, help="Per person.")
@option("--clip-seconds", type=float, default=3.0, show_default=True)
@option("--split-by", "split", type=click.Choice(["person", "item"]), default="person", show_default=True,
        help="Test on unseen people, or on unseen items of the people trained on.")  # fmt: skip
@option("--train-share", type=float, default=0.5, show_default=True,
        help="Share of the people, or of each person's items, in the split train.")  # fmt: skip
@option("--val-share", type=float, default=0.0, show_default=True,
        help="Likewise in the split val, which `train` validates on; what is left is the split test.")  # fmt: skip
@option("--overwrite", is_flag=True, help="Replace a corpus that was made otherwise.")
@common
def generate(terminal, workspace: Path, overwrite, **settings):
    """Generate people: a workspace of WAV clips and PNG photos whose traits voice and face partly share.

    The same settings always give the same files. With --sharing above 0 the association can be learned from some
    people and carries over to others; with 0 there is nothing to learn.
    """
    from vfsearch.corpus.generated import GeneratedCorpus
    from vfsearch.corpus.generated import generate as generate_corpus

    summary = generate_corpus(workspace, GeneratedCorpus(**settings), terminal.progress, overwrite)
    document = {**asdict(summary), "manifest": str(summary.manifest)}
    validation = f"{summary.val_items} to validate on, " if summary.val_items else ""
    terminal.result(
        document,
        f"{summary.manifest}: {summary.people} people, {summary.train_items} items to train on, "
        f"{validation}{summary.test_items} to test on ({summary.written} files written, {summary.kept} kept)",
    )


corpus.add_command(import_)
corpus.add_command(check)
