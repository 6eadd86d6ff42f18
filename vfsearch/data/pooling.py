"""Which items of a person are pooled into one template."""

from collections.abc import Mapping
from dataclasses import dataclass

from vfsearch.errors import SettingsError

IDENTITY = "identity"


@dataclass(frozen=True, kw_only=True)
class Pooling:
    """Which items make one template, and how.

    Args:
        by: columns that all items of a template agree in; "identity" is one of them.
        weight: column of numbers from 0 that items count by; None: all count alike.
        items: most items of a template, drawn at random; None: all.
        seed: of that draw, which depends on the ids alone: not on the order of the rows, nor on other people.

    Example:
        >>> pooling_by("identity+source").by
        ('identity', 'source')
    """

    by: tuple[str, ...] = (IDENTITY,)
    weight: str | None = None
    items: int | None = None
    seed: int = 1

    def __post_init__(self) -> None:
        if IDENTITY not in self.by or "" in self.by or len(set(self.by)) != len(self.by):
            raise SettingsError(
                f"items are pooled by {'+'.join(self.by)!r}: wanted identity, or identity and further columns, each "
                "once, for example identity+source"
            )
        if self.items is not None and self.items < 1:
            raise SettingsError(f"a template of {self.items} items: wanted at least 1")
        if self.seed < 0:
            raise SettingsError(f"the seed of the items that are pooled is {self.seed}, it must be at least 0")

    def __str__(self) -> str:
        most = "" if self.items is None else f", at most {self.items} items each (seed {self.seed})"
        return "+".join(self.by) + ("" if self.weight is None else f", weighted by {self.weight}") + most

    def to_json(self) -> dict:
        """The settings as JSON."""
        return {"by": list(self.by), "weight": self.weight, "items": self.items,
                "seed": None if self.items is None else self.seed}  # fmt: skip

    @classmethod
    def from_json(cls, document: Mapping) -> "Pooling":
        """The settings that `to_json` wrote."""
        seed = 1 if document["seed"] is None else document["seed"]
        return cls(by=tuple(document["by"]), weight=document["weight"], items=document["items"], seed=seed)


def pooling_by(text: str, weight: str | None = None, items: int | None = None, seed: int = 1) -> Pooling:
    """The pooling by columns with "+" between.

    Raises:
        SettingsError: identity is not among them, one is there twice, or a number is out of its range.
    """
    by = tuple(part.strip() for part in text.split("+"))
    return Pooling(by=by, weight=weight, items=items, seed=seed)
