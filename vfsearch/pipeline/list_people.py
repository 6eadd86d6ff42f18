"""Whose the items of lists are: from tables, from the store, from the list, else from what its labels say."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vfsearch.data.identity_table import IdentityTable
from vfsearch.data.trial_list import TrialList
from vfsearch.errors import TrialListError
from vfsearch.protocol.listed_people import Identity, People
from vfsearch.trials.formats.cmpc import with_voxceleb_names
from vfsearch.trials.formats.field_format import NAMELESS
from vfsearch.trials.formats.own import Own
from vfsearch.trials.identities import identities_by_labels, read_identities

BY_LABELS = "the labels (people joined by mated trials)"
BY_TRIAL = "nothing: trials without names stand for themselves, and the intervals are too narrow"


@dataclass(frozen=True, kw_only=True, eq=False)
class Sources:
    """What may tell whose an item is, beside the list itself.

    Args:
        table: of the files that were named.
        store: what the store of the vectors tells.
    """

    table: IdentityTable | None = None
    store: Identity | None = None


def identity_sources(paths: Sequence[Path], store: Identity | None = None) -> Sources:
    """The sources that were named.

    Args:
        paths: tables.
        store: what the store of the vectors tells.
    Raises:
        InputError: a table cannot be read.
    """
    return Sources(table=read_identities(paths) if paths else None, store=store)


def with_table(trials: TrialList, sources: Sources) -> TrialList:
    """A list in the names that media have, where its own differ and a table of both names of people tells them."""
    return trials if sources.table is None else with_voxceleb_names(trials, sources.table)


@dataclass(frozen=True, kw_only=True, eq=False)
class Told:
    """Whose the items of one list are, and who says so.

    Args:
        people: the identities.
        identity: name -> identity, as `people` were told.
        source: who says so, in words.
        unknown: names of which nothing is known; each counts as somebody of its own.
    """

    people: People
    identity: Callable[[str], str | None]
    source: str
    unknown: Sequence[str] = ()


def told(trials: TrialList, sources: Sources) -> Told:
    """Whose the items of a list are, once it was read to its end.

    One source tells all, for sources may call one person differently: the table that was named, if it knows any of
    the names; else whoever knows the most of them, store before list; else the labels.

    Args:
        trials: the list, all its names known.
        sources: what may tell.
    Raises:
        TrialListError: nothing tells, and the list has no labels.
    """
    texts = trials.names.texts
    asked = _asked(trials, sources)
    known = {source: sum(identity(text) is not None for text in texts) for source, identity in asked.items()}
    source = max(known, key=known.__getitem__, default="")
    if sources.table is not None and known[sources.table.where]:
        source = sources.table.where
    if not known.get(source):
        identity, unknown = _by_labels(trials, list(asked)), ()
        source = BY_TRIAL if trials.about.get(NAMELESS) else BY_LABELS
    else:
        identity, unknown = asked[source], ()
        if known[source] < len(texts) and trials.labelled:
            identity, source = _completed(trials, identity), f"{source}, else {BY_LABELS}"
        elif known[source] < len(texts):
            unknown = [text for text in texts if identity(text) is None]
    people = People(trials.names, identity, trials.where)
    return Told(people=people, identity=identity, source=source, unknown=unknown)


def _completed(trials: TrialList, identity: Identity) -> Identity:
    """What a source tells, and of the other names whom the labels join them with."""
    joined = identities_by_labels(trials.blocks(), trials.names)
    known = {joined(text): owner for text in trials.names.texts if (owner := identity(text)) is not None}

    def told_or_joined(name: str) -> str | None:
        found = identity(name)
        return known.get(joined(name), joined(name)) if found is None else found

    return told_or_joined


def _asked(trials: TrialList, sources: Sources) -> dict[str, Identity]:
    asked = {}
    if sources.table is not None:
        asked[sources.table.where] = sources.table.identity
    if sources.store is not None:
        asked["the store"] = sources.store
    if trials.identities is not None:
        # Our own files keep what the list before them said; their identities are in them.
        beside = "" if trials.format == Own.name else ", ".join(trials.about.get("identities", ()))
        asked[f"{beside} beside the list" if beside else "the list"] = trials.identities
    return asked


def _by_labels(trials: TrialList, asked: Sequence[str]) -> Identity:
    if not trials.labelled:
        silent = f" ({', '.join(asked)}: not one of its names)" if asked else ""
        raise TrialListError(
            f"{trials.where} does not say what is mated, and whose its items are is not known{silent}; give a table "
            "with --identities"
        )
    return identities_by_labels(trials.blocks(), trials.names)
