"""`vfsearch query`."""

from dataclasses import asdict
from pathlib import Path

import click
from vfsearch_cli.cluster import partitions_on_cluster
from vfsearch_cli.measures import named_measures, unused_measures
from vfsearch_cli.options import NUMBERS, PATH, PLACE, SIZE, WORDS, chosen_encoders, common, computing, decoding, option
from vfsearch_cli.outcome import of_lost, outcome_table, outcome_warnings
from vfsearch_cli.pooling import pooled_sides, refuse_mixed_pooling
from vfsearch_cli.terminal import table

from vfsearch.errors import SettingsError

EPILOG = """\b
Examples:
  vfsearch query --probe voice --gallery face
  vfsearch query --probe face --gallery face --protocol retrieval
  vfsearch query --probe voice --gallery face --n 2,5,10,50 --split all --seed 7
  vfsearch query --group U --group G --by gender --measures accuracy,AUC,EER,TAR@FAR=0.01,mAP
  vfsearch query --protocol identification --enrolled 10,50
  vfsearch query --pool-probes identity --pool-gallery identity
  vfsearch query --pool-probes identity+session --pool-weight quality --index index/face-pooled
  vfsearch query --file clip.wav --k 10
  vfsearch query --file monday.wav --file friday.wav --pool
  vfsearch query --index index/face --search nprobe=64
  vfsearch query --index index/face --exact
  vfsearch query --index index/face-sharded --on ray
  vfsearch query --trials verify_v2f_test.txt match_v2f_2_val.txt
  vfsearch query --trials lists/*.txt.gz --vectors vectors.npz --identities vox1_test.csv --result result.txt
"""
AUDIO = {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".au", ".caf", ".w64", ".rf64"}
SIDES = click.Choice(["voice", "face"])
PROTOCOLS = ("matching", "verification", "retrieval", "identification")


@click.command(epilog=EPILOG)
@option("--probe", type=SIDES, default=None, help="What is asked with.  [default: voice; with --file, by its name]")
@option("--gallery", type=SIDES, default=None, help="What is searched.  [default: the other one]")
@option("--protocol", "protocols", type=click.Choice(PROTOCOLS), multiple=True, help="May be given more than once.  "
        "[default: matching, verification and retrieval]")  # fmt: skip
@option("--n", type=NUMBERS, default="2,5,10", show_default=True, help="Candidates of 1:N matching.")
@option("--group", "groups", multiple=True, help="Candidates of matching and verification agree with the probe in: U "
        "nothing, G gender, N nationality, A age (by decade), letters together (GNA), or columns of the manifest "
        "(gender+accent). May be given more than once.  [default: U]")  # fmt: skip
@option("--enrolled", type=NUMBERS, default=None, help="Gallery sizes of open-set identification.  [default: half of "
        "the people]")  # fmt: skip
@option("--by", type=WORDS, default=None, help="Figures by group of people too: columns of the manifest, for example "
        "gender.")  # fmt: skip
@option("--split", default=None, help="Items to ask with and to search, or all.  "
        "[default: test if there is such a split, else all; with --file: all]")  # fmt: skip
@option("--k", type=int, default=10, show_default=True, help="Neighbours to find and to save.")
@option("--seed", type=int, default=1, show_default=True, help="Of the trials and intervals.")
@option("--pool-probes", default=None, metavar="COLUMN+...", help="Ask with one template of all items that agree here: "
        "identity, or finer, for example identity+source.")  # fmt: skip
@option("--pool-gallery", default=None, metavar="COLUMN+...", help="Search templates, made here and compared one by "
        "one; an index built with --pool needs no such option.")  # fmt: skip
@option("--pool-weight", default=None, metavar="COLUMN", help="What pooled items count by, for example quality.  "
        "[default: all alike]")  # fmt: skip
@option("--pool-items", type=click.IntRange(min=1), default=None, help="Most items of a template, drawn at random.  "
        "[default: all]")  # fmt: skip
@option("--file", "media", type=PATH, multiple=True, help="Search for this one clip or photo instead; for several of "
        "one person with --pool.")  # fmt: skip
@option("--pool", "pool_files", is_flag=True, help="With --file: all files are of one person, search for their mean.")
@option("--store", type=PLACE, default=None, help="Folder of the store.  [default: embeddings]")
@option("--index", type=PATH, default=None, help="Folder of the indices, or one index.  [default: index]")
@option("--exact", is_flag=True, help="Compare with every row of the index, with our own kernels, whatever its back "
        "end.")  # fmt: skip
@option("--search", "knobs", multiple=True, metavar="NAME=NUMBER", help="Search setting in place of what the index was "
        "tuned to, for example nprobe=64; may be given more than once.")  # fmt: skip
@option("--model", type=PATH, default=None, help="Folder of the model, for --file.  [default: model]")
@option("--out", type=PATH, default=None, help="Folder of the runs.  [default: runs]")
@option("--name", default=None, help="Of the run.  [default: from the direction and what it is made from]")
@option("--overwrite", is_flag=True, help="Measure anew a run that is there.")
@option("--trials", "trials", type=PATH, multiple=True, help="Ask this list of trials instead, in any format; further "
        "files may follow it.")  # fmt: skip
@option("--vectors", type=PATH, multiple=True, help="With --trials: files of vectors by name (.npz, HDF5, safetensors, "
        "torch.save, pickle).  [default: the store]")  # fmt: skip
@option("--identities", type=PATH, multiple=True, help="With --trials: tables of whose the items are.  [default: those "
        "beside a list, the store, the list itself]")  # fmt: skip
@option("--format", "format_", default=None, help="With --trials: of the lists.  [default: recognised]")
@option("--measures", type=WORDS, default=None, help="For example AUC,EER,TAR@FAR=0.01,mAP; see `vfsearch measures`.  "
        "[default: the usual ones of each protocol]")  # fmt: skip
@option("--result", type=PATH, default=None, help="With --trials: write a line `list value` for each here too.")
@click.argument("files", nargs=-1, type=PATH)
@option("--max-memory", type=SIZE, default="1GiB", show_default=True, help="Most memory that computing scores uses "
        "beside vectors and results, for example 500MB; it changes no figure.")  # fmt: skip
@option("--frozen", "without_model", is_flag=True, help="With --file: the store was made by `embed --frozen`.")
@chosen_encoders
@decoding
@option("--partial", is_flag=True, help="Where partitions of a sharded index cannot be opened, search the others "
        "and say what is missing; exit code 4.  [default: that is an error]")  # fmt: skip
@option("--dry-run", is_flag=True, help="With --on: only say where the partitions would be.")
@computing(beside_decoders=False, several=True)
@partitions_on_cluster
@common
def query(terminal, workspace: Path, probe, gallery, media, store, index, model, out, trials, files, **more):
    """Ask the three protocols of a store and its indices: how well and how fast.

    1:N matching, verification and full-gallery retrieval of the probe items against the gallery items of one split,
    printed as one table and saved under runs/ with the raw neighbours. With --file, the best matches of one clip or
    photo instead, or of several of one person. With --trials, published or own lists, scored with the store or with
    vectors of any origin. With --on ray the partitions of a sharded index are searched, and ranked in, on a cluster.
    """
    from vfsearch.pipeline.workspace import Workspace

    _refuse_mixed(trials, files)
    if trials:
        places = Workspace(folder=workspace, embeddings=store, runs=out)
        return _ask_lists(terminal, places, (*trials, *files), more)
    refuse_mixed_pooling(media, more)
    if media:
        probe = probe or _modality(media)
    probe = probe or "voice"
    gallery = gallery or {"voice": "face", "face": "voice"}[probe]
    places = Workspace(folder=workspace, embeddings=store, index=index, model=model, runs=out)
    if more["dry_run"] or more["on"].address is not None:
        _require_sharded(places, gallery)
    if more["dry_run"]:
        return _plan(terminal, places, gallery, more["on"])
    if media:
        return _look_up(terminal, places, media, probe, gallery, more)
    return _measure(terminal, places, probe, gallery, more)


def _require_sharded(places, gallery: str) -> None:
    """Only partitions can be on a cluster."""
    from vfsearch.index.layout import read_index_artefact
    from vfsearch.index.partitions import is_sharded

    artefact = read_index_artefact(places.searched_folder(gallery))
    if not is_sharded(artefact):
        raise SettingsError(
            f"the index {artefact.folder} is not sharded, so there are no partitions to search with --on: make one "
            f"with `vfsearch index build --modality {gallery} --on ray` (or --partitions), and name it with --index"
        )


def _plan(terminal, places, gallery: str, on) -> None:
    if on.address is None:
        raise SettingsError("--dry-run is for --on ray: it says where partitions would be")
    told = on.placement(places.searched_folder(gallery))
    terminal.result({"dry_run": True, **told.document}, *told.lines)
    return told.code


OF_LISTS = ("vectors", "identities", "format_", "result")
NOT_OF_LISTS = (
    "probe",
    "gallery",
    "protocols",
    "n",
    "groups",
    "enrolled",
    "by",
    "split",
    "k",
    "media",
    "pool_files",
    "pool_probes",
    "pool_gallery",
    "pool_weight",
    "pool_items",
    "index",
    "exact",
    "knobs",
    "model",
    "without_model",
    "address",
    "worker_cpus",
    "most_workers",
    "partial",
    "dry_run",
)


def _refuse_mixed(trials, files) -> None:
    """Options that would be passed over without a word; what settings files say counts where it fits."""
    if files and not trials:
        raise SettingsError(f"{files[0]} is a list of trials? Then give --trials before it; media are given by --file")
    context = click.get_current_context()
    flags = {param.name: param.opts[0] for param in context.command.params}
    wrong = [name for name in (NOT_OF_LISTS if trials else OF_LISTS)
             if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE]  # fmt: skip
    if wrong:
        where = "goes without --trials" if trials else "goes with --trials FILE..."
        raise SettingsError(f"{flags[wrong[0]]} {where} only")


def _modality(media) -> str:
    """What files are, by their names."""
    found = {"voice" if file.suffix.lower() in AUDIO else "face" for file in media}
    if len(found) > 1:
        raise SettingsError("clips and photos are pooled apart: give files of one kind, or say with --probe which")
    return found.pop()


def _ask_lists(terminal, places, lists, more: dict) -> None:
    from vfsearch.pipeline.list_query import ListSettings, query_lists

    _require_plain(more["name"])
    settings = ListSettings(measures=named_measures(more["measures"] or ()), format=more["format_"], seed=more["seed"])
    report = query_lists(
        places, lists, settings, vectors=more["vectors"], identities=more["identities"], device=more["device"],
        name=more["name"], overwrite=more["overwrite"], progress=terminal.progress,
        max_memory=more["max_memory"],
    )  # fmt: skip
    if more["result"] is not None:
        from vfsearch.pipeline.list_result import write_result

        write_result(more["result"], report.outcome)
    _show(terminal, report, more["measures"] or ())


def _require_plain(name: str | None) -> None:
    if name is not None and Path(name).name != name:
        raise SettingsError(f"--name {name!r} must be a plain name; --out says in which folder")


def _measure(terminal, places, probe: str, gallery: str, more: dict) -> int:
    from vfsearch.pipeline.query import QuerySettings
    from vfsearch.pipeline.query import query as run_query

    _require_plain(more["name"])
    settings = QuerySettings(
        probe=probe, gallery=gallery, protocols=more["protocols"] or PROTOCOLS[:3], n=more["n"], split=more["split"],
        k=more["k"], seed=more["seed"], groups=more["groups"] or ("U",), enrolled=more["enrolled"] or (),
        measures=named_measures(more["measures"] or ()), by=more["by"] or (), search=_search(more),
        **pooled_sides(more),
    )  # fmt: skip
    with more["on"].opener() as opener:
        report = run_query(
            places, settings, more["device"], more["name"], more["overwrite"], terminal.progress, more["max_memory"],
            opener, more["partial"], more["on"].where,
        )  # fmt: skip
    _show(terminal, report, more["measures"] or (), more["on"])
    return 4 if report.outcome.counts.get("partitions_lost") else 0


def _search(more: dict):
    from vfsearch.pipeline.searched_index import SearchSettings

    return SearchSettings(exact=more["exact"], knobs=dict(map(_knob, more["knobs"])))


def _knob(text: str) -> tuple[str, int]:
    name, _, value = (part.strip() for part in text.partition("="))
    try:
        return name, int(value)
    except ValueError:
        raise SettingsError(f"--search is {text!r}, wanted NAME=NUMBER, for example nprobe=64") from None


def _show(terminal, report, measures: tuple[str, ...], on=None) -> None:
    for warning in [*outcome_warnings(report.outcome), *unused_measures(measures, report.outcome)]:
        terminal.warn(warning)
    if not report.measured_now:
        terminal.warn("measured before, figures of that run; --overwrite measures anew")
    if report.newer_model:
        terminal.warn(
            f"the model has been trained since the store was made (it is {report.newer_model} now): these are figures "
            "of the model before; `vfsearch embed --overwrite` and `vfsearch index build` take the new one"
        )
    document = {"run": str(report.folder), "measured_now": report.measured_now, **report.outcome.to_json()}
    document |= {} if on is None else on.document
    lines = [] if on is None else on.lines
    terminal.result(document, *outcome_table(report.outcome, terminal.out.width), *lines, f"saved in {report.folder}")


def _look_up(terminal, places, media, probe: str, gallery: str, more: dict) -> int:
    from vfsearch.pipeline.lookup import look_up

    frozen = more["encoders"] if more["without_model"] else None
    file, *others = media
    with more["on"].opener() as opener:
        found = look_up(places, file, probe, gallery, more["k"], more["decoding"], frozen, more["device"],
                        more["split"], more["max_memory"], _search(more), others, opener, more["partial"])  # fmt: skip
    for warning in of_lost(found.lost):
        terminal.warn(warning)
    if found.note:
        terminal.remark(f"note: {', '.join(map(str, media))}: {found.note}")
    rows = [(match.rank, f"{match.score:.4f}", match.identity, match.path) for match in found.matches]
    pooled = {"pooled_with": list(map(str, others))} if others else {}
    document = {"file": str(file), **pooled, "probe": probe, "gallery": gallery, **asdict(found), **more["on"].document}
    title = f"{gallery} items most like {file} ({probe}{f', pooled with {len(others)} more' if others else ''})"
    terminal.result(document, title, table([">rank", ">score", "identity", "path"], rows))
    return 4 if found.lost else 0
