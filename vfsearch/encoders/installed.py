"""Files that other installed packages bring along, found without importing those packages."""

import importlib.util
from pathlib import Path

from vfsearch.errors import MissingExtraError


def installed_file(package: str, name: str, pip_line: str) -> Path:
    """The path of a file inside an installed package.

    Raises:
        MissingExtraError: the package is not installed, or has no such file; the message gives `pip_line`.
    """
    spec = importlib.util.find_spec(package)
    folders = (spec.submodule_search_locations or ()) if spec else ()
    for folder in folders:
        if (path := Path(folder) / name).is_file():
            return path
    raise MissingExtraError(f"{name} of the package {package} is not installed; install with: {pip_line}")
