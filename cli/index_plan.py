"""`vfsearch index plan`."""

from pathlib import Path

import click
from vfsearch_cli.options import PLACE, SECONDS, SIZE, WORDS, common, computing, option
from vfsearch_cli.terminal import size, table

from vfsearch.errors import SettingsError

EPILOG = """\b
Examples:
  vfsearch index plan
  vfsearch index plan --rows 10000000 --dimension 128 --max-memory 4GiB
  vfsearch index plan --modality face --min-recall 0.95 --max-latency 2ms
  vfsearch index plan --rows 300000 --dimension 512 --preset svs,hnsw,ivf-pq
"""
NEARLY_ALL = 0.999


@click.command(epilog=EPILOG)
@option("--rows", type=click.IntRange(min=1), default=None, help="Of the gallery.  [default: those of the store]")
@option("--dimension", type=click.IntRange(min=1), default=None, help="Of the rows.  [default: that of the store]")
@option("--modality", type=click.Choice(["voice", "face"]), default=None, help="The rows of the store to count.  "
        "[default: face]")  # fmt: skip
@option("--split", default=None, help="Count the rows of this split alone.  [default: all]")
@option("--preset", "--presets", "presets", type=WORDS, default=(), help="Kinds of index to look at.  [default: all]")
@option("--max-memory", type=SIZE, default=None, help="Most memory of the process, to build and to search, for example "
        "4GiB; pages of mapped files do not count.")  # fmt: skip
@option("--max-latency", type=SECONDS, default=None, help="Most time of a probe that comes alone, in the median, for "
        "example 2ms (us, ms or s; a number alone: ms).")  # fmt: skip
@option("--min-recall", type=click.FloatRange(0, 1, min_open=True), default=None, help="R@10 that must be found, for "
        "example 0.95; times are then those of the quickest setting that does.")  # fmt: skip
@option("--store", type=PLACE, default=None, help="Folder of the store.  [default: embeddings]")
@computing(beside_decoders=False)
@common
def plan(terminal, workspace: Path, rows, dimension, modality, split, store, device, **more):
    """What each kind of index would take and give, before anything is built.

    Bytes are counted. Times and recall are estimates: they are brought from sizes that were measured to this one, and
    to this machine by its speed, which is measured first (less than a second). `vfsearch index bench` measures the real
    ones on your store. Exit code 5: no kind can be what is asked for.
    """
    from vfsearch.pipeline.plan_index import PlanSettings, plan_index
    from vfsearch.pipeline.workspace import Workspace

    wanted = _size(Workspace(folder=workspace, embeddings=store), rows, dimension, modality, split)
    seconds = more.pop("max_latency")
    found = plan_index(wanted, PlanSettings(max_latency_seconds=seconds, **more), device)
    terminal.result(found.to_json(), _table(found), *_lines(found))


def _size(places, rows, dimension, modality, split):
    """The gallery that was given in numbers, else that of the store."""
    from vfsearch.index.costs import Size
    from vfsearch.pipeline.plan_index import store_size

    if rows is not None and dimension is not None:
        if modality or split:
            raise SettingsError("--rows and --dimension say what the gallery is: leave out --modality and --split")
        return Size(rows=rows, dimension=dimension)
    if rows is not None or dimension is not None:
        raise SettingsError("--rows and --dimension go together; without both, the rows of the store are counted")
    return store_size(places, modality, split)[0]


def _table(found):
    wanted = found.settings.min_recall
    columns = ["preset", ">disk", ">memory", ">mapped", ">to build", ">build time", ">R@10", ">probes/s", ">ms alone"]
    at = (
        "as searched from the start"
        if wanted is None
        else f"with the quickest setting that finds {wanted:g} of the 10 neighbours"
    )
    title = f"{found.size.rows:,} rows of {found.size.dimension} dimensions; {at}"
    return table(columns, [_row(each) for each in found.fitting], title=title)


def _row(each) -> tuple:
    bytes_, expected = each.costs, each.expected
    sizes = ["?"] * 4 if bytes_ is None else [
        size(count) for count in (bytes_.disk, bytes_.memory, bytes_.mapped, bytes_.build)]  # fmt: skip
    if expected is None:
        return (each.preset, *sizes, "?", "?", "?", "?")
    return (
        each.preset,
        *sizes,
        f"{_time(expected.build_seconds.low)} to {_time(expected.build_seconds.high)}",
        _recall(expected.recall),
        f"{_two(expected.probes_per_second.low):,.0f} to {_two(expected.probes_per_second.high):,.0f}",
        f"{_two(expected.single_seconds.low * 1e3):g} to {_two(expected.single_seconds.high * 1e3):g}",
    )


def _two(value: float) -> float:
    """Two figures: more would say more than is known.

    Example:
        >>> _two(12345), _two(0.0456)
        (12000.0, 0.046)
    """
    return float(f"{value:.2g}")


def _time(seconds: float) -> str:
    """A time with its unit.

    Example:
        >>> _time(0.52), _time(95), _time(5400)
        ('0.52 s', '95 s', '90 min')
    """
    for unit, least in (("h", 36_000), ("min", 600)):
        if seconds >= least:
            return f"{_two(seconds / {'h': 3600, 'min': 60}[unit]):g} {unit}"
    return f"{_two(seconds):g} s"


def _recall(expected) -> str:
    if expected.low >= NEARLY_ALL:
        return "1" if expected.low == 1 else f"above {NEARLY_ALL}"
    return f"{expected.low:.3f} to {min(expected.high, NEARLY_ALL):.3f}"


def _lines(found) -> list[str]:
    from vfsearch.index.costs import PROCESS_BYTES

    return [
        *(f"  {each.preset:12} {each.help}" for each in found.fitting),
        f"bytes are counted, {size(PROCESS_BYTES)} of the process itself come on top; mapped: files read "
        "where they lie, quick while the system has memory for them",
        "times and recall are estimates from measured sizes; recall from hard probes (another modality) to easy ones "
        "(like the gallery)",
        *found.verdicts,
        *(f"left out: {each.preset}: {each.reason}" for each in found.left_out),
        *(f"not here: {name} needs {what}" for name, what in found.missing.items()),
    ]
