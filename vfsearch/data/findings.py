"""What an audit of a list of trials finds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from vfsearch.errors import SettingsError

ERROR, WARNING, NOTE = "error", "warning", "note"
SEVERITIES = (ERROR, WARNING, NOTE)
"""Some trials are wrong; the list may mislead; worth knowing."""


@dataclass(frozen=True, kw_only=True)
class FindingKind:
    """One thing that an audit looks for.

    Args:
        name: what `--without` takes.
        severity: one of `SEVERITIES`.
        unit: what is counted, in plural.
        meaning: why it matters, one sentence.
        definition: how it is counted.
        source: who defines it, or where it was seen; "" for a definition of our own.
    """

    name: str
    severity: str
    unit: str
    meaning: str
    definition: str
    source: str = ""

    def __post_init__(self) -> None:
        if self.severity not in SEVERITIES:
            raise SettingsError(
                f"the severity of {self.name} is {self.severity!r}, wanted one of {', '.join(SEVERITIES)}"
            )


@dataclass(frozen=True, kw_only=True)
class Example:
    """One case of a finding.

    Args:
        trial: the names of the trial, probe first; or the one name that is concerned.
        line: its line in the file, from 1; None where a line holds more than one (retrieval).
    """

    trial: tuple[str, ...]
    line: int | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Finding:
    """Something found.

    Args:
        kind: what it is.
        count: how many.
        of: among how many that could have been.
        detail: figures of this case, "" where the count says it all.
        examples: the first few.
        rows: (m,) int64 places of the trials concerned, from 0, rising: what a list without them leaves out. Empty for
            a finding of the list as a whole. In a retrieval list places of items: the probes, then the gallery.
    """

    kind: FindingKind
    count: int
    of: int
    detail: str = ""
    examples: tuple[Example, ...] = ()
    rows: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    @property
    def share(self) -> float:
        """The count as a share, 0 of none."""
        return self.count / self.of if self.of else 0.0

    def to_json(self) -> dict:
        """The finding as JSON, without its rows."""
        return {
            "name": self.kind.name,
            "severity": self.kind.severity,
            "count": self.count,
            "of": self.of,
            "unit": self.kind.unit,
            "share": self.share,
            "detail": self.detail,
            "meaning": self.kind.meaning,
            "definition": self.kind.definition,
            "source": self.kind.source,
            "examples": [{"line": each.line, "trial": list(each.trial)} for each in self.examples],
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class AuditReport:
    """What an audit says of one list.

    Args:
        where: the list.
        facts: counts of the list; JSON.
        findings: worst first.
        unchecked: what could not be looked for -> why.
    """

    where: str
    facts: Mapping[str, object]
    findings: Sequence[Finding]
    unchecked: Mapping[str, str]

    def named(self, name: str) -> list[Finding]:
        """The findings of a kind; one of several columns may have several."""
        return [finding for finding in self.findings if finding.kind.name == name]

    def count(self, *severities: str) -> int:
        """How many findings are of these severities."""
        return sum(finding.kind.severity in severities for finding in self.findings)

    def to_json(self) -> dict:
        """The report as JSON."""
        return {
            "list": self.where,
            "facts": dict(self.facts),
            "findings": [finding.to_json() for finding in self.findings],
            "unchecked": dict(self.unchecked),
        }
