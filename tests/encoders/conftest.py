import os
from pathlib import Path

import pytest

from vfsearch.encoders.catalog import ENCODERS


@pytest.fixture(scope="session")
def chimera24() -> Path:
    """Real speech and photos, never part of the repository."""
    beside = Path(__file__).parents[3] / "shared" / "data" / "chimera24"
    folder = Path(os.environ.get("VFSEARCH_CHIMERA24", beside))
    if not folder.is_dir():
        pytest.skip(f"no chimera24 in {folder}; VFSEARCH_CHIMERA24 says where it is")
    return folder


def _needs(name: str) -> None:
    entry = ENCODERS.entry(name)
    if entry.missing:
        pytest.skip(f"{name} needs {', '.join(entry.missing)}: {entry.pip_line}")


@pytest.fixture
def needs_resemblyzer() -> None:
    _needs("resemblyzer")


@pytest.fixture
def needs_dlib() -> None:
    _needs("dlib-resnet")
