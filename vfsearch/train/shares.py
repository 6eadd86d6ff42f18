"""How a batch is dealt out to processes."""

from vfsearch.errors import SettingsError


def share(n: int, rank: int, ranks: int) -> slice:
    """The rows of a batch of n that process `rank` computes: as equal as can be, the larger shares first.

    Raises:
        SettingsError: fewer rows than processes.
    """
    if n < ranks:
        raise SettingsError(
            f"a batch of {n} pairs cannot be shared among {ranks} processes: start fewer processes, "
            f"or raise the batch size or the number of identities"
        )
    least, more = divmod(n, ranks)
    start = rank * least + min(rank, more)
    return slice(start, start + least + (rank < more))
