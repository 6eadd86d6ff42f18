"""Lines of fields parted by blanks, where each field has a role."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vfsearch.trials.formats.lines import LineBlock

PROBE, ITEM, LABEL, SCORE = "probe", "item", "label", "score"
PROBE_IDENTITY, ITEM_IDENTITY = "probe_identity", "item_identity"
KEY = "key"
"""What a trial is called."""
_OWN = {PROBE, ITEM, LABEL, SCORE, PROBE_IDENTITY, ITEM_IDENTITY}


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What the fields of a line are.

    Args:
        roles: of the fields, in their order: those named in this module; "=text" for a field that always says so; any
            other name for a field that travels in `TrialBlock.extra`.
        header: the names of the columns, where the first line gives them.
    """

    roles: tuple[str, ...]
    header: tuple[str, ...] = ()

    def __contains__(self, role: str) -> bool:
        return role in self.roles

    def __len__(self) -> int:
        return len(self.roles)

    @property
    def named(self) -> bool:
        """Whether the lines name the two items."""
        return PROBE in self.roles and ITEM in self.roles

    @property
    def extra(self) -> tuple[str, ...]:
        """The roles that mean nothing to us."""
        return tuple(role for role in self.roles if role not in _OWN and not role.startswith("="))

    def column(self, rows: Sequence[Sequence[str]], role: str) -> list[str]:
        """The fields of one role in some lines."""
        place = self.roles.index(role)
        return [row[place] for row in rows]


def layout(text: str) -> Layout:
    """A layout from the names of its roles.

    Example:
        >>> layout("probe item label").roles
        ('probe', 'item', 'label')
    """
    return Layout(roles=tuple(text.split()))


def is_score(text: str) -> bool:
    """Whether a text is a number other than NaN, spelled as programs of all languages do.

    Example:
        >>> [is_score(text) for text in ("0.12", "-inf", "nan", "1_000", "target")]
        [True, True, False, False, False]
    """
    try:
        return float(text) == float(text) and "_" not in text and text.isascii()
    except ValueError:
        return False


def scores_of(lines: LineBlock, texts: Sequence[str], wanted: str) -> np.ndarray:
    """(n,) float64 of a column of scores.

    Raises:
        TrialListError: naming the first line whose text is no number, or NaN.
    """
    try:
        scores = np.array(list(map(float, texts)), dtype=np.float64)
        joined = "".join(texts)
        bad = np.isnan(scores).any() or "_" in joined or not joined.isascii()
    except ValueError:
        bad = True
    if bad:
        raise lines.bad(next(place for place, text in enumerate(texts) if not is_score(text)), wanted)
    return scores


def numbers_of(lines: LineBlock, texts: Sequence[str], number: Callable[[str], int | None], wanted: str) -> np.ndarray:
    """(n,) int64 of a column of labels.

    Args:
        lines: the lines, for messages.
        texts: one a line.
        number: of a text; None for one that is not a label.
        wanted: for the message.
    Raises:
        TrialListError: naming the first line whose text is not a label.
    """
    known: Mapping[str, int | None] = {text: number(text) for text in set(texts)}
    found = [known[text] for text in texts]
    if None in found:
        raise lines.bad(found.index(None), wanted)
    return np.array(found, dtype=np.int64)
