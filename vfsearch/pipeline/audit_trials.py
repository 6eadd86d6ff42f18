"""`vfsearch trials audit`: what is wrong with lists of trials, and lists without it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vfsearch.data.findings import AuditReport
from vfsearch.data.identity_table import IdentityTable
from vfsearch.data.manifest import Manifest, read_manifest
from vfsearch.data.trial_list import TrialList
from vfsearch.errors import SettingsError
from vfsearch.files import is_there, make_folder, write_pieces
from vfsearch.pipeline.model import open_model
from vfsearch.progress import Progress, silent
from vfsearch.trials.audit.clean import clean
from vfsearch.trials.audit.knowledge import EXAMPLES, Knowledge, Training
from vfsearch.trials.audit.run import audit
from vfsearch.trials.constraints import parse_group
from vfsearch.trials.formats.catalog import load_format, open_trials
from vfsearch.trials.formats.lines import line_blocks
from vfsearch.trials.formats.tables_beside import cmpc_tables, paper_tables
from vfsearch.trials.identities import read_identities


@dataclass(frozen=True, kw_only=True)
class AuditSettings:
    """What to audit lists against.

    Args:
        identities: tables of whose the items are and what is known of these people; none: those that lie beside a
            list in the layouts of the paper and of CMPC.
        manifest: of the items that there are; it tells identities, columns and sources too.
        group: what the lists promise of negatives, as `vfsearch trials make --group` takes it.
        train_identities: a table, or a text with one identity a line (and perhaps an item after it).
        model: folder of a model whose training identities count too.
        format: of the lists; None: recognised.
        examples: most of them a finding.
    """

    identities: tuple[Path, ...] = ()
    manifest: Path | None = None
    group: str = "U"
    train_identities: Path | None = None
    model: Path | None = None
    format: str | None = None
    examples: int = EXAMPLES

    def __post_init__(self) -> None:
        parse_group(self.group)
        if self.examples < 0:
            raise SettingsError(f"the number of examples is {self.examples}, it must be 0 or more")


@dataclass(frozen=True, kw_only=True)
class CleanSettings:
    """A list without offenders.

    Args:
        path: of the file; for several lists, or where it is a folder, of the folder in which each keeps its name.
        without: names of the findings whose trials are left out; None: errors and duplicates.
        overwrite: replace files that are there.
    """

    path: Path
    without: tuple[str, ...] | None = None
    overwrite: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Audited:
    """One list that was audited.

    Args:
        report: what was found.
        clean: the file without offenders, None if none was asked for.
    """

    report: AuditReport
    clean: Path | None = None

    def to_json(self) -> dict:
        """The report as JSON, with the file."""
        return {**self.report.to_json(), "clean": None if self.clean is None else str(self.clean)}


def audit_trials(
    files: Sequence[Path],
    settings: AuditSettings,
    cleaned: CleanSettings | None = None,
    progress: Progress = silent,
) -> list[Audited]:
    """Audit lists of trials, and write them without offenders if asked to.

    Args:
        files: the lists.
        settings: what to audit them against.
        cleaned: where to write them without offenders, in their own format; None: nowhere.
        progress: called with lists done.
    Raises:
        TrialListError: a list or a table is unreadable, or of no known format.
        MismatchError: a file would be replaced.
        UnknownNameError: no such finding, no such format.
    """
    if not files:
        raise SettingsError("an audit needs at least one list")
    places = _places(files, cleaned)
    beside = _Beside.read(settings)
    done = []
    for file in files:
        trials = open_trials(file, settings.format)
        report = audit(trials, beside.knowledge(file, trials), settings.examples)
        if cleaned is not None:
            _write_clean(trials, report, places[file], cleaned)
        done.append(Audited(report=report, clean=places.get(file)))
        progress("lists", len(done), len(files))
    return done


@dataclass(frozen=True, kw_only=True, eq=False)
class _Beside:
    """What was read once for all lists."""

    settings: AuditSettings
    manifest: Manifest | None
    table: IdentityTable | None
    training: Training | None

    @classmethod
    def read(cls, settings: AuditSettings) -> "_Beside":
        return cls(
            settings=settings,
            manifest=None if settings.manifest is None else read_manifest(settings.manifest),
            table=read_identities(settings.identities) if settings.identities else None,
            training=training_of(settings.train_identities, settings.model),
        )

    def knowledge(self, file: Path, trials: TrialList) -> Knowledge:
        """What is known of one list."""
        table = self.table or _table_beside(file, trials)
        items = self.manifest
        return Knowledge(
            table=table if items is None else with_manifest(table, items),
            present=None if items is None else {name for item in items for name in (item.id, item.path)},
            training=self.training,
            group=parse_group(self.settings.group).columns,
        )


def _table_beside(file: Path, trials: TrialList) -> IdentityTable:
    """The tables that published lists come with: they tell columns too, which a list's own identities do not."""
    finders = {"wen2021": paper_tables, "cmpc": cmpc_tables}
    tables = finders.get(trials.format.partition("-")[0], lambda _: [])(file)
    return read_identities(tables) if tables else IdentityTable(identities={}, where="no table")


def with_manifest(table: IdentityTable, manifest: Manifest) -> IdentityTable:
    """A table with what a manifest says beside it: identities and sources of items, and columns of people.

    Where both name a person, the table's name is taken; a column on which the items of one person differ is one of
    items, and left out.
    """
    identities, sources = dict(table.identities), dict(table.sources)
    said: dict[str, dict[str, set[str]]] = {}
    for item in manifest:
        identity = table.identities.get(item.identity, item.identity)
        for name in (item.id, item.path):
            identities.setdefault(name, identity)
            if source := item.columns.get("source", ""):
                sources.setdefault(name, source)
        for column, text in item.columns.items():
            said.setdefault(identity, {}).setdefault(column.lower(), set()).add(text)
    agreed = {
        identity: {column: next(iter(texts)) for column, texts in columns.items() if len(texts) == 1}
        for identity, columns in said.items()
    }
    columns = {name: {**agreed.get(name, {}), **table.columns.get(name, {})} for name in {*agreed, *table.columns}}
    return IdentityTable(
        identities=identities, columns=columns, sources=sources, where=f"{table.where}, {manifest.where}"
    )  # fmt: skip


def training_of(table: Path | None, model: Path | None) -> Training | None:
    """What a model was trained on, from a file, from the model itself, or both.

    Raises:
        SettingsError: the model does not know the names of its identities.
        TrialListError: the file cannot be read.
    """
    if table is None and model is None:
        return None
    identities: set[str] = set()
    items: set[str] = set()
    if table is not None:
        identities, items = _listed_training(table)
    if model is not None:
        identities |= _trained_on(model)
    where = " and ".join(str(each) for each in (table, model) if each is not None)
    return Training(identities=identities, items=items, where=where)


def _listed_training(path: Path) -> tuple[set[str], set[str]]:
    """Identities (under every name that the file gives them) and items."""
    words = [line.split() for block in line_blocks(path) for line in block.lines]
    if words and all(len(row) == 1 for row in words) and not any("," in row[0] for row in words):
        return {row[0] for row in words}, set()
    table = read_identities([path])
    return {*table.identities, *table.identities.values()}, set(table.identities)


def _trained_on(folder: Path) -> set[str]:
    model = open_model(folder)
    if not model.names_identities:
        raise SettingsError(
            f"the model {folder} was imported and does not know the names of the identities that it was trained on; "
            "name them with --train-identities"
        )
    return {row.identity for row in model.identity_table()}


def _places(files: Sequence[Path], cleaned: CleanSettings | None) -> dict[Path, Path]:
    """List -> file to write without offenders, checked before anything is read."""
    if cleaned is None:
        return {}
    is_folder = len(files) > 1 or cleaned.path.is_dir()
    places = {file: cleaned.path / file.name.removesuffix(".gz") if is_folder else cleaned.path for file in files}
    if len(set(places.values())) < len(places):
        raise SettingsError("two lists have one name: write them without offenders one at a time")
    itself = [str(file) for file, place in places.items() if is_there(place) and place.resolve() == file.resolve()]
    if itself:
        raise SettingsError(f"{', '.join(itself)} is the list itself: write the one without offenders elsewhere")
    there = [str(place) for place in places.values() if is_there(place)]
    if there and not cleaned.overwrite:
        raise SettingsError(f"{', '.join(there)} would be replaced: take another place, or give --overwrite")
    make_folder(next(iter(places.values())).parent)
    return places


def _write_clean(trials: TrialList, report: AuditReport, place: Path, cleaned: CleanSettings) -> None:
    kept = clean(trials, report, cleaned.without)
    form = load_format(trials.format)
    form.require_holds(kept)
    write_pieces(place, form.write(kept))
