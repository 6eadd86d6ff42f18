"""Whose the named items are, and what is known of these people."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, eq=False)
class IdentityTable:
    """Names of items or of their folders -> identities, and what is known of each identity.

    Args:
        identities: name -> identity. A name is an item's own, or its first path part (the folder of a person).
        columns: identity -> column -> text (gender, nationality, ...), names of columns in lower case.
        sources: item name -> what it was taken from (a video), where known.
        where: what to call the table in messages.
    """

    identities: Mapping[str, str]
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    where: str = "the identity table"

    def identity(self, name: str) -> str | None:
        """Whose an item is: by its name, else by its first path part; None for one that is not in the table.

        Example:
            >>> table = IdentityTable(identities={"id10117": "CCH_Pounder"})
            >>> table.identity("id10117/59-3D0HIDAc/00001.wav"), table.identity("id9/1.wav")
            ('CCH_Pounder', None)
        """
        found = self.identities.get(name)
        return self.identities.get(name.partition("/")[0]) if found is None else found

    def value(self, identity: str, column: str) -> str:
        """What a column says of an identity, "" where it says nothing."""
        return self.columns.get(identity, {}).get(column, "")
