"""What a measure is: a name that prints and parses back, a formula, a source, a direction."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from vfsearch.errors import SettingsError
from vfsearch.registry import load_target

VERIFICATION, MATCHING, RANKING, IDENTIFICATION = "verification", "matching", "ranking", "identification"
FAMILIES = (VERIFICATION, MATCHING, RANKING, IDENTIFICATION)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A measure, or measures that differ in one number, as R@1 and R@10 do.

    Args:
        template: the name, with {} where the number stands.
        family: what it is computed from, one of `FAMILIES`.
        title: in words.
        formula: as plain text.
        source: who defines it.
        target: "module:function" of the figure: it takes what the family measures, then the number if there is one.
        higher_is_better: its direction.
        parameter: "" for none, "count" (a whole number from 1), "rate" (a fraction between 0 and 1, both excluded) or
            "score" (any number).
        percent: shown in percent; else as it is.
        most: the largest value there is; that of percentages is 1 and the least of all is 0.
        aggregate: of a value a trial or a probe, what is shown: the "mean", misses counting 0, or the "median",
            misses counting as infinite (a rank).
    """

    template: str
    family: str
    title: str
    formula: str
    source: str
    target: str
    higher_is_better: bool = True
    parameter: str = ""
    percent: bool = True
    most: float = math.inf
    aggregate: str = "mean"

    def __post_init__(self) -> None:
        if self.family not in FAMILIES or ("{}" in self.template) != bool(self.parameter):
            raise SettingsError(f"the measure {self.template!r} has no family, or a number without a place in its name")
        if self.aggregate not in ("mean", "median"):
            raise SettingsError(f"the measure {self.template!r} is aggregated by {self.aggregate!r}: mean or median")

    @property
    def limits(self) -> tuple[float, float]:
        """The least and the largest value."""
        return (0.0, 1.0 if self.percent else self.most)

    def parse(self, text: str) -> "Measure | None":
        """The measure of a name; None for a name of another kind.

        Raises:
            SettingsError: the number is out of range.
        """
        before, _, after = self.template.partition("{}")
        found = re.fullmatch(f"{re.escape(before)}(?P<number>.*?){re.escape(after)}", text, re.IGNORECASE)
        if found is None or (not self.parameter and found["number"]):
            return None
        return Measure(kind=self, parameter=self._number(found["number"], text) if self.parameter else None)

    def _number(self, text: str, name: str) -> float | int:
        wanted = {"count": "a whole number from 1", "rate": "a fraction between 0 and 1", "score": "a number"}
        try:
            number = int(text) if self.parameter == "count" else float(text)
        except ValueError:
            number = float("nan")
        good = {"count": number >= 1, "rate": 0.0 < number < 1.0, "score": abs(number) < float("inf")}
        if not good[self.parameter]:
            raise SettingsError(f"the measure {name!r}: wanted {self.template.format(wanted[self.parameter])!r}")
        return number


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One measure; a value that can be a key.

    Args:
        kind: what it is.
        parameter: its number, None where it has none.
    """

    kind: Kind
    parameter: float | int | None = None

    def __str__(self) -> str:
        return self.kind.template if self.parameter is None else self.kind.template.format(f"{self.parameter:.10g}")

    @property
    def name(self) -> str:
        """As it prints and parses back, for example "R@10"."""
        return str(self)

    def figure(self) -> Callable:
        """The function that computes it, its number filled in."""
        function = load_target(self.kind.target, "measure")
        return function if self.parameter is None else lambda measured: function(measured, self.parameter)
