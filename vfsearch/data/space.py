"""Which vectors may be compared with which."""

from dataclasses import asdict, dataclass

from vfsearch.errors import SpaceMismatchError

MODALITIES = ("voice", "face")


@dataclass(frozen=True, kw_only=True)
class Space:
    """The fingerprint of encoder, weights and preprocessing that a row comes from.

    Two rows are comparable only when their spaces are equal. The rows of a joint model share one space, whatever
    their modality.

    Args:
        name: what a person calls it, for example "resemblyzer".
        fingerprint: hexadecimal digest of encoder, weights and preprocessing.
        dimension: columns of a row.
    """

    name: str
    fingerprint: str
    dimension: int

    def __str__(self) -> str:
        return f"{self.name}:{self.fingerprint[:12]} ({self.dimension}-d)"

    def to_json(self) -> dict:
        """The space as JSON."""
        return asdict(self)


def require_same_space(first: Space, first_what: str, second: Space, second_what: str) -> None:
    """Refuse to go on unless two spaces are equal.

    Raises:
        SpaceMismatchError: they differ; the message names both sides and what to do.
    """
    if first != second:
        raise SpaceMismatchError(
            f"{first_what} is in the space {first}, {second_what} in {second}: their scores would mean nothing; "
            "embed both with the same model (`vfsearch embed`) and build the index anew (`vfsearch index build`)"
        )
