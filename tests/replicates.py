"""Replicates of a figure with the mean and spread that a test wants, to the last digit."""

import numpy as np


def normal(count: int, scale: float, mean: float = 0.0, seed: int = 0) -> np.ndarray:
    drawn = np.random.default_rng(seed).normal(size=count)
    return mean + scale * (drawn - drawn.mean()) / drawn.std()
