"""Which rows of a batch a process has, and how all of them come together."""

import torch
import torch.distributed as dist
from torch.autograd.function import once_differentiable
from torch.nn import functional

from vfsearch.errors import VfsearchError
from vfsearch.train.shares import share


def is_parallel() -> bool:
    """Whether this process computes together with others now."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def own_share(n: int) -> slice:
    """The rows of n that are this process's."""
    return share(n, dist.get_rank(), dist.get_world_size())


def gathered(rows: torch.Tensor, n: int) -> torch.Tensor:
    """The n rows of the whole batch, in their order, with gradient.

    Every process is to compute the same loss of them. The gradient of the rows given here is then the number of
    processes times that of the loss, because the mean over processes that follows (DDP's, of the parameters) divides
    by it.

    Args:
        rows: (m, ...) this process's share of the n.
        n: rows of all processes together.
    Raises:
        VfsearchError: m is not what the share is.
    """
    own = own_share(n)
    if len(rows) != own.stop - own.start:
        raise VfsearchError(
            f"process {dist.get_rank()} of {dist.get_world_size()} has {len(rows)} rows of a batch of {n}, its share "
            f"is rows {own.start} to {own.stop - 1}: take the share that Processes.share gives"
        )
    return _Gathered.apply(rows, n)


class _Gathered(torch.autograd.Function):
    @staticmethod
    def forward(context, rows: torch.Tensor, n: int) -> torch.Tensor:
        context.n = n
        ranks = dist.get_world_size()
        shares = [share(n, rank, ranks) for rank in range(ranks)]
        sizes = [each.stop - each.start for each in shares]
        # collectives move blocks of one size; the first share is never the smaller one
        padded = functional.pad(rows, [0, 0] * (rows.dim() - 1) + [0, sizes[0] - len(rows)]).contiguous()
        blocks = [torch.empty_like(padded) for _ in sizes]
        dist.all_gather(blocks, padded)
        return torch.cat([block[:size] for block, size in zip(blocks, sizes, strict=True)])

    @staticmethod
    @once_differentiable
    def backward(context, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        # The sum over processes of this share's gradient, without sending it: all of them hold the same one.
        return gradient[own_share(context.n)] * dist.get_world_size(), None
