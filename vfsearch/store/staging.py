"""Shards that other processes write into a store's folder, for its one writer to take over."""

from dataclasses import dataclass
from pathlib import Path

from vfsearch.data.shard import Shard
from vfsearch.errors import DamagedError
from vfsearch.files import is_there, move_file, sha256, temporary_beside, write_file
from vfsearch.store.shard import pack_shard


@dataclass(frozen=True, kw_only=True)
class StagedShard:
    """A shard that lies in the folder of a store and is none of its yet.

    Args:
        name: of its file, which is a temporary one: what nobody takes over is removed with those of killed writers.
        facts: what the store will list of it: size, SHA-256, modality, split, rows, failures.
    """

    name: str
    facts: dict


def shard_facts(shard: Shard) -> dict:
    """What a store lists of a shard, beside its size and SHA-256."""
    return {
        "modality": shard.embeddings.modality,
        "split": shard.split,
        "rows": len(shard.embeddings),
        "failures": len(shard.failures),
    }


def stage_shard(folder: Path, shard: Shard, dtype: str) -> StagedShard:
    """Write a shard under a name that no other process has.

    Args:
        folder: of the store.
        shard: what it holds.
        dtype: of the stored vectors.
    Raises:
        VfsearchError: it cannot be written.
    """
    data, path = pack_shard(shard, dtype), temporary_beside(folder / "shard")
    write_file(path, data)
    return StagedShard(name=path.name, facts={"size": len(data), "sha256": sha256(data), **shard_facts(shard)})


def take_over(folder: Path, part: str, staged: StagedShard) -> None:
    """Give a staged shard its name.

    Raises:
        DamagedError: it is not there, or not whole: another machine's writes have not arrived.
    """
    path = folder / staged.name
    found = path.stat().st_size if is_there(path) else None
    if found != staged.facts["size"]:
        raise DamagedError(
            f"{path} has {found} bytes, {staged.facts['size']} were written by a worker: is {folder} the same folder "
            "on every node?"
        )
    move_file(path, folder / part)
