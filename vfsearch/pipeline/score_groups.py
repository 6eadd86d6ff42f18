"""Figures by group of people, from the columns of a table of identities."""

from collections.abc import Sequence
from dataclasses import dataclass

from vfsearch.data.identity_table import IdentityTable
from vfsearch.errors import SettingsError
from vfsearch.measure import kind as families
from vfsearch.measure.catalog import chosen
from vfsearch.measure.resampling import Resampling
from vfsearch.protocol.groups import told_apart
from vfsearch.protocol.listed_figures import Scored
from vfsearch.protocol.listed_people import People
from vfsearch.protocol.listed_ranking import ListedRanking
from vfsearch.protocol.listed_trials import ListedMatching


@dataclass(frozen=True, kw_only=True, eq=False)
class Groups:
    """Which groups are told apart.

    Args:
        table: whose columns tell; None: no table was named.
        columns: names, in lower case; none: no group is told apart.
    Raises:
        SettingsError: there are columns and no table.
    """

    table: IdentityTable | None
    columns: Sequence[str] = ()

    def __post_init__(self) -> None:
        if self.columns and self.table is None:
            raise SettingsError(f"--by {self.columns[0]} needs a table that has it: name one with --identities")

    def of(self, answers: Scored, people: People, measures: Sequence[str], resampling: Resampling) -> dict[str, tuple]:
        """The figures of each group and the differences between groups, for a Measurement; nothing without columns.

        Raises:
            SettingsError: the table has no such column for any of the people.
        """
        if not self.columns:
            return {}
        trials, family = _measured(answers)
        columns = {column: self._values(column, people) for column in self.columns}
        return told_apart(trials, columns, chosen(measures, family), resampling)

    def _values(self, column: str, people: People) -> dict[str, str]:
        found = {identity: self.table.value(identity, column) for identity in people.identities}
        if not any(found.values()):
            known = sorted({name for columns in self.table.columns.values() for name in columns})
            raise SettingsError(
                f"{self.table.where} says nothing of the {column} of the people of {people.where}; its columns are "
                f"{', '.join(known) or 'none'}"
            )
        return found


def _measured(answers: Scored) -> tuple[object, str]:
    """What is sliced, and of which family its measures are."""
    if isinstance(answers, ListedRanking):
        return answers.ranking, families.RANKING
    return answers, families.MATCHING if isinstance(answers, ListedMatching) else families.VERIFICATION
