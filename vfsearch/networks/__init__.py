"""Trainable networks: what `train` fits and `encoders` run."""
