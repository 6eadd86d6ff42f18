"""What the rows of a store are like."""

from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, kw_only=True)
class RowStatistics:
    """What the rows of one modality are like.

    Args:
        rows, identities, dimension: how many there are.
        single: identities with one row.
        norms: least and greatest length of the vectors as they are stored.
        mean_length: of the mean of all rows; 0: they point everywhere, 1: all the same way.
        cosine_random, cosine_mated, cosine_nonmated: mean over all pairs; of one identity; of two. None: no such pair.
        effective_rank: of the covariance, (sum of eigenvalues)^2 / sum of their squares: how many directions count.
        top_share: share of the variance in the first direction.
        constant: columns that are the same in all rows.
        duplicates: groups of rows with the same vector; `duplicate_rows` in all, `across` of them with rows of
            several identities; the first ids of the first groups in `duplicate_ids`.
        duplicate_rows, across, duplicate_ids: see there.
        outliers: (id, identity, cosine to the mean of the identity's other rows), the farthest first; of identities
            with three rows or more.
        alarms: what is wrong, in plain words.
    """

    rows: int
    identities: int
    dimension: int
    single: int
    norms: tuple[float, float]
    mean_length: float
    cosine_random: float | None
    cosine_mated: float | None
    cosine_nonmated: float | None
    effective_rank: float
    top_share: float
    constant: int
    duplicates: int
    duplicate_rows: int
    across: int
    duplicate_ids: tuple[tuple[str, ...], ...]
    outliers: tuple[tuple[str, str, float], ...]
    alarms: tuple[str, ...] = field(default=())

    def to_json(self) -> dict:
        """The figures as JSON."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class StoreStatistics:
    """What a store is like.

    Args:
        of: modality -> its figures.
        mated, nonmated: mean cosine of voices and faces of one identity and of two, where both are in one space.
    """

    of: dict[str, RowStatistics]
    mated: float | None
    nonmated: float | None

    @property
    def alarms(self) -> list[str]:
        """What is wrong, over all modalities."""
        return [f"{modality}: {alarm}" for modality, figures in self.of.items() for alarm in figures.alarms]

    def to_json(self) -> dict:
        """The figures as JSON."""
        of = {modality: figures.to_json() for modality, figures in self.of.items()}
        return {**of, "cross_modal": {"mated": self.mated, "nonmated": self.nonmated}, "alarms": self.alarms}
