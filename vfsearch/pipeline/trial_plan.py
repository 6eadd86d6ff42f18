"""The lists of trials that are to be made from a manifest: drawn, counted and named, not yet written."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from vfsearch.data.manifest import Item, Manifest
from vfsearch.data.trial_list import MATCHING, RETRIEVAL, VERIFICATION, TrialList
from vfsearch.errors import ManifestError, SettingsError
from vfsearch.pipeline.workspace import Workspace, chosen_split
from vfsearch.trials.constraints import (
    LETTERS,
    UNRESTRICTED,
    Group,
    ambiguous_identities,
    group_labels,
    group_stream,
    require_columns,
    source_labels,
)
from vfsearch.trials.formats.base import Format
from vfsearch.trials.formats.catalog import load_format
from vfsearch.trials.listing import ListedItems
from vfsearch.trials.make import MatchingDraw
from vfsearch.trials.pool import Labels, Pool
from vfsearch.trials.settings import PROTOCOLS, TrialsSettings
from vfsearch.trials.voxceleb_table import voxceleb_table

PAPER = "wen2021"
_STEMS = {MATCHING: "match", VERIFICATION: "verify", RETRIEVAL: "retrieval"}
_PAPER_STEMS = {**_STEMS, RETRIEVAL: "reterival"}
"""The paper's programs tell the kind of a list by how its file's name begins, and spell this one so."""


@dataclass(frozen=True, kw_only=True)
class MadeList:
    """One list.

    Args:
        name: of its file, without suffix.
        protocol: "matching", "verification" or "retrieval".
        group: name of its constraint group.
        candidates: N of 1:N matching, else None.
        trials: how many; pairs for retrieval.
        probes: that ask something.
        identities: of these probes.
        left_out: probes that ask nothing: reason -> how many.
        gallery_left_out: gallery items that are in no trial, because their group or source is not known.
        files: paths of its files; one, but for formats that need several.
    """

    name: str
    protocol: str
    group: str
    candidates: int | None
    trials: int
    probes: int
    identities: int
    left_out: Mapping[str, int]
    gallery_left_out: int
    files: tuple[Path, ...] = ()

    def to_json(self) -> dict:
        """The list as JSON."""
        return {**asdict(self), "files": [str(path) for path in self.files]}


class TrialPlan:
    """The lists of one call, each ready to be written.

    Args:
        workspace: with a manifest.
        settings: what to make.
        folder: for the files.
    Attributes:
        split: whose items they are of; "all".
        lists: what each is, and its trials.
        warnings: what to look at.
        table_path: of the identity table that the paper's lists go with, None where there is none.
    Raises:
        SettingsError, ManifestError: as `make_trials`.
    """

    def __init__(self, workspace: Workspace, settings: TrialsSettings, folder: Path) -> None:
        self.settings, self.folder = settings, folder
        self.format = load_format(settings.format)
        self.protocols = _held(settings, self.format)
        manifest = workspace.read_manifest()
        split = chosen_split(manifest.splits(), settings.split, "test", manifest.where)
        self.split = "all" if split is None else split
        self.manifest = manifest.select(split=split)
        self.provenance = manifest.digest()
        self.items = ListedItems(
            *(_side(self.manifest, side, self.split) for side in (settings.probe, settings.gallery))
        )
        self.lists: list[tuple[MadeList, TrialList]] = []
        self.warnings: list[str] = []
        self._add_all()
        self.table_path, self._table = self._identity_table()

    def files(self) -> dict[Path, Callable[[], Iterable[bytes]]]:
        """Path -> a function that gives the file's content, piece by piece.

        Raises:
            SettingsError: two lists have one name.
        """
        found: dict[Path, Callable[[], Iterable[bytes]]] = {}
        for made, trials in self.lists:
            for path in made.files:
                if path in found:
                    groups = ", ".join(self.settings.groups)
                    raise SettingsError(f"two of the groups {groups} have lists named {path.name}; make them apart")
                found[path] = lambda name=made.name, file=path.name, trials=trials: self.format.files(trials, name)[
                    file
                ]
        if self.table_path is not None:
            found[self.table_path] = lambda: (self._table,)
        return found

    def _add_all(self) -> None:
        for group in self.settings.parsed_groups():
            if {MATCHING, VERIFICATION} & set(self.protocols):
                self._add_group(group)
        if RETRIEVAL in self.protocols:
            self._add_retrieval()

    def _add_group(self, group: Group) -> None:
        settings, items = self.settings, self.items
        if group.columns:
            both = (*items.probes, *items.gallery)
            require_columns(group.columns, f"the group {group.name}", _columns(both), self.manifest.where)
            self._warn_of_ambiguous(group, both)
        labels = group_labels(group, _columns(items.probes), _columns(items.gallery), settings.age_years)
        pool = Pool(items.sides, labels, self._sources())
        if MATCHING in self.protocols:
            for candidates in settings.candidates():
                self._add_drawn(group, MATCHING, self._drawn(group, pool, candidates))
        if VERIFICATION in self.protocols:
            self._add_drawn(group, VERIFICATION, self._drawn(group, pool, 2))

    def _sources(self) -> Labels | None:
        if self.settings.same_source == "allow":
            return None
        column, items = self.settings.source, self.items
        both = (*items.probes, *items.gallery)
        require_columns((column,), "the exclusion of same sources", _columns(both), self.manifest.where)
        return source_labels(column, _columns(items.probes), _columns(items.gallery))

    def _drawn(self, group: Group, pool: Pool, candidates: int) -> MatchingDraw:
        settings = self.settings
        try:
            drawn = MatchingDraw(
                pool=pool, candidates=candidates, seed=settings.seed, galleries=settings.galleries,
                stream=group_stream(group, settings.probe, settings.gallery), small_groups=settings.small_groups,
            )  # fmt: skip
        except SettingsError as error:
            raise SettingsError(f"group {group.name}: {error} (--leave-out-small-groups)") from error
        if not len(drawn):
            raise ManifestError(
                f"{self.manifest.where}, split {self.split}: a 1:{candidates} list of the group {group.name} would be "
                f"empty: {_told(_left_out(drawn)) or 'there is no probe'}"
            )
        return drawn

    def _add_drawn(self, group: Group, protocol: str, drawn: MatchingDraw) -> None:
        candidates = drawn.candidates if protocol == MATCHING else None
        probes = self.items.sides.probes[drawn.probes]
        made = MadeList(
            name=self._name(protocol, group, candidates), protocol=protocol, group=group.name, candidates=candidates,
            trials=len(drawn), probes=len(probes), identities=len(np.unique(probes)), left_out=_left_out(drawn),
            gallery_left_out=drawn.pool.gallery_left_out(),
        )  # fmt: skip
        where, about = str(self.folder / made.name), self._about(made, group)
        if protocol == MATCHING:
            self._add(made, self.items.matching(drawn, where, about))
        else:
            self._add(made, self.items.verification(drawn, self.settings.seed, drawn.stream, where, about))

    def _add_retrieval(self) -> None:
        group, sides = Group(name=UNRESTRICTED, columns=()), self.items.sides
        made = MadeList(
            name=self._name(RETRIEVAL, group, None), protocol=RETRIEVAL, group=group.name, candidates=None,
            trials=len(sides.probes) * len(sides.gallery) - int((sides.itself >= 0).sum()), probes=len(sides.probes),
            identities=len(np.unique(sides.probes)), left_out={}, gallery_left_out=0,
        )  # fmt: skip
        self._add(made, self.items.retrieval(str(self.folder / made.name), self._about(made, group)))
        lonely = int((Pool(sides).mates == 0).sum())
        if lonely:
            self.warnings.append(f"{made.name} holds {lonely} probes without a mate in the gallery, who ask nothing")
        if self.settings.same_source == "exclude":
            self.warnings.append(f"{made.name} compares every probe with every item, those of its own source too")

    def _add(self, made: MadeList, trials: TrialList) -> None:
        self.format.require_holds(trials)
        files = tuple(self.folder / name for name in self.format.files(trials, made.name))
        self.lists.append((replace(made, files=files), trials))

    def _name(self, protocol: str, group: Group, candidates: int | None) -> str:
        stem = (_PAPER_STEMS if self.settings.format == PAPER else _STEMS)[protocol]
        number = "" if candidates is None else str(candidates)
        parts = [stem, _spelled(group), self.settings.direction, number, self.split]
        return "_".join(_plain(part) for part in parts if part)

    def _about(self, made: MadeList, group: Group) -> dict:
        """What a list says of itself: all that it takes to make it again, and whom it leaves out."""
        settings = self.settings
        about = {"made_by": "vfsearch trials make", "manifest": self.provenance, "probe": settings.probe,
                 "gallery": settings.gallery, "split": self.split}  # fmt: skip
        if made.protocol == RETRIEVAL:
            return about
        drawn = {"group": group.name, "columns": list(group.columns), "galleries": settings.galleries,
                 "seed": settings.seed, "same_source": settings.same_source,
                 "left_out": dict(made.left_out), "gallery_left_out": made.gallery_left_out}  # fmt: skip
        ages = {"age_years": settings.age_years} if "age" in group.columns else {}
        source = {"source": settings.source} if settings.same_source == "exclude" else {}
        return {**about, **drawn, **ages, **source}

    def _warn_of_ambiguous(self, group: Group, items: tuple) -> None:
        for column, people in ambiguous_identities(group, items, self.settings.age_years).items():
            shown = ", ".join(people[:3]) + (f" and {len(people) - 3} more" if len(people) > 3 else "")
            self.warnings.append(
                f"items of one identity differ in {column}: {shown}; each item counts as it says itself"
            )

    def _identity_table(self) -> tuple[Path | None, bytes]:
        if self.settings.format != PAPER:
            return None, b""
        table = voxceleb_table(self.manifest.items)
        if table is None:
            self.warnings.append(
                "the paper's programs tell whose an item is by the first part of its path, and here these parts do not "
                "tell people apart: no identity table is written; score with `--identities` and the manifest"
            )
            return None, b""
        return self.folder / f"vox1_{_plain(self.split)}.csv", table


def _held(settings: TrialsSettings, format_: Format) -> list[str]:
    """The protocols to make: those asked for, else all that the format can hold."""
    held = [name for name in PROTOCOLS if name in format_.kinds]
    wrong = [name for name in settings.protocols if name not in held]
    if wrong or not held:
        raise SettingsError(
            f"the format {format_.name} cannot hold {', '.join(wrong) or 'what is made here'}; it can hold "
            f"{', '.join(format_.kinds)}"
        )
    return [name for name in held if name in (settings.protocols or held)]


def _side(manifest: Manifest, modality: str, split: str) -> Manifest:
    side = manifest.select(modality)
    if not len(side):
        raise ManifestError(f"{manifest.where} has no {modality} items with split={split}; name another with --split")
    return side


def _left_out(drawn: MatchingDraw) -> dict[str, int]:
    small = len(drawn.pool.too_small(drawn.candidates - 1))
    return {**drawn.pool.without_mate(), **({"group too small": small} if small else {})}


def _told(left_out: Mapping[str, int]) -> str:
    return "; ".join(f"{reason}: {count} probes" for reason, count in left_out.items())


def _plain(text: str) -> str:
    """A text as a part of a file name."""
    return re.sub(r"[^\w.+-]", "-", text)


def _spelled(group: Group) -> str:
    """The group in a file's name: nothing for U, letters in lower case, columns as they are."""
    if not group.columns:
        return ""
    return group.name.lower() if set(group.columns) <= set(LETTERS.values()) else group.name


def _columns(items: Iterable[Item]) -> list[Mapping[str, str]]:
    return [item.columns for item in items]
