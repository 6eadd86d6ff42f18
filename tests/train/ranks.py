"""What each of several processes computes; run as `ranks.py RANK RANKS MEETING_FILE FOLDER`, writes FOLDER/RANK.pt."""

import sys
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn

from vfsearch.errors import VfsearchError
from vfsearch.networks.heads import HeadSettings
from vfsearch.networks.ir_resnet import IRNetwork
from vfsearch.networks.joint import JointNetworks
from vfsearch.networks.settings import IRSettings, ThinResNetSettings
from vfsearch.networks.thin_resnet import ThinResNet
from vfsearch.train.gathering import gathered
from vfsearch.train.losses import TotalLoss
from vfsearch.train.objective import Objective
from vfsearch.train.parallel import Processes, wrap
from vfsearch.train.synchronised import synchronised

FACE = IRSettings(depths=(1, 1, 1, 1), widths=(8, 8, 16, 16), pixels=32, dimension=24)
VOICE = ThinResNetSettings(depths=(1, 1, 1, 1), widths=(8, 8, 8, 8), dimension=24)
N = 8  # pairs in a batch: equal shares for two processes, unequal ones for three
STEPS = 4


def make_objective(dtype: torch.dtype, frozen: bool = False, implicit: float = 1.0) -> Objective:
    torch.manual_seed(3)
    backbones = {} if frozen else {"voice": ThinResNet(VOICE), "face": IRNetwork(FACE)}
    networks = JointNetworks(backbones, {"voice": 24, "face": 24}, HeadSettings(dimension=12, hidden=16, dropout=0.5))
    return Objective(networks, TotalLoss(12, 20, implicit=implicit)).to(dtype)


def make_batch(dtype: torch.dtype, step: int, frozen: bool = False) -> list[torch.Tensor]:
    """Voices, faces, labels and weights of all pairs; two of them are of one identity."""
    random = torch.Generator().manual_seed(step)
    shapes = ((N, 24), (N, 24)) if frozen else ((N, 4000), (N, 3, 32, 32))
    voices, faces = (torch.randn(shape, generator=random, dtype=torch.float64).to(dtype) for shape in shapes)
    labels = torch.randperm(20, generator=random)[:N]
    labels[4] = labels[1]
    return [voices * (1 if frozen else 3000), faces, labels, torch.linspace(0.2, 1.8, N, dtype=dtype)]


def first_step(
    processes: Processes, dtype: torch.dtype, frozen: bool = False, implicit: float = 1.0, half: bool = False
):
    """Losses, gradients and statistics of the first step, by name."""
    objective = make_objective(dtype, frozen, implicit)
    losses = _step(wrap(objective, processes).train(), processes, make_batch(dtype, 0, frozen), 0, half)
    found = {f"loss {name}": each.detach() for name, each in losses._asdict().items()}
    found |= {f"gradient {name}": each.grad for name, each in objective.named_parameters() if each.grad is not None}
    return found | {f"statistic {name}": each.clone() for name, each in objective.named_buffers()}


def training(processes: Processes, dtype: torch.dtype, steps: int, state: tuple | None = None) -> tuple[int, dict]:
    """Train from a state (steps done and tensors), or from the start, to a number of steps."""
    objective = make_objective(dtype)
    done, tensors = state or (0, objective.state_dict())
    objective.load_state_dict(tensors)
    module = wrap(objective, processes).train()
    optimiser = torch.optim.SGD(objective.parameters(), 0.01)
    for step in range(done, steps):
        optimiser.zero_grad()
        _step(module, processes, make_batch(dtype, step), step)
        optimiser.step()
    return steps, {name: each.clone() for name, each in objective.state_dict().items()}


def _step(module: nn.Module, processes: Processes, batch: list[torch.Tensor], step: int, half: bool = False):
    voices, faces, labels, weights = batch
    share = processes.share(len(labels))
    torch.manual_seed(100 + step)
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        losses = module(voices[share], faces[share], labels, weights)
    losses.total.backward()
    return losses


LAYERS = {
    "1d": (lambda: nn.BatchNorm1d(5), (N, 5), torch.contiguous_format),
    "1d over time": (lambda: nn.BatchNorm1d(5), (N, 5, 4), torch.contiguous_format),
    "2d": (lambda: nn.BatchNorm2d(5), (N, 5, 3, 4), torch.contiguous_format),
    "channels last": (lambda: nn.BatchNorm2d(5), (N, 5, 3, 4), torch.channels_last),
    "not affine": (lambda: nn.BatchNorm2d(5, affine=False), (N, 5, 3, 4), torch.contiguous_format),
    "mean of all steps": (lambda: nn.BatchNorm2d(5, momentum=None), (N, 5, 3, 4), torch.contiguous_format),
    "no statistics": (lambda: nn.BatchNorm2d(5, track_running_stats=False), (N, 5, 3, 4), torch.contiguous_format),
    "dropout": (lambda: nn.Dropout(0.4), (N, 50), torch.contiguous_format),
    "dropout of maps": (lambda: nn.Dropout(0.4), (N, 5, 3, 4), torch.contiguous_format),
    "dropout channels last": (lambda: nn.Dropout(0.4), (N, 5, 3, 4), torch.channels_last),
    "dropout of all": (lambda: nn.Dropout(1.0), (N, 5), torch.contiguous_format),
    "dropout of none": (lambda: nn.Dropout(0.0), (N, 5), torch.contiguous_format),
}


def layer_alone(name: str, processes: Processes) -> dict[str, torch.Tensor]:
    """Output and gradients of two steps of one layer, gathered: those of the whole batch in any process."""
    make, shape, memory_format = LAYERS[name]
    layer = make().double().train()
    if not processes.alone:
        layer = synchronised(layer)
    found, scale = {}, processes.ranks
    torch.manual_seed(5)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.uniform_(0.5, 1.5)
    for step in range(2):
        whole = (torch.rand(shape, dtype=torch.float64) * 3 + 100).contiguous(memory_format=memory_format)
        part = whole[processes.share(N)].detach().requires_grad_()
        rows = processes.gather(layer(part), N)
        (rows * torch.arange(rows.numel()).view_as(rows).sin()).sum().backward()
        found |= {f"output {step}": rows.detach(), f"gradient {step}": processes.gather(part.grad / scale, N)}
    found |= {f"statistic {key}": each.clone() for key, each in layer.named_buffers()}
    found["next random"] = torch.rand(3)
    for key, parameter in layer.named_parameters():
        gradient = parameter.grad / scale
        if not processes.alone:
            dist.all_reduce(gradient)
        found[f"gradient of {key}"] = gradient
    return found


def messages(processes: Processes, folder: Path) -> dict:
    """What each process hears of the first one."""
    found = {"told": processes.told({"words": ["é", 1.5, None], "from": processes.rank})}
    events = []
    with processes.wait_for_first():
        if processes.first:
            Path(folder, "made").write_text("by the first")
        events.append(Path(folder, "made").read_text())
    try:
        with processes.wait_for_first():
            events.append("inside")
            raise KeyError("no such thing")
    except (KeyError, VfsearchError) as error:
        events.append(f"{type(error).__name__}: {error}")
    try:
        gathered(torch.zeros(N, 2), N)
    except VfsearchError as error:
        found["refused"] = str(error)
    processes.barrier()
    return found | {"events": events}


def main(rank: str, ranks: str, meeting: str, folder: str) -> None:
    torch.set_num_threads(1)
    processes = Processes(rank=int(rank), ranks=int(ranks), local_rank=int(rank))
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=processes.rank, world_size=processes.ranks)
    found = {
        "messages": messages(processes, Path(folder)),
        "layers": {name: layer_alone(name, processes) for name in LAYERS},
        "double": first_step(processes, torch.float64),
        "single": first_step(processes, torch.float32),
        "half": first_step(processes, torch.float32, half=True),
        "frozen": first_step(processes, torch.float32, frozen=True),
        "explicit": first_step(processes, torch.float32, implicit=0.0),
        "undisturbed": training(processes, torch.float32, STEPS)[1],
        "resumed": training(processes, torch.float32, STEPS, training(processes, torch.float32, STEPS // 2))[1],
        "double trained": training(processes, torch.float64, STEPS)[1],
    }
    processes.close()
    torch.save(found, Path(folder, f"{rank}.pt"))


if __name__ == "__main__":
    main(*sys.argv[1:])
