"""How fast embedding goes, and what it waits for."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

PHASES = ("decode", "encode", "write")


@dataclass(kw_only=True)
class Meter:
    """What was done for one modality, and for what the pipeline waited.

    Args:
        items: prepared and encoded.
        audio_seconds: decoded.
        waited: phase -> seconds that the others waited for it.
    """

    items: int = 0
    audio_seconds: float = 0.0
    waited: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PHASES, 0.0))
    _begun: float = field(default_factory=time.perf_counter)
    _ended: float | None = None

    @contextmanager
    def waiting(self, phase: str) -> Iterator[None]:
        """Time spent waiting for a phase."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.waited[phase] += time.perf_counter() - begun

    def stop(self) -> None:
        """The work is over."""
        self._ended = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return (self._ended or time.perf_counter()) - self._begun

    @property
    def limit(self) -> str:
        """The phase that was waited for the longest."""
        return max(PHASES, key=lambda phase: self.waited[phase])

    def text(self) -> str:
        """For a person: items a second, hours of sound an hour, what limits.

        Example:
            >>> meter = Meter(items=100, audio_seconds=350.0, waited={"decode": 0.1, "encode": 0.7, "write": 0.0})
            >>> meter._begun, meter._ended = 0.0, 1.0
            >>> meter.text()
            '100 items/s, 350 h of sound an hour, encode limits'
        """
        seconds = max(self.seconds, 1e-9)
        sound = f"{self.audio_seconds / seconds:,.0f} h of sound an hour, " if self.audio_seconds else ""
        return f"{self.items / seconds:,.{0 if self.items > 10 * seconds else 1}f} items/s, {sound}{self.limit} limits"

    def to_json(self) -> dict:
        """The figures as JSON."""
        seconds = max(self.seconds, 1e-9)
        return {
            "items": self.items,
            "seconds": round(self.seconds, 3),
            "items_per_second": round(self.items / seconds, 3),
            "audio_seconds": round(self.audio_seconds, 3),
            "limit": self.limit,
            "waited_seconds": {phase: round(waited, 3) for phase, waited in self.waited.items()},
        }
