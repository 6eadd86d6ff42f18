"""Several processes that train together, started by torchrun.

torch is loaded where it is needed: one process asks for its share of the work without it.
"""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vfsearch.devices import resolve_device
from vfsearch.errors import SettingsError, VfsearchError
from vfsearch.train.shares import share

if TYPE_CHECKING:
    import torch
    from torch import nn

    from vfsearch.train.objective import Objective

_VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")


@dataclass(frozen=True, kw_only=True)
class Processes:
    """The processes of one training, and which of them this one is; without arguments, this one alone.

    Making one talks to nobody: the others are met when there is something to say.

    Args:
        rank: of this process, from 0.
        ranks: processes on all machines together.
        local_rank: of this process on its machine.
    """

    rank: int = 0
    ranks: int = 1
    local_rank: int = 0

    def __post_init__(self) -> None:
        if not (0 <= self.rank < self.ranks and 0 <= self.local_rank <= self.rank):
            raise SettingsError(f"want 0 <= local_rank <= rank < ranks, got {self}")

    @classmethod
    def from_environment(cls, variables: Mapping[str, str] = os.environ) -> "Processes":
        """What torchrun says in the environment; this process alone where it says nothing.

        Raises:
            SettingsError: a variable is missing or is no number.
        """
        if variables.get("WORLD_SIZE", "1") == "1":
            return cls()
        missing = [name for name in _VARIABLES if name not in variables]
        if missing:
            raise SettingsError(
                f"WORLD_SIZE is {variables['WORLD_SIZE']}, without {', '.join(missing)}: start several "
                f"processes with torchrun, or unset WORLD_SIZE for one process"
            )
        rank, ranks, local_rank = (_whole(name, variables[name]) for name in _VARIABLES[:3])
        return cls(rank=rank, ranks=ranks, local_rank=local_rank)

    @property
    def alone(self) -> bool:
        """Whether there are no others."""
        return self.ranks == 1

    @property
    def first(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def share(self, n: int) -> slice:
        """The part of a batch of n pairs that this process computes: as equal as can be, the larger ones first.

        Raises:
            SettingsError: fewer pairs than processes.
        """
        return share(n, self.rank, self.ranks)

    def device(self, name: str) -> str:
        """The device of this process: for "auto" and "cuda", the GPU of its number on this machine.

        Raises:
            SettingsError: no such device here, or one for all.
        """
        device = resolve_device(name)
        if self.alone or device == "cpu":
            return device
        if device != "cuda":
            raise SettingsError(
                f"the device is {device} for each of {self.ranks} processes, and each needs a GPU of its own: "
                f"use --device cuda, auto or cpu"
            )
        return resolve_device(f"cuda:{self.local_rank}")

    def gather(self, rows: "torch.Tensor", n: int) -> "torch.Tensor":
        """The n rows of the whole batch, given this process's share; see `vfsearch.train.gathering.gathered`."""
        if self.alone:
            return rows
        from vfsearch.train.gathering import gathered

        self.start()
        return gathered(rows, n)

    def start(self) -> None:
        """Meet the others, if that has not been.

        Raises:
            VfsearchError: this torch cannot, or they did not come.
        """
        if not self.alone:
            from vfsearch.train.process_group import start

            start(self.rank, self.ranks)

    def barrier(self) -> None:
        """Wait until all processes are here."""
        self.told(None)

    def told(self, value: Any) -> Any:
        """What the first process passes here, in every process.

        Args:
            value: of JSON types; the others' is not looked at.
        """
        text = json.dumps(value)
        if not self.alone:
            from vfsearch.train.process_group import told

            self.start()
            text = told(text)
        return json.loads(text)

    @contextlib.contextmanager
    def wait_for_first(self) -> Iterator[None]:
        """A block that the others enter once the first process has left it.

        It is for work that is done once and then found done, and may take days.

        Raises:
            VfsearchError: in the others, before their block: the first process failed in its own.
        """
        # now: the others wait longer for a message than for a meeting
        self.start()
        if self.first:
            try:
                yield
            except BaseException as error:
                # Its own failure must not be hidden by that of telling it.
                with contextlib.suppress(Exception):
                    self.told(str(error) or type(error).__name__)
                raise
            self.told(None)
            return
        failure = self.told(None)
        if failure is not None:
            raise VfsearchError(f"process {self.rank} stops, because the first process failed: {failure}")
        yield

    def close(self) -> None:
        """Leave the others, at the end."""
        if not self.alone:
            from vfsearch.train.process_group import stop

            stop()


def wrap(objective: "Objective", processes: Processes, device: str = "cpu") -> "nn.Module":
    """The objective on its device, as a module whose gradients are those of the whole batch in every process.

    Backbones get batch norms and dropouts over all processes, features are gathered, and torch's
    DistributedDataParallel takes the mean of the gradients over processes. Heads and classifier have the same gradient
    in each; a backbone's has, in each, its own rows' part times the number of processes (see
    `vfsearch.train.gathering.gathered`): both means are the gradient of one process.

    Args:
        objective: changed in place; its parameters are those of the first process afterwards.
        device: see `Processes.device`.
    Returns:
        The objective itself for one process; else a module that has it as `module`.
    """
    objective = objective.to(device)
    if processes.alone:
        return objective
    from vfsearch.train.process_group import averaged
    from vfsearch.train.synchronised import synchronised

    processes.start()
    objective.gather = processes.gather
    synchronised(objective.networks.backbones)
    return averaged(objective, device)


def _whole(name: str, text: str) -> int:
    if not text.isdecimal():
        raise SettingsError(f"the environment variable {name} is {text!r}, wanted a whole number: use torchrun")
    return int(text)
