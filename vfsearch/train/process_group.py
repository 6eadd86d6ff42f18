"""torch's process group: meeting, messages, the mean of gradients."""

import functools
import inspect
import warnings
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import nn

from vfsearch.errors import VfsearchError

# Those who come start together; who waits longer waits in vain.
_MEETING = timedelta(minutes=10)
# What one does while the others wait may take as long as reading the media of a whole corpus. A process that ends is
# noticed at once, by torchrun and by the others.
_WAIT = timedelta(days=7)


def start(rank: int, ranks: int) -> None:
    """Meet the other processes at the address in MASTER_ADDR and MASTER_PORT, once.

    Raises:
        VfsearchError: torch is built without torch.distributed, or the others did not come.
    """
    if not dist.is_available():
        raise VfsearchError(
            f"this build of torch ({torch.__version__}) has no torch.distributed, so {ranks} processes cannot train "
            f"together: install another build, or start one process without torchrun"
        )
    if dist.is_initialized():
        return
    gpus = torch.cuda.is_available() and dist.is_nccl_available()
    backend = "cpu:gloo,cuda:nccl" if gpus else "gloo"
    try:
        store, rank, ranks = next(dist.rendezvous("env://", rank, ranks, timeout=_MEETING))
        dist.init_process_group(backend, store=store, rank=rank, world_size=ranks, timeout=_WAIT)
    except (RuntimeError, ValueError) as error:
        raise VfsearchError(f"process {rank} of {ranks} could not meet the others: {error}") from error


def stop() -> None:
    """Leave the group, if there is one."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()


def told(text: str) -> str:
    """The text of the first process, in every process."""
    content = torch.frombuffer(bytearray(text.encode()), dtype=torch.uint8)
    size = torch.tensor(len(content))
    dist.broadcast(size, 0)
    if dist.get_rank():
        content = torch.empty(int(size), dtype=torch.uint8)
    dist.broadcast(content, 0)
    return bytes(content.tolist()).decode()


def averaged(module: nn.Module, device: str) -> nn.Module:
    """A module whose gradients are the means over processes.

    Args:
        module: every parameter that requires a gradient must get one in each step.
        device: of its parameters.
    """
    if torch.device(device).type == "cuda":
        torch.cuda.set_device(device)
    names = inspect.signature(nn.parallel.DistributedDataParallel).parameters
    # Statistics are equal already, so nobody needs to send them; newer versions of torch have another name for it.
    sending = "forward_sync_buffers" if "forward_sync_buffers" in names else "broadcast_buffers"
    # Of a 1 by 1 convolution's weights, whose numbers lie in the same order either way.
    warnings.filterwarnings("ignore", "Grad strides do not match bucket view strides")
    parallel = nn.parallel.DistributedDataParallel(module, **{sending: False})
    if torch.device(device).type == "cpu":
        parallel.register_comm_hook(None, _mean_in_order_of_rank)
    return parallel


def _mean_in_order_of_rank(_, bucket):
    """The mean of a bucket of gradients, each number summed in the same order wherever it lies in a bucket.

    The order of torch's own sum depends on the place, and DDP rearranges its buckets after the first step: with three
    processes or more, a resumed training would differ in the last bits from one that was never stopped.
    """
    mine = bucket.buffer()
    each = [torch.empty_like(mine) for _ in range(dist.get_world_size())]
    dist.all_gather(each, mine)
    done = torch.futures.Future()
    done.set_result(functools.reduce(torch.add, each).div_(len(each)))
    return done
