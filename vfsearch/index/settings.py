"""What an index is built with, and, apart from it, what it is searched with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vfsearch.errors import SettingsError

Number = int | float
Plain = str | int | float | bool | None


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One build setting of a back end.

    Args:
        name: what it is called.
        default: its value where none is given; None: the back end chooses by size and dimension.
        help: one line.
        kind: type of its values.
        low: least value of a number.
        choices: the only values of a text; () for any.
    """

    name: str
    default: Plain
    help: str
    kind: type = int
    low: Number = 0
    choices: tuple[str, ...] = ()

    def checked(self, value: object, where: str) -> Plain:
        """The value, if it can be one.

        Raises:
            SettingsError: it is of another type or out of range.
        """
        if value is None:
            return value
        fits = isinstance(value, (int, float) if self.kind is float else self.kind)
        if not fits or (isinstance(value, bool) and self.kind is not bool):
            raise SettingsError(f"{where}: {self.name} is {value!r}, it must be a {_named(self.kind)}")
        if self.kind in (int, float) and not value >= self.low:
            raise SettingsError(f"{where}: {self.name} is {value}, it must be at least {self.low}")
        if self.choices and value not in self.choices:
            raise SettingsError(f"{where}: {self.name} is {value!r}, it must be one of {', '.join(self.choices)}")
        return value


@dataclass(frozen=True, kw_only=True)
class Knob:
    """One search setting: more of it is slower and finds more.

    Args:
        name: what it is called ("nprobe", "ef", "window", "refine").
        default: where an index starts that was not tuned.
        low, high: its range in this index.
        ladder: values worth trying, ascending, within the range.
        help: one line.
    """

    name: str
    default: int
    low: int
    high: int
    ladder: tuple[int, ...]
    help: str

    def checked(self, value: object, where: str) -> int:
        """The value, if it can be one.

        Raises:
            SettingsError: it is no whole number or out of range.
        """
        if isinstance(value, bool) or not isinstance(value, int) or not self.low <= value <= self.high:
            raise SettingsError(f"{where}: {self.name} is {value!r}, it must be {self.low} to {self.high}")
        return value


@dataclass(frozen=True, kw_only=True)
class BuildSettings:
    """What decides the files of an index, beside its rows.

    Args:
        backend: registered name of the back end.
        parameters: name -> value, of those that the back end has; `completed` checks and fills them.
        seed: of every random choice.

    Example:
        >>> BuildSettings(backend="exact").to_json()
        {'backend': 'exact', 'parameters': {}, 'seed': 1}
    """

    backend: str
    parameters: Mapping[str, Plain] = field(default_factory=dict)
    seed: int = 1

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise SettingsError(f"seed is {self.seed}, it must be at least 0")

    def completed(self, known: Sequence[Parameter]) -> "BuildSettings":
        """These settings with every parameter of the back end.

        Raises:
            SettingsError: a parameter is unknown or out of range.
        """
        names = [each.name for each in known]
        unknown = sorted(set(self.parameters) - set(names))
        if unknown:
            has = ", ".join(names) or "none"
            raise SettingsError(f"the back end {self.backend} has no build setting {unknown[0]!r}; it has: {has}")
        where = f"the back end {self.backend}"
        values = {each.name: each.checked(self.parameters.get(each.name, each.default), where) for each in known}
        return BuildSettings(backend=self.backend, parameters=values, seed=self.seed)

    def to_json(self) -> dict:
        """The settings as JSON."""
        return {"backend": self.backend, "parameters": dict(self.parameters), "seed": self.seed}

    @classmethod
    def from_json(cls, document: Mapping) -> "BuildSettings":
        """The settings that `to_json` gave."""
        return cls(**document)


def _named(kind: type) -> str:
    return {int: "whole number", float: "number", str: "text", bool: "true or false"}[kind]


def checked_search(knobs: Sequence[Knob], wanted: Mapping[str, object], where: str) -> dict[str, int]:
    """A value for each knob: the wanted one, else its default.

    Raises:
        SettingsError: a name is of no knob, or a value is out of range.

    Example:
        >>> nprobe = Knob(name="nprobe", default=8, low=1, high=64, ladder=(1, 8, 64), help="lists looked at")
        >>> checked_search([nprobe], {"nprobe": 16}, "the index face")
        {'nprobe': 16}
    """
    unknown = sorted(set(wanted) - {knob.name for knob in knobs})
    if unknown:
        has = ", ".join(knob.name for knob in knobs) or "none, it is exact"
        raise SettingsError(f"{where} has no search setting {unknown[0]!r}; it has: {has}")
    return {knob.name: knob.checked(wanted.get(knob.name, knob.default), where) for knob in knobs}
