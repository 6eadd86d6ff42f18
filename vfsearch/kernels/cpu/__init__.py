"""Compiled loops for processors: products in registers, selection and counting while the scores are still there."""
