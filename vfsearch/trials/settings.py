"""What trials to make."""

from dataclasses import dataclass

from vfsearch.data.space import MODALITIES
from vfsearch.data.trial_list import MATCHING, RETRIEVAL, VERIFICATION
from vfsearch.errors import SettingsError
from vfsearch.trials.constraints import AGE_YEARS, Group, parse_group
from vfsearch.trials.make import GALLERIES_PER_PROBE

PROTOCOLS = (MATCHING, VERIFICATION, RETRIEVAL)
SAME_SOURCE, SMALL_GROUPS = ("allow", "exclude"), ("refuse", "leave-out")


@dataclass(frozen=True, kw_only=True)
class TrialsSettings:
    """What trials to make; the same settings and manifest always give the same files.

    Args:
        probe, gallery: modalities.
        protocols: any of `PROTOCOLS`; none: all that the format can hold.
        n: candidates of 1:N matching, one list each.
        groups: constraint groups, as `parse_group` reads them; matching and verification get a list each.
        split: whose items are probes and gallery; None: "test" if the manifest has it, else all; "all".
        galleries: for each probe and N.
        seed: every list has its own stream of it, so that one more N or group changes no other list.
        same_source: "exclude": the mate of a 1:N or verification trial is of another source than its probe.
        source: the manifest's column that says what an item was taken from (a video).
        small_groups: "refuse" an N for which a probe's group is too small, or "leave-out" such probes.
        age_years: ages that are numbers are taken together in spans of so many years; 0: as they are.
        format: of the files.
    """

    probe: str = "voice"
    gallery: str = "face"
    protocols: tuple[str, ...] = ()
    n: tuple[int, ...] = (2, 5, 10)
    groups: tuple[str, ...] = ("U",)
    split: str | None = None
    galleries: int = GALLERIES_PER_PROBE
    seed: int = 1
    same_source: str = "allow"
    source: str = "source"
    small_groups: str = "refuse"
    age_years: int = AGE_YEARS
    format: str = "vfsearch"

    def __post_init__(self) -> None:
        _require_known("probe", self.probe, MODALITIES)
        _require_known("gallery", self.gallery, MODALITIES)
        _require_known("same_source", self.same_source, SAME_SOURCE)
        _require_known("small_groups", self.small_groups, SMALL_GROUPS)
        for name in self.protocols:
            _require_known("protocols", name, PROTOCOLS)
        if not self.n or min(self.n) < 2:
            raise SettingsError(f"1:N matching wants N of at least 2, got {', '.join(map(str, self.n)) or 'none'}")
        if self.galleries < 1 or self.seed < 0 or self.age_years < 0:
            raise SettingsError(
                f"want galleries >= 1, seed >= 0 and age_years >= 0, got {self.galleries}, {self.seed} and "
                f"{self.age_years}"
            )
        if not self.parsed_groups():
            raise SettingsError("wanted at least one constraint group; U is none")

    def parsed_groups(self) -> list[Group]:
        """The groups, each once.

        Raises:
            SettingsError: a text names none.
        """
        return list(dict.fromkeys(parse_group(text) for text in self.groups))

    def candidates(self) -> list[int]:
        """Each N once."""
        return list(dict.fromkeys(self.n))

    @property
    def direction(self) -> str:
        """For the names of files, for example "v2f"."""
        return f"{self.probe[0]}2{self.gallery[0]}"


def _require_known(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise SettingsError(f"{name} is {value!r}, it must be one of {', '.join(known)}")
