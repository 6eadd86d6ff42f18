"""`vfsearch corpus import`: folders of media and tables of people to a manifest."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vfsearch.corpus.layouts import Layout, layout
from vfsearch.corpus.media_kinds import AUDIO, PHOTO, VIDEO
from vfsearch.corpus.splitting import draw_splits
from vfsearch.corpus.tree import Leftovers, media_files
from vfsearch.data.identity_table import IdentityTable
from vfsearch.data.manifest import Item, write_manifest
from vfsearch.data.space import MODALITIES
from vfsearch.errors import InputError, SettingsError
from vfsearch.files import is_there, make_folder
from vfsearch.pipeline.import_report import ImportReport, import_report
from vfsearch.progress import Progress, silent
from vfsearch.trials.identities import read_identities

VIDEO_CHOICES = (*MODALITIES, "both", "skip")
TABLES = ("vox1_meta.csv", "vox2_meta.csv")
"""Tables that are taken where they lie in a folder of the corpus."""
_SETS = {"dev": "train"}
_SAID_BY_NAME = re.compile(r"(?:.*_)?(train|val|test)")
_PROGRESS_STEP = 10_000


@dataclass(frozen=True, kw_only=True)
class CorpusSources:
    """Where a corpus is.

    Args:
        layout: how its folders are laid out; see `vfsearch.corpus.layouts`.
        folder: that all of it lies in.
        voice, face: apart folders of one modality each, whatever the kind of their files.
        tables: of people: their names, gender, nationality, set.
        video: what a video is: a "voice", a "face" (its frame at the start), "both", or to "skip".
        test_share, val_share: of the people, divided by chance where no table says their split.
        seed: of that division.
    """

    layout: str = "folders"
    folder: Path | None = None
    voice: Path | None = None
    face: Path | None = None
    tables: tuple[Path, ...] = ()
    video: str = "voice"
    test_share: float = 0.0
    val_share: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        layout(self.layout)
        if self.folder is None and self.voice is None and self.face is None:
            raise SettingsError("no folder is given: name the one of the corpus (--from, or --voice and --face)")
        if self.video not in VIDEO_CHOICES:
            raise SettingsError(f"video is {self.video!r}, wanted one of {', '.join(VIDEO_CHOICES)}")
        draw_splits((), self.test_share, self.val_share, self.seed)

    def roots(self) -> list[tuple[Path, str]]:
        """Folders, and the modality of all files in each ("": by their kind)."""
        given = ((self.folder, ""), (self.voice, "voice"), (self.face, "face"))
        return [(Path(root), modality) for root, modality in given if root is not None]


def import_corpus(
    sources: CorpusSources,
    manifest: Path,
    overwrite: bool = False,
    dry_run: bool = False,
    progress: Progress = silent,
) -> ImportReport:
    """Find the media of a corpus and list them.

    Paths are relative to the manifest's folder where they lie below it, else absolute; identities are those of the
    tables, so that lists and trials with either name of a person find them.

    Args:
        sources: where the corpus is.
        manifest: to be written.
        overwrite: replace one that is there.
        dry_run: write nothing.
        progress: called with files found.
    Raises:
        InputError: a folder is missing, holds no media, or a manifest is there.
        TrialListError: a table cannot be read.
    """
    if is_there(manifest) and not overwrite and not dry_run:
        raise InputError(f"{manifest} is there already: give --overwrite to replace it, or --out another file")
    table, splits = _people(_tables(sources))
    leftovers, strangers = Leftovers(), Counter()
    found = _found(sources, layout(sources.layout), manifest.parent.absolute(), table, leftovers, strangers)
    items = _counted(found, progress)
    if not items:
        raise InputError(
            f"no media found in {', '.join(str(root) for root, _ in sources.roots())} in the layout {sources.layout!r} "
            f"({layout(sources.layout).description}); {sum(strangers.values())} files are in no person's folder"
        )
    splits = _all_splits(sources, items, table, splits)
    items = _with_splits(items, splits)
    if not dry_run:
        make_folder(manifest.parent.absolute())
        write_manifest(manifest, items)
    return import_report(manifest, items, table, leftovers, strangers, splits)


def _tables(sources: CorpusSources) -> list[Path]:
    beside = [root / name for root, _ in sources.roots() for name in TABLES if (root / name).is_file()]
    return [*sources.tables, *(path for path in beside if path not in sources.tables)]


def _people(tables: Sequence[Path]) -> tuple[IdentityTable, dict[str, str]]:
    """What the tables say, and identity -> split where the name of a table is one (vox1_test.csv)."""
    if not tables:
        return IdentityTable(identities={}), {}
    table, splits = read_identities(tables), {}
    for path in tables:
        if said := _SAID_BY_NAME.fullmatch(path.name.partition(".")[0]):
            splits.update(dict.fromkeys(set(read_identities([path]).identities.values()), said[1]))
    return table, splits


def _found(
    sources: CorpusSources,
    arranged: Layout,
    base: Path,
    table: IdentityTable,
    leftovers: Leftovers,
    strangers: Counter[str],
) -> Iterator[Item]:
    shared: dict[tuple, dict[str, str]] = {}
    for root, only in sources.roots():
        prefix = _prefix(root.absolute(), base)
        for parts, kind in media_files(root, leftovers):
            place = arranged.place(parts, table.identities)
            if place is None:
                strangers["/".join(parts[:-1])] += 1
                continue
            identity = table.identities.get(place[0], place[0])
            columns = {**_columns(table, identity), **place[1]}
            columns = shared.setdefault((*columns, *columns.values()), columns)
            path = prefix + "/".join(parts)
            for modality in _modalities(kind, only, sources.video):
                id_ = path if kind != VIDEO or sources.video != "both" or only else f"{path}:{modality}"
                yield Item(id=id_, path=path, modality=modality, identity=identity, columns=columns)


def _prefix(root: Path, base: Path) -> str:
    """What stands before the names in a folder so that they are found from another one."""
    if root == base:
        return ""
    return f"{root.relative_to(base).as_posix() if root.is_relative_to(base) else root.as_posix()}/"


def _columns(table: IdentityTable, identity: str) -> dict[str, str]:
    said = table.columns.get(identity, {})
    return {name: said[name] for name in ("gender", "nationality", "age") if name in said}


def _modalities(kind: str, only: str, video: str) -> Sequence[str]:
    if only:
        return (only,)
    if kind == VIDEO:
        return {"both": MODALITIES, "skip": ()}.get(video, (video,))
    return ({AUDIO: "voice", PHOTO: "face"}[kind],)


def _counted(found: Iterator[Item], progress: Progress) -> list[Item]:
    items = []
    for item in found:
        items.append(item)
        if len(items) % _PROGRESS_STEP == 0:
            progress("media files", len(items), len(items))
    return items


def _all_splits(
    sources: CorpusSources, items: Sequence[Item], table: IdentityTable, said: Mapping[str, str]
) -> dict[str, str]:
    """Identity -> split: by the name of a table, by its column, else by chance, where that was asked for."""
    splits = {}
    for identity in {item.identity for item in items}:
        columns = table.columns.get(identity, {})
        column = columns.get("set") or columns.get("split") or ""
        if split := said.get(identity) or _SETS.get(column.lower(), column):
            splits[identity] = split
    left = [identity for identity in {item.identity for item in items} if identity not in splits]
    if sources.test_share or sources.val_share:
        splits.update(draw_splits(left, sources.test_share, sources.val_share, sources.seed))
    return splits


def _with_splits(items: Sequence[Item], splits: Mapping[str, str]) -> list[Item]:
    if not splits:
        return list(items)
    shared: dict[tuple[int, str], dict[str, str]] = {}

    def columns(item: Item) -> dict[str, str]:
        split = splits.get(item.identity, "")
        return shared.setdefault((id(item.columns), split), {**item.columns, "split": split})

    return [
        Item(id=item.id, path=item.path, modality=item.modality, identity=item.identity, columns=columns(item))
        for item in items
    ]
