"""The record of a training as a table that was checked."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vfsearch.errors import SettingsError


@dataclass(frozen=True, kw_only=True, eq=False)
class Record:
    """What a training wrote down, by step.

    Args:
        columns: names; "run" (number of the run) and "step" (from 0 in each run) are among them.
        rows: one a step, as long as `columns`; NaN where a row has no value. Kept as (n, columns) float64.
        run_names: name of each run; the column "run" counts in them.
    Raises:
        SettingsError: columns, rows and names do not go together, or the steps of a run do not rise.

    Example:
        >>> record = Record(columns=("run", "step", "loss"), rows=[(0, 0, 3.5), (0, 1, 2.5)], run_names=["heads"])
        >>> record.values(0, "loss")
        array([3.5, 2.5])
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[float]] | np.ndarray
    run_names: Sequence[str]

    def __post_init__(self) -> None:
        self._check_names()
        for number, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise SettingsError(f"row {number} of the record has {len(row)} values for {len(self.columns)} columns")
        rows = np.array([*self.rows], dtype=np.float64).reshape(len(self.rows), len(self.columns))
        object.__setattr__(self, "rows", rows)
        self._check_counts()

    def _check_names(self) -> None:
        if len(set(self.columns)) < len(self.columns) or not {"run", "step"} <= set(self.columns):
            raise SettingsError(
                f"the record's columns are {', '.join(self.columns)}; want each once, run and step among them"
            )
        if not self.run_names or len(set(self.run_names)) < len(self.run_names):
            raise SettingsError(f"the names of the runs are {list(self.run_names)}; want one or more, each once")

    def _check_counts(self) -> None:
        for name, below in (("run", len(self.run_names)), ("step", np.inf)):
            column = self._column(name)
            wrong = np.flatnonzero(~((column >= 0) & (column < below) & (column == np.rint(column))))
            if len(wrong):
                wanted = f"0 to {below - 1}, for {below} run names" if name == "run" else "a whole number from 0"
                raise SettingsError(f"row {wrong[0]} of the record has the {name} {column[wrong[0]]:g}; want {wanted}")
        for run in self.runs:
            steps = self.values(run, "step")
            falls = np.flatnonzero(np.diff(steps) <= 0)
            if len(falls):
                before, after = steps[falls[0]], steps[falls[0] + 1]
                raise SettingsError(
                    f"in run {run} of the record, step {after:g} comes after {before:g}; want them rising"
                )

    @property
    def runs(self) -> tuple[int, ...]:
        """Numbers of the runs that have rows, in order."""
        return tuple(int(run) for run in np.unique(self._column("run")))

    def values(self, run: int, column: str) -> np.ndarray:
        """(n,) float64 values of a run, in the order of its steps; NaN for a column that the record has not."""
        chosen = self._column("run") == run
        return self._column(column)[chosen] if column in self.columns else np.full(chosen.sum(), np.nan)

    def has(self, column: str) -> bool:
        """Whether any row has a finite value in a column."""
        return column in self.columns and bool(np.isfinite(self._column(column)).any())

    def _column(self, name: str) -> np.ndarray:
        return self.rows[:, list(self.columns).index(name)]
