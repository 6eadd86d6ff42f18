"""What the README says, done: its commands in their order, its Python, its settings file."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


# One walk through the README, however many processes test.
pytestmark = pytest.mark.xdist_group("readme")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def commands() -> list[list[str]]:
    lines = [line for block in blocks("bash") for line in block.replace("\\\n", " ").splitlines()]
    return [shlex.split(line, comments=True) for line in lines if line.strip()]


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Small people and short trainings; encoders that need no weights, so that it runs everywhere."""
    folder = tmp_path_factory.mktemp("readme")
    settings = {
        "VFSEARCH_CLIPS": "2",
        "VFSEARCH_CLIP_SECONDS": "1",
        "VFSEARCH_FACE_ENCODER": "id-hash-face",
        "VFSEARCH_N": "2,3",
        "VFSEARCH_PHOTOS": "2",
        "VFSEARCH_STEPS": "5",
        "VFSEARCH_WEIGHTS_STEPS": "8",
        "VFSEARCH_VOICE_ENCODER": "own_encoder:SpectrumEncoder",
        "VFSEARCH_WORKERS": "1",
        "PYTHONPATH": str(ROOT / "examples"),
    }
    return folder, {**{k: v for k, v in os.environ.items() if not k.startswith("VFSEARCH_")}, **settings}


@pytest.fixture(scope="module")
def walked(environment):
    """A workspace in which every command of the README was given, in its order."""
    folder, env = environment
    return folder, {" ".join(command): run(command, folder, env) for command in commands()}


def run(command: list[str], folder: Path, env: dict[str, str]) -> subprocess.CompletedProcess:
    while "=" in command[0]:
        command = command[1:]
    assert command[0] == "vfsearch", command
    # Few people, and so few candidates: what is checked is that the commands work as written.
    words = [{"64": "12", "2,5,10": "2,3", "5,10": "2,3"}.get(word, word) for word in command[1:]]
    program = [sys.executable, "-m", "vfsearch_cli.main", *words]
    return subprocess.run(program, cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_every_command_works(walked):
    for command, done in walked[1].items():
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        assert done.stdout, command


def test_the_python_of_the_kernels_works(tmp_path):
    code = next(block for block in blocks("python") if "search_gallery" in block)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "(500, 10) float64\n"


def test_the_python_works(walked, environment):
    folder, env = walked[0], environment[1]
    code = next(block for block in blocks("python") if "train_model" in block)
    # The library takes as arguments what the command line takes from the environment.
    frozen = "vfsearch.Encoders(voice='own_encoder:SpectrumEncoder', face='id-hash-face')"
    code = code.replace("steps=500)", f"steps=5), {frozen}").replace('gallery="face")', 'gallery="face", n=(2, 3))')
    program = [sys.executable, "-c", code]
    done = subprocess.run(program, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "matching 2" in done.stdout and "retrieval" in done.stdout


def test_the_python_of_an_index_works(walked):
    code = next(block for block in blocks("python") if "open_index" in block)
    done = subprocess.run([sys.executable, "-c", code], cwd=walked[0], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"\(\d+, 3\) \['person\d+'(, 'person\d+'){2}\]\n", done.stdout), done.stdout


def test_a_shard_opens_as_shown(walked):
    import h5py

    shard = next((walked[0] / "embeddings").glob("voice-*.h5"))
    with h5py.File(shard) as file:
        assert len(file["vectors"][:]) == len([name.decode() for name in file["ids"]]) > 0


def test_the_settings_file_is_valid():
    assert tomllib.loads(blocks("toml")[0])["query"]["n"] == [2, 5, 10, 50]


def test_the_manifest_shown_is_read(tmp_path):
    import vfsearch

    text = blocks("csv")[0]
    (tmp_path / "manifest.csv").write_text(text)
    assert len(vfsearch.read_manifest(tmp_path / "manifest.csv")) == 2


@pytest.mark.parametrize("target", re.findall(r"\]\((?!http)([^)#]+)\)", README))
def test_links_lead_somewhere(target):
    assert (ROOT / target).exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--nothing"], 2, "unknown option"),
        (["--people"], 2, "needs a value"),
        (["--manifest", "none.csv"], 3, "cannot read"),
        (["--help"], 0, "generated people"),
    ],
)
def test_quickstart_options(arguments, code, said):
    script = ROOT / "examples/quickstart.sh"
    done = subprocess.run(["bash", script, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == code and said in done.stdout + done.stderr


@pytest.mark.parametrize("script", ["examples/quickstart.sh", "examples/environment.sh", "tests/run.sh", ".ci/run"])
def test_scripts_parse(script):
    assert subprocess.run(["bash", "-n", ROOT / script], check=False).returncode == 0
