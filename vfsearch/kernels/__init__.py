"""Arithmetic on blocks of rows: exact scores, exact top-k, ranks of mates; CPU and GPU behind one call."""
