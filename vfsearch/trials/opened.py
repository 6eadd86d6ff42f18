"""Lists as they are used: read from a file, with identities from tables."""

import dataclasses
from pathlib import Path

from vfsearch.data.identity_table import IdentityTable
from vfsearch.data.trial_list import TrialList
from vfsearch.trials.formats.catalog import open_trials
from vfsearch.trials.formats.cmpc import with_voxceleb_names


def open_with_identities(path: Path, format: str | None, table: IdentityTable | None) -> TrialList:
    """The list in a file; where a table tells an identity it goes before what the list itself tells.

    Args:
        path: of the file.
        format: its name; None: as recognised.
        table: of identities; None: what the list tells.
    Raises:
        TrialListError: it is not of that format, or of none that is known.
    """
    trials = open_trials(path, format)
    return trials if table is None else with_identities(with_voxceleb_names(trials, table), table)


def with_identities(trials: TrialList, table: IdentityTable) -> TrialList:
    """A list of which a table tells the identities; where the table says nothing, the list itself is asked."""
    own = trials.identities

    def tell(name: str) -> str | None:
        found = table.identity(name)
        return own(name) if found is None and own else found

    return dataclasses.replace(trials, identities=tell)
