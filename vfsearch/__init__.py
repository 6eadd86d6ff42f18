"""vfsearch: embedding search that matches voices and faces."""

__version__ = "0.1.0"
