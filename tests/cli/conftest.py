"""A workspace whose encoders need no media, and the command line in this process."""

import json
import os
from pathlib import Path

import pytest
from hashed import HASHED, write_manifest
from vfsearch_cli.main import run

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """The current folder is a workspace with a manifest and nothing else."""
    write_manifest(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def no_outside_settings(monkeypatch):
    """The examples can be imported; what the caller's environment says does not count."""
    monkeypatch.syspath_prepend(EXAMPLES)
    for name in [name for name in os.environ if name.startswith("VFSEARCH_")]:
        monkeypatch.delenv(name)
    # All stages, but short.
    monkeypatch.setenv("VFSEARCH_TRAIN_WEIGHTS_STEPS", "8")


@pytest.fixture
def vf(capsys):
    """Runs `vfsearch ARGUMENTS...`: exit code, standard output, standard error."""

    def call(*arguments):
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    return call


@pytest.fixture
def document(vf):
    """Runs a command with --json and gives the document; it must succeed."""

    def call(*arguments):
        code, out, err = vf(*arguments, "--json")
        assert code == 0, err
        return json.loads(out)

    return call


@pytest.fixture
def measured(workspace, vf):
    """The workspace after train, embed and index build."""
    for command in (["train", *HASHED, "--steps", "20"], ["embed"], ["index", "build"]):
        code, _, err = vf(*command)
        assert code == 0, err
    return workspace
