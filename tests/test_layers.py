"""Who may import whom: the table of layers, held against every import in the tree."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BASE = (
    "errors",
    "files",
    "remote_files",
    "artefact",
    "tables",
    "registry",
    "progress",
    "timing",
    "devices",
    "restricted_pickle",
)
LAYERS = [
    BASE,
    ("data",),
    ("kernels", "media", "networks"),
    ("corpus", "encoders", "embed", "store", "train", "index", "trials", "measure", "report", "bench"),
    ("protocol",),
    ("pipeline",),
    ("distributed",),
]
# What a stage may share with its neighbours, and nothing else: protocols put trials, measures and indices together.
LEVEL = {name: level for level, layer in enumerate(LAYERS) for name in layer}
HEAVY = {
    "torch", "faiss", "matplotlib", "tensorboardX", "onnx", "onnxruntime", "onnxscript", "ray", "dlib", "scipy",
    "sklearn", "soundfile", "av", "PIL", "h5py", "numba", "llvmlite", "triton", "hnswlib", "svs",
}  # fmt: skip
FILES = sorted((ROOT / "vfsearch").rglob("*.py"))


def imports(path: Path) -> set[str]:
    """Every vfsearch module that a file imports, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            # `from vfsearch import devices` imports a module of the package.
            names = [f"vfsearch.{alias.name}" for alias in node.names] if node.module == "vfsearch" else [node.module]
            found.update(names)
    return {name for name in found if name.split(".")[0] in ("vfsearch", "vfsearch_cli")}


def part_of(name: str) -> str:
    return [*name.split("."), ""][1]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path):
    own = path.relative_to(ROOT / "vfsearch").with_suffix("").parts[0]
    if own == "__init__":
        assert not imports(path)
        return
    for name in imports(path):
        assert not name.startswith("vfsearch_cli"), f"{path} imports a door: {name}"
        other = part_of(name)
        same_stage = other == own
        below = LEVEL[other] < LEVEL[own] or (own in BASE and other in BASE)
        assert same_stage or below, f"{path} ({own}) imports {name}: stages meet in data types, imports point down"


def test_every_package_has_a_layer():
    names = {path.relative_to(ROOT / "vfsearch").with_suffix("").parts[0] for path in FILES}
    assert names - {"__init__"} == set(LEVEL)


def loaded_by(code: str) -> set[str]:
    command = [sys.executable, "-c", f"{code}\nimport sys; print(*sorted(sys.modules))"]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def test_importing_the_package_is_light():
    assert not loaded_by("import vfsearch") & {*HEAVY, "numpy"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["query", "--help"],
        ["embed", "--help"],
        ["trials", "--help"],
        ["trials", "make", "--help"],
        ["trials", "convert", "--help"],
        ["score", "--help"],
        ["bench", "kernels", "--help"],
        ["--version"],
    ],
)
def test_help_is_light(arguments):
    quietly = "with contextlib.redirect_stdout(io.StringIO())"
    code = f"import io, contextlib, vfsearch_cli.main as m\n{quietly}: m.run({arguments})"
    assert not loaded_by(code) & {*HEAVY, "numpy"}


def test_public_names_resolve():
    import vfsearch

    for name in vfsearch.__all__:
        assert getattr(vfsearch, name) is not None
    assert set(vfsearch.__all__) <= set(dir(vfsearch))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = vfsearch.nothing
