"""Modules that pytest, looking for doctests, must not import where the package they are made of is missing."""

from importlib.util import find_spec

_NEEDS = {"triton": "vfsearch/kernels/cuda/compiled/*.py", "faiss": "vfsearch/index/faiss_*.py"}
collect_ignore_glob = [paths for package, paths in _NEEDS.items() if not find_spec(package)]
