"""`vfsearch index` and `vfsearch index build`."""

from dataclasses import asdict
from pathlib import Path

import click
from vfsearch_cli.cluster import partitions_on_cluster
from vfsearch_cli.index_bench import bench
from vfsearch_cli.index_info import info, verify
from vfsearch_cli.index_plan import plan
from vfsearch_cli.index_tune import tune
from vfsearch_cli.index_update import add, remove
from vfsearch_cli.options import PATH, PLACE, WORDS, common, computing, named_values, option
from vfsearch_cli.pooling import chosen_pooling
from vfsearch_cli.terminal import size, table

from vfsearch.errors import SettingsError

EPILOG = """\b
Examples:
  vfsearch index build
  vfsearch index build --modality face --preset svs,ivf-pq
  vfsearch index build --modality face --factory IVF4096,SQ8 --name face-wide
  vfsearch index build --modality face --pool identity
  vfsearch index build --preset hnsw --setting ef_construction=200 --split test
  vfsearch index build --modality face --partitions 4
  vfsearch index build --on ray --dry-run
"""


@click.group()
def index() -> None:
    """Indices: what queries search."""


for _command in (plan, tune, add, remove, info, verify, bench):
    index.add_command(_command)


@index.command(epilog=EPILOG)
@option("--store", type=PLACE, default=None, help="Folder of the store.  [default: embeddings]")
@option("--out", type=PATH, default=None, help="Folder of the indices.  [default: index]")
@option("--modality", "modalities", type=click.Choice(["voice", "face"]), multiple=True,
        help="Which to index; may be given twice.  [default: those that the store has]")  # fmt: skip
@option("--preset", "--presets", "presets", type=WORDS, multiple=True, default=["exact"],
        help="Kinds of index, with commas between, one index each; `vfsearch index plan` lists them. Also the name of "
        "a back end, or module:Class.  [default: exact]")  # fmt: skip
@option("--factory", default=None, help="A faiss factory string instead, for example IVF4096,SQ8.")
@option("--setting", "settings", multiple=True, metavar="NAME=VALUE",
        help="Build setting, for example lists=4096; may be given more than once.")  # fmt: skip
@option("--name", default=None, help="Of the index.  [default: the modality; other presets than exact: and the preset; "
        "with --pool: and pooled; with --partitions: and sharded]")  # fmt: skip
@option("--pool", "pool_by", default=None, metavar="COLUMN+...", help="Make one template of all items that agree here: "
        "identity, or finer, for example identity+source.")  # fmt: skip
@option("--pool-weight", default=None, metavar="COLUMN", help="With --pool: what items count by, for example quality.  "
        "[default: all alike]")  # fmt: skip
@option("--pool-items", type=click.IntRange(min=1), default=None, help="With --pool: most items of a template, drawn "
        "at random.  [default: all]")  # fmt: skip
@option("--partitions", type=click.IntRange(min=1), default=None, help="Make a sharded index of so many, which are "
        "built and searched apart.  [default: one index]")  # fmt: skip
@option("--split", default=None, help="Index the items of this split alone.  [default: all]")
@option("--seed", type=int, default=1, show_default=True, help="Of every random choice.")
@option("--overwrite", is_flag=True, help="Build anew also what is up to date.")
@option("--dry-run", is_flag=True, help="With --on: only say how many partitions there would be, and where.")
@computing(beside_decoders=False)
@partitions_on_cluster
@common
def build(
    terminal, workspace: Path, store, out, modalities, presets, factory, settings, name, split, pool_by, pool_weight,
    pool_items, partitions, dry_run, on, **more
):  # fmt: skip
    """Build indices: store to index, one a modality and kind.

    Rows come shard by shard; a build that was killed goes on where it was. An index that was built from this very
    store with the same settings and is undamaged is kept; any other of the same name is replaced, once the new one is
    whole. With --pool the index holds templates: one row for several items of a person. With --partitions it is a list
    of indices of consecutive rows, searched as one; with --on ray they are built side by side, one for each worker
    that the cluster has room for unless --partitions says otherwise.
    """
    from vfsearch.pipeline.index import build_indices
    from vfsearch.pipeline.workspace import Workspace

    pooling = chosen_pooling("--pool", pool_by, pool_weight, pool_items, more["seed"])
    wanted = _wanted(presets, factory, named_values("--setting", settings, "lists=4096"), name, pooling, partitions)
    places = Workspace(folder=workspace, embeddings=store, index=out)
    chosen, split = tuple(dict.fromkeys(modalities)), None if split == "all" else split
    if dry_run:
        return _plan(terminal, places, chosen, split, wanted, more["seed"], on)
    with on.builder() as (engine, usual):
        built = build_indices(
            places, chosen, wanted, split=split, progress=terminal.progress, engine=engine, usual=usual, **more
        )
    document = {"indices": [{**asdict(each), "folder": str(each.folder)} for each in built], **on.document}
    columns = ["index", "preset", "back end", ">rows", ">dimension", ">size", ">seconds", ">peak memory", ""]
    terminal.result(document, table(columns, [_row(each) for each in built]), *on.lines)


def _plan(terminal, places, modalities, split, wanted: list, seed: int, on) -> int:
    """Say what a cluster would do; the exit code."""
    from vfsearch.index.presets import find_preset
    from vfsearch.pipeline.plan_index import store_size

    if on.address is None:
        raise SettingsError("--dry-run is for --on ray; `vfsearch index plan` says what indices take on this machine")
    document, lines, code = [], [], 0
    for modality in modalities or ("voice", "face"):
        size_ = store_size(places, modality, split)[0]
        for each in wanted:
            settings = find_preset(each.preset).settings(each.parameters, seed)
            told = on.placement_to_come(settings, size_.rows, size_.dimension, each.partitions)
            document.append({"modality": modality, "preset": each.preset, **told.document})
            lines += [f"{modality}, {each.preset}: {told.lines[0]}", *told.lines[1:]]
            code = max(code, told.code)
    terminal.result({"dry_run": True, "indices": document}, *lines)
    return code


def _wanted(
    presets: tuple[tuple[str, ...], ...], factory: str | None, parameters: dict, name: str | None, pooling, partitions
) -> list:
    """The kinds of index that were asked for."""
    from vfsearch.pipeline.index import IndexRequest

    presets = tuple(dict.fromkeys(preset for words in presets for preset in words))
    if name is not None and (not name.strip() or Path(name).name != name):
        raise SettingsError(f"--name {name!r} must be a plain name; --out says in which folder")
    if factory is not None:
        if presets != ("exact",):
            raise SettingsError(f"--factory is for faiss, --preset {presets[0]} says what to build already: give one")
        if name is None:
            raise SettingsError("an index made by --factory has no name of its own: give --name, for example face-own")
        presets, parameters = ("faiss",), {**parameters, "factory": factory}
    more = {"parameters": parameters, "name": name, "pooling": pooling, "partitions": partitions}
    return [IndexRequest(preset=preset, **more) for preset in presets]


def _row(each) -> tuple:
    done = "built" if each.built_now else "kept"
    done = done if each.partitions is None else f"{done}, {each.partitions} partitions"
    seconds, peak = (f"{each.seconds:.1f}", size(each.peak_memory_bytes)) if each.built_now else ("-", "-")
    return (
        each.folder,
        each.preset,
        each.backend,
        each.rows,
        each.dimension,
        size(each.size_bytes),
        seconds,
        peak,
        done,
    )
