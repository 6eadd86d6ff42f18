"""`vfsearch curve`."""

import math
from pathlib import Path

import click
from vfsearch_cli.measures import named_measures
from vfsearch_cli.options import NUMBERS, PATH, PLACE, SIZE, WORDS, common, computing, option
from vfsearch_cli.pooling import chosen_pooling
from vfsearch_cli.terminal import table

from vfsearch.errors import SettingsError

EPILOG = """\b
Examples:
  vfsearch curve
  vfsearch curve --items 1,2,4,8 --seconds 2,5,10,20
  vfsearch curve --probe face --items 1,3 --pool-gallery identity --n 2,50 --measures accuracy,mAP
"""
SIDES = click.Choice(["voice", "face"])


@click.command(epilog=EPILOG)
@option("--probe", type=SIDES, default="voice", show_default=True, help="What is pooled and asked with.")
@option("--gallery", type=SIDES, default=None, help="What is searched.  [default: the other one]")
@option("--items", type=NUMBERS, default=None, help="How many items of a person to pool, then all.  [default: 1,2,4,"
        "... as far as half of the people go]")  # fmt: skip
@option("--seconds", type=WORDS, default=None, help="How many seconds of speech to pool, in whole clips, then all.")
@option("--seconds-column", default=None, metavar="COLUMN", help="Where the store says how long clips are.  [default: "
        "seconds, else start and end in the manifest, else the files]")  # fmt: skip
@option("--draws", type=click.IntRange(min=1), default=5, show_default=True, help="Of the items of each person; "
        "figures are the mean over them.")  # fmt: skip
@option("--pool-weight", default=None, metavar="COLUMN", help="What pooled items count by, for example quality.  "
        "[default: all alike]")  # fmt: skip
@option("--pool-gallery", default=None, metavar="COLUMN+...", help="Search templates of all items that agree here, for "
        "example identity.  [default: items]")  # fmt: skip
@option("--n", type=NUMBERS, default="2,10", show_default=True, help="Candidates of 1:N matching.")
@option("--measures", type=WORDS, default="accuracy,EER,mAP,R@1", show_default=True, help="Of matching, verification "
        "and retrieval; see `vfsearch measures`.")  # fmt: skip
@option("--split", default=None, help="Items to ask with and to search, or all.  [default: test if there is such a "
        "split, else all]")  # fmt: skip
@option("--seed", type=int, default=1, show_default=True, help="Of draws, trials and intervals.")
@option("--store", type=PLACE, default=None, help="Folder of the store.  [default: embeddings]")
@option("--manifest", type=PATH, default=None, help="List of media files, for their length.  [default: manifest.csv]")
@option("--out", type=PATH, default=None, help="Folder for the results.  [default: runs/curve-...]")
@option("--max-memory", type=SIZE, default="1GiB", show_default=True, help="Most memory that computing scores uses "
        "beside vectors and results; it changes no figure.")  # fmt: skip
@computing(beside_decoders=False, several=True)
@common
def curve(terminal, workspace: Path, store, manifest, out, device, max_memory, **more):
    """Say how much better several utterances or photos of a person are than one.

    For each number of items (or seconds of speech) some of each person are drawn, pooled into one template, and asked
    with; all points are of the same people, trials and gallery, so that what is gained has an interval of its own.
    Table, document and figure are saved.
    """
    from vfsearch.pipeline.pooling_curve import pooling_curve
    from vfsearch.pipeline.saved_curve import curve_folder, save_curve
    from vfsearch.pipeline.workspace import Workspace

    places = Workspace(folder=workspace, manifest=manifest, embeddings=store)
    found = pooling_curve(places, _settings(more), device, terminal.progress, max_memory)
    folder = out or curve_folder(places, found)
    files = save_curve(found, folder)
    if found.lines[0].left_out:
        terminal.remark(_left_out(found))
    if found.seen_people:
        terminal.warn(
            f"{found.seen_people} of the people were seen in training: of others a model finds fewer, and pooling may "
            "gain more or less"
        )
    document = {**found.to_json(), "files": list(map(str, files))}
    terminal.result(document, *_tables(found), f"saved: {', '.join(map(str, files))}")


def _settings(more: dict):
    from vfsearch.pipeline.pooling_curve import CurveSettings

    probe = more["probe"]
    return CurveSettings(
        probe=probe, gallery=more["gallery"] or {"voice": "face", "face": "voice"}[probe], items=more["items"] or (),
        seconds=tuple(map(_number, more["seconds"] or ())), seconds_column=more["seconds_column"], draws=more["draws"],
        weight=more["pool_weight"], n=more["n"], measures=named_measures(more["measures"]), split=more["split"],
        seed=more["seed"], pool_gallery=chosen_pooling("--pool-gallery", more["pool_gallery"], None, None, 1),
    )  # fmt: skip


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise SettingsError(f"--seconds has {text!r}, wanted numbers with commas between, for example 2,5,10") from None


def _left_out(found) -> str:
    lasts = [[point.limit for point in line.points if point.limit is not None][-1] for line in found.lines]
    less = " or ".join(f"{last:g} {line.of}" for last, line in zip(lasts, found.lines, strict=True))
    return f"{found.lines[0].left_out} people have less than {less} and are left out of every point"


def _tables(found) -> list:
    """A table a quantity: a row a point and measure."""
    columns = [">{of}", ">items", ">seconds", "measure", ">value %", ">95 % interval", ">chance %", ">gain",
               ">95 % interval", ">p"]  # fmt: skip
    shown = []
    for line in found.lines:
        title = (
            f"{found.direction}, split {found.split}: {line.people} people, one template each, against {found.gallery} "
            f"gallery {'templates' if found.settings['pool_gallery'] else 'items'} of {found.gallery_identities} people"
        )
        rows = [row for point in line.points for row in _rows(point)]
        shown.append(table([column.format(of=line.of + " wanted") for column in columns], rows, title=title))
    return shown


def _rows(point) -> list[tuple]:
    seconds = "-" if math.isnan(point.seconds) else f"{point.seconds:.1f}"
    head = ("all" if point.limit is None else f"{point.limit:g}", f"{point.items:.2f}", seconds)
    return [(*(head if not number else ("",) * 3), *_figures(name, point)) for number, name in enumerate(point.values)]


def _figures(name: str, point) -> tuple:
    from vfsearch.pipeline.saved_curve import is_percent

    value, gain = point.values[name], point.gains.get(name)
    scale, mark = (100.0, "") if is_percent(name) else (1.0, "= ")

    def text(number: float, sign: str = "") -> str:
        return "-" if math.isnan(number) else f"{scale * number:{sign}.2f}"

    gained = ("", "", "")
    if gain is not None:
        p = "-" if math.isnan(gain.p) else f"{gain.p:.3f}"
        gained = (text(gain.value, "+"), f"{text(gain.low, '+')} to {text(gain.high, '+')}", p)
    interval = f"{text(value.low)} to {text(value.high)}"
    return (name, mark + text(value.value), interval, text(value.chance), *gained)
