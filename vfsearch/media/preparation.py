"""What happens to one media file before its encoder sees it, and what comes of it."""

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from vfsearch.errors import MediaError
from vfsearch.media.limits import Limits


@dataclass(frozen=True, kw_only=True)
class Task:
    """One media file, or a part of one, to be prepared.

    Args:
        path: the file.
        start_seconds: where the part of a clip starts; None: at its start.
        end_seconds: where it ends; None: at its end.
    """

    path: Path
    start_seconds: float | None = None
    end_seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """One media file, ready for its encoder.

    Args:
        sample: what the encoder's `encode` takes, an array of any shape and of any type but object.
        note: what a user should know about this file ("no face found: centre crop"), or "".
        others: further samples of the same file, each of which gets a row of its own (the other faces of a photo).
        seconds: of the sound that was decoded; 0 for a photo.
    """

    sample: np.ndarray
    note: str = ""
    others: "tuple[Prepared, ...]" = ()
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.sample, np.ndarray) or self.sample.dtype.hasobject:
            raise TypeError(f"Prepared(sample=...): got {type(self.sample).__name__}, wanted an array of numbers")


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why one media file gives no row: a value, not an exception, because the others go on.

    Args:
        stage: where it failed: "decode", "encode", ...
        reason: one line, without the path.
    """

    stage: str
    reason: str


@dataclass(frozen=True)
class Preparation(ABC):
    """The part of an encoder that runs beside the decoders, in a process that may die.

    A subclass is a frozen dataclass whose fields are JSON values: they travel to the worker processes, and they count
    in the encoder's fingerprint. It imports nothing heavy.
    """

    @abstractmethod
    def __call__(self, path: Path, start_seconds: float | None, end_seconds: float | None, limits: Limits) -> Prepared:
        """Decode and prepare one file.

        Raises:
            MediaError: the file cannot be used; the message says why.
        """

    def settings(self) -> dict:
        """The fields, as JSON."""
        return asdict(self)

    @property
    def target(self) -> str:
        """How a worker process finds this class: "module:Class"."""
        return f"{type(self).__module__}:{type(self).__qualname__}"


def attempt(preparation: Preparation, task: Task, limits: Limits) -> Prepared | Failure:
    """Prepare one file in this process; whatever goes wrong with it is its failure."""
    try:
        result = preparation(Path(task.path), task.start_seconds, task.end_seconds, limits)
        if isinstance(result, Prepared):
            return result
        reason = f"{preparation.target} returned {type(result).__name__}, not Prepared"
    except MediaError as error:
        reason = str(error)
    except MemoryError:
        reason = f"needs more memory than a decoder may use ({limits.memory_bytes / 2**30:g} GiB)"
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
    return Failure(stage="decode", reason=" ".join(reason.split()))
