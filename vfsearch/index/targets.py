"""What a search must reach, as a text: `R@10>=0.95`, `mAP>=0.99*exact`."""

import re
from dataclasses import dataclass

from vfsearch.errors import SettingsError

RECALL, MEAN_PRECISION, ACCURACY = "R", "mAP", "acc"
USUAL_K = 10
MOST_K = 10_000
_FORM = re.compile(r"\s*(r|map|acc)(?:@(\d+))?\s*>=\s*([0-9.]+)\s*(?:([*×x])\s*exact)?\s*", re.IGNORECASE)
_NAMES = {name.lower(): name for name in (RECALL, MEAN_PRECISION, ACCURACY)}


@dataclass(frozen=True, kw_only=True)
class Target:
    """A share of what the exact neighbours are, or give, that a search must reach.

    Args:
        measure: "R": of the k exact neighbours, the share found; "mAP": mean average precision of the list of k
            neighbours; "acc": the share of probes with their identity among the k.
        k: length of the list.
        least: the share, above 0 and at most 1. Of "mAP" and "acc" it is the quotient of the figure of the list and
            that of the exact list.
    Raises:
        SettingsError: one is out of its range.

    Example:
        >>> print(Target(measure="R", k=10, least=0.95), Target(measure="mAP", k=10, least=0.99))
        R@10>=0.95 mAP@10>=0.99*exact
    """

    measure: str
    k: int
    least: float

    def __post_init__(self) -> None:
        if self.measure not in _NAMES.values():
            raise SettingsError(f"a target is of {', '.join(_NAMES.values())}, not of {self.measure!r}")
        if not 1 <= self.k <= MOST_K:
            raise SettingsError(f"the target {self} looks at {self.k} neighbours, it must be 1 to {MOST_K:,}")
        if not 0 < self.least <= 1:
            raise SettingsError(f"the target {self} wants the share {self.least}, it must be above 0 and at most 1")

    @property
    def name(self) -> str:
        """What is measured, for example "R@10"."""
        return f"{self.measure}@{self.k}"

    def __str__(self) -> str:
        return f"{self.name}>={self.least:g}{'' if self.measure == RECALL else '*exact'}"


def parse_target(text: str) -> Target:
    """The target that a text says; without a number of neighbours it looks at 10.

    Raises:
        SettingsError: it says none.

    Example:
        >>> parse_target("R@10 >= 0.95").least, parse_target("mAP>=0.99*exact").name, parse_target("acc@1>=1*exact").k
        (0.95, 'mAP@10', 1)
    """
    found = _FORM.fullmatch(text)
    if not found:
        raise SettingsError(
            f"the target is {text!r}; wanted R@K>=X (recall of the exact neighbours), or a figure of the end task "
            "against the exact one: mAP@K>=X*exact, acc@K>=X*exact; for example R@10>=0.95"
        )
    measure = _NAMES[found[1].lower()]
    if measure == RECALL and found[2] is None:
        raise SettingsError(f"the target {text!r} does not say of how many neighbours: for example R@10>=0.95")
    if (measure == RECALL) == (found[4] is not None):
        better = {RECALL: "R@10>=0.95; for the identity among the first K: acc@K>=X*exact"}
        raise SettingsError(f"the target is {text!r}, wanted {better.get(measure, f'{measure}@K>=X*exact')}")
    return Target(measure=measure, k=int(found[2] or USUAL_K), least=_number(found[3], text))


def _number(digits: str, text: str) -> float:
    try:
        return float(digits)
    except ValueError:
        raise SettingsError(f"the target {text!r} has no number after >=: for example R@10>=0.95") from None
