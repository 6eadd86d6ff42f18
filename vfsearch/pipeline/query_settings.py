"""What a query is asked."""

from dataclasses import dataclass, field

from vfsearch.data.pooling import Pooling
from vfsearch.errors import SettingsError
from vfsearch.measure.catalog import parse_measure
from vfsearch.pipeline.searched_index import SearchSettings
from vfsearch.trials.constraints import Group, parse_group

USUAL_PROTOCOLS = ("matching", "verification", "retrieval")
PROTOCOLS = (*USUAL_PROTOCOLS, "identification")


@dataclass(frozen=True, kw_only=True)
class QuerySettings:
    """What to ask.

    Args:
        probe, gallery: modalities.
        protocols: any of "matching", "verification", "retrieval", "identification".
        n: candidates of 1:N matching, one measurement each.
        groups: constraint groups of matching and verification, one measurement each (see
            `vfsearch.trials.constraints.parse_group`).
        enrolled: gallery sizes of open-set identification, one measurement each; none: as many as there can be.
        measures: names, each taken by the protocols that it belongs to; a protocol without one has its usual ones.
        by: columns of the manifest that group people, whose figures are given beside those of all.
        split: whose items are probes and gallery; None: "test" if the store has it, else all; "all".
        k: neighbours that are searched for and saved.
        seed: of the trials.
        search: how the index is searched.
        pool_probes: ask with templates of several items; None: with each item.
        pool_gallery: search templates, made here and compared one by one, instead of an index; None: what the index
            holds, be it items or templates.
    """

    probe: str
    gallery: str
    protocols: tuple[str, ...] = USUAL_PROTOCOLS
    n: tuple[int, ...] = (2, 5, 10)
    groups: tuple[str, ...] = ("U",)
    enrolled: tuple[int, ...] = ()
    measures: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    split: str | None = None
    k: int = 10
    seed: int = 1
    search: SearchSettings = field(default_factory=SearchSettings)
    pool_probes: Pooling | None = None
    pool_gallery: Pooling | None = None

    def __post_init__(self) -> None:
        unknown = [name for name in self.protocols if name not in PROTOCOLS]
        if unknown or not self.protocols:
            raise SettingsError(f"no protocol is named {unknown}; known: {', '.join(PROTOCOLS)}")
        if not self.n or min(self.n) < 2:
            raise SettingsError(f"1:N matching wants N of at least 2, got {self.n}")
        if self.k < 1 or self.seed < 0:
            raise SettingsError(f"want k >= 1 and seed >= 0, got k={self.k}, seed={self.seed}")
        if not self.groups:
            raise SettingsError("matching and verification want a group; U is the one without a constraint")
        if self.enrolled and "identification" not in self.protocols:
            raise SettingsError(
                "gallery sizes of enrolled people are for the protocol identification, which is not asked"
            )
        constrained = [group.name for group in self.parsed_groups() if group.columns]
        if constrained and not {"matching", "verification"} & set(self.protocols):
            raise SettingsError(f"the group {constrained[0]} is for matching and verification, of which none is asked")
        for name in self.measures:
            parse_measure(name)
        if self.pool_gallery is not None and self.search.knobs:
            raise SettingsError(
                f"a gallery that is pooled for this query is compared row by row, but {next(iter(self.search.knobs))} "
                "is a setting of an index: build one with `vfsearch index build --pool`, and search that"
            )

    def parsed_groups(self) -> list[Group]:
        """The groups, each once."""
        return list(dict.fromkeys(map(parse_group, self.groups)))

    def to_json(self) -> dict:
        """The settings as JSON."""
        return {
            "probe": self.probe,
            "gallery": self.gallery,
            "protocols": list(self.protocols),
            "n": list(self.n),
            "groups": [group.name for group in self.parsed_groups()],
            "enrolled": list(self.enrolled),
            "measures": list(self.measures),
            "by": list(self.by),
            "split": self.split,
            "k": self.k,
            "seed": self.seed,
            **self.search.to_json(),
            **self._pooling(),
        }

    def _pooling(self) -> dict:
        """How items are pooled; nothing where they are not, as before there were templates."""
        sides = {"pool_probes": self.pool_probes, "pool_gallery": self.pool_gallery}
        return {name: pooling.to_json() for name, pooling in sides.items() if pooling is not None}
