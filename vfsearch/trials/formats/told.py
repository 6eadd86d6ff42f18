"""What the lines of a list say of whose its items are."""

from collections.abc import Sequence

from vfsearch.trials.formats.lines import LineBlock


class Told:
    """Names -> identities, learnt line by line."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def get(self, name: str) -> str | None:
        """Whose an item is; None for one of which no line that was read says it."""
        return self._known.get(name)

    def learn(self, lines: LineBlock, names: Sequence[str], identities: Sequence[str]) -> None:
        """Take in what some lines say.

        Args:
            lines: the lines, for messages.
            names, identities: one a line; an empty identity says nothing.
        Raises:
            TrialListError: a line says otherwise than one before.
        """
        known = self._known
        # Most lines are about items that came before, and this comparison is the quickest way to see it.
        if list(map(known.get, names)) == identities:
            return
        for place, (name, identity) in enumerate(zip(names, identities, strict=True)):
            if identity and known.setdefault(name, identity) != identity:
                raise lines.bad(place, f"the identity {known[name][:50]!r} for {name[:100]!r}, as in a line before")
