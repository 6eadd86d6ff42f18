"""Every measure by its name."""

from collections.abc import Iterable

from vfsearch.errors import UnknownNameError
from vfsearch.measure.kind import IDENTIFICATION, MATCHING, RANKING, VERIFICATION, Kind, Measure
from vfsearch.measure.ranking_kinds import IDENTIFICATION_KINDS, MATCHING_KINDS, RANKING_KINDS
from vfsearch.measure.verification_kinds import VERIFICATION_KINDS

KINDS: tuple[Kind, ...] = (*MATCHING_KINDS, *VERIFICATION_KINDS, *RANKING_KINDS, *IDENTIFICATION_KINDS)
USUAL = {
    MATCHING: ("accuracy",),
    VERIFICATION: ("AUC", "EER"),
    RANKING: ("mAP", "R@1", "R@10"),
    IDENTIFICATION: ("DIR@FPIR=0.01", "DIR@FPIR=0.1", "FNIR@FPIR=0.1", "mated-rank-1"),
}
"""Measures that are shown when none are asked for."""


def parse_measure(text: str, family: str | None = None) -> Measure:
    """The measure of a name, in upper or lower case.

    Args:
        text: for example "R@10" or "TAR@FAR=0.001".
        family: where it must belong; None: anywhere.
    Raises:
        UnknownNameError: no measure is named so.
        SettingsError: its number is out of range.
    Example:
        >>> print(parse_measure("r@10"))
        R@10
    """
    for kind in KINDS:
        if family in (None, kind.family) and (found := kind.parse(text.strip())):
            return found
    known = ", ".join(kind.template.format("K" if kind.parameter == "count" else "X") for kind in of_family(family))
    raise UnknownNameError(f"no {family or ''} measure is named {text!r}; known: {known}".replace("  ", " "))


def of_family(family: str | None) -> list[Kind]:
    """The kinds of a family; None: of all."""
    return [kind for kind in KINDS if family in (None, kind.family)]


def chosen(names: Iterable[str], family: str) -> list[Measure]:
    """The measures of a family among some names; where there are none, the usual ones.

    Raises:
        UnknownNameError: a name is that of no measure at all.
    """
    found = [measure for measure in map(parse_measure, names) if measure.kind.family == family]
    return found or [parse_measure(name, family) for name in USUAL[family]]
