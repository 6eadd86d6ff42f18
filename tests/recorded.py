"""Records such as trainings write."""

import math

import numpy as np

COLUMNS = ("run", "step", "loss", "implicit", "explicit", "learning_rate", "voice_to_face", "face_to_voice")
RUNS = ("weights", "retrain")
NAN = math.nan


def recorded(steps: int, run: int = 0, validate_steps: int = 10**9, seed: int = 0) -> list[tuple[float, ...]]:
    """Rows of one run: losses that fall, a rate that drops half-way, accuracies that rise."""
    random = np.random.default_rng([seed, run])
    rows = []
    for step in range(steps):
        implicit, explicit = 2 + 11 * math.exp(-4 * step / steps) + random.normal() / 2, 1.5 + random.normal() / 9
        accuracies = (
            (0.5 + 0.3 * step / steps, 0.5 + 0.2 * step / steps) if (step + 1) % validate_steps == 0 else (NAN,) * 2
        )
        rows.append(
            (run, step, implicit + explicit, implicit, explicit, 0.01 if 2 * step < steps else 1e-3, *accuracies)
        )
    return rows
