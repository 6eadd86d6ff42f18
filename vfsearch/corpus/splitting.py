"""People divided among train, val and test."""

import hashlib
from collections.abc import Iterable

from vfsearch.errors import SettingsError


def draw_splits(identities: Iterable[str], test_share: float, val_share: float, seed: int) -> dict[str, str]:
    """A split for each person: the same whatever the order, and nearly the same when others join.

    Args:
        identities: of the people.
        test_share, val_share: of the people, rounded.
        seed: another one divides them otherwise.
    Returns:
        Identity -> "test", "val" or "train".
    Raises:
        SettingsError: the shares are below 0 or more than 1 together.

    Example:
        >>> sorted(draw_splits(["a", "b", "c", "d"], 0.25, 0.25, seed=1).values())
        ['test', 'train', 'train', 'val']
    """
    if min(test_share, val_share) < 0 or test_share + val_share > 1:
        raise SettingsError(f"shares of {test_share:g} and {val_share:g} to test and val: want 0 or more, 1 at most")
    drawn = sorted(set(identities), key=lambda identity: _drawn(identity, seed))
    test, val = round(test_share * len(drawn)), round(val_share * len(drawn))
    names = ["test"] * test + ["val"] * val + ["train"] * (len(drawn) - test - val)
    return dict(zip(drawn, names, strict=True))


def _drawn(identity: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}:{identity}".encode("utf-8", "surrogateescape")).digest()
