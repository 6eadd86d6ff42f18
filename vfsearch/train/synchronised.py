"""Layers of a backbone that look at the whole batch: the same numbers in several processes as in one.

torch's own SyncBatchNorm runs on GPUs only (so still in torch 2.13), and its dropout draws for each process's rows
what it would have drawn for other rows in one process.
"""

import torch
import torch.distributed as dist
from torch import nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from vfsearch.errors import VfsearchError
from vfsearch.train.gathering import is_parallel, own_share


def synchronised(module: nn.Module) -> nn.Module:
    """Make batch norms and dropouts inside a module those of the whole batch, in training; in place.

    Names, parameters and statistics stay what and where they are. In evaluation, and in a process that is alone,
    nothing changes. All processes must then run the module in training together.

    Returns:
        The module.
    Raises:
        VfsearchError: it has a layer of this kind that is not known here.
    """
    for name, layer in module.named_modules():
        if type(layer) in _KINDS:
            # Nothing but the class changes, so optimisers, hooks and shared layers need no care.
            layer.__class__ = _KINDS[type(layer)]
        elif isinstance(layer, _LOOKING_AT_THE_BATCH) and type(layer) not in _KINDS.values():
            raise VfsearchError(
                f"the layer {name or 'itself'} is a {type(layer).__name__}, which cannot be trained in several "
                f"processes; use one of {', '.join(kind.__name__ for kind in _KINDS)}, or start one process"
            )
    return module


class _Synced:
    """Batch norm with the statistics of all processes' rows."""

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        if not (self.training and is_parallel()):
            return super().forward(maps)
        self._check_input_dim(maps)
        count, mean, variance = _statistics(maps)
        if self.track_running_stats:
            self._track(count, mean, variance)
        return _Normalised.apply(maps, count, mean, variance, self.weight, self.bias, self.eps)

    @torch.no_grad()
    def _track(self, count: torch.Tensor, mean: torch.Tensor, variance: torch.Tensor) -> None:
        self.num_batches_tracked.add_(1)
        factor = 1.0 / self.num_batches_tracked.item() if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean), factor)
        self.running_var.lerp_((variance * count / (count - 1)).to(self.running_var), factor)


class SyncedBatchNorm1d(_Synced, nn.BatchNorm1d):
    """`nn.BatchNorm1d` over the rows of all processes."""


class SyncedBatchNorm2d(_Synced, nn.BatchNorm2d):
    """`nn.BatchNorm2d` over the rows of all processes."""


class SharedDropout(nn.Dropout):
    """`nn.Dropout` that draws for the whole batch and takes this process's rows of it.

    All processes must have the same seed and row 0 of the inputs' first dimension must be that of their share; then
    the mask is that of one process, and so is what is drawn after it.
    """

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """The maps, some values 0 and the others scaled up."""
        if not (self.training and is_parallel()):
            return super().forward(maps)
        rows = torch.tensor(len(maps))
        dist.all_reduce(rows)
        n = int(rows)
        ones = torch.ones((n, *maps.shape[1:]), dtype=maps.dtype, device=maps.device)
        # the generator fills in the order of memory
        mask = super().forward(ones.contiguous(memory_format=_memory_format(maps)))
        return maps * mask[own_share(n)]


_KINDS = {
    nn.BatchNorm1d: SyncedBatchNorm1d,
    nn.BatchNorm2d: SyncedBatchNorm2d,
    nn.Dropout: SharedDropout,
}
_LOOKING_AT_THE_BATCH = (nn.modules.batchnorm._BatchNorm, nn.modules.dropout._DropoutNd)


@torch.no_grad()
def _statistics(maps: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Values a channel, mean and biased variance of all processes' maps, float64.

    Source: Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979.
    """
    maps, dims = _wide(maps), _but_channels(maps)
    mean = maps.mean(dims)
    variance = (maps - _to_channels(mean, maps)).square().mean(dims)
    count = torch.full_like(mean[:1], maps.numel() // maps.shape[1], dtype=torch.float64)
    mine = torch.cat([count, mean, variance])
    each = [torch.empty_like(mine) for _ in range(dist.get_world_size())]
    dist.all_gather(each, mine)
    counts, means, variances = torch.stack(each).split([1, len(mean), len(mean)], dim=1)
    count = counts.sum()
    mean = (counts * means).sum(0) / count
    return count, mean, (counts * (variances + (means - mean).square())).sum(0) / count


class _Normalised(torch.autograd.Function):
    """Batch norm with given statistics, which depend on the maps: y = (x - mean) / sqrt(variance + eps) * w + b.

    Source of the gradient: Ioffe and Szegedy, "Batch Normalization", ICML 2015, section 3, with sums over processes.
    """

    @staticmethod
    def forward(context, maps, count, mean, variance, weight, bias, eps):
        mean, variance = mean.to(_wide(maps[:0])), variance.to(_wide(maps[:0]))
        context.save_for_backward(maps, count, mean, torch.rsqrt(variance + eps), weight)
        return functional.batch_norm(maps, mean, variance, weight, bias, training=False, eps=eps)

    @staticmethod
    @once_differentiable
    def backward(context, gradient):
        maps, count, mean, inverse, weight = context.saved_tensors
        gradient, dims = _wide(gradient), _but_channels(maps)
        hat = (_wide(maps) - _to_channels(mean, maps)) * _to_channels(inverse, maps)
        sums = torch.stack([gradient.sum(dims), (gradient * hat).sum(dims)])
        of_maps = None
        if context.needs_input_grad[0]:
            of_mean, of_hat = (_to_channels(each.to(gradient), maps) for each in _summed(sums) / count)
            scale = inverse if weight is None else inverse * weight
            of_maps = ((gradient - of_mean - hat * of_hat) * _to_channels(scale, maps)).to(maps.dtype)
        of_weight, of_bias = (sums[i] if context.needs_input_grad[at] else None for i, at in ((1, 4), (0, 5)))
        return of_maps, None, None, None, of_weight, of_bias, None


def _summed(values: torch.Tensor) -> torch.Tensor:
    """The sum over processes, float64; the values given stay."""
    values = values.to(torch.float64, copy=True)
    dist.all_reduce(values)
    return values


def _wide(maps: torch.Tensor) -> torch.Tensor:
    """The same values in float32 at least; statistics of half precision are not sums of it."""
    return maps.to(torch.promote_types(maps.dtype, torch.float32))


def _but_channels(maps: torch.Tensor) -> list[int]:
    return [0, *range(2, maps.dim())]


def _to_channels(values: torch.Tensor, maps: torch.Tensor) -> torch.Tensor:
    return values.view(-1, *[1] * (maps.dim() - 2))


def _memory_format(maps: torch.Tensor) -> torch.memory_format:
    if maps.dim() == 4 and maps.is_contiguous(memory_format=torch.channels_last):
        return torch.channels_last
    return torch.contiguous_format
