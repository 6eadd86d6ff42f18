"""Modules that pytest, looking for doctests, must not import where the package they are made of is missing."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("triton") else ["vfsearch/kernels/cuda/compiled/*.py"]
