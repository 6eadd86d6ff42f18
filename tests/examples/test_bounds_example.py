import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")

SCRIPT = Path(__file__).parents[2] / "examples" / "bounds.py"
FIGURES = ("draws.png", "training.png", "hinge.png")


@pytest.fixture(scope="module")
def example():
    """The script as a module."""
    specification = importlib.util.spec_from_file_location("bounds_example", SCRIPT)
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    yield module
    del sys.modules[specification.name]


def run(folder: Path, *more: str) -> subprocess.CompletedProcess:
    command = [sys.executable, str(SCRIPT), "--out", str(folder), "--draws", "20", "--identities", "12", *more]
    return subprocess.run(command, env=os.environ, capture_output=True, text=True, check=False)


def test_it_draws_three_figures_and_prints_their_numbers(tmp_path):
    done = run(tmp_path / "new" / "folder", "--steps", "30")
    assert done.returncode == 0, done.stderr
    for name in FIGURES:
        content = (tmp_path / "new" / "folder" / name).read_bytes()
        assert content.startswith(b"\x89PNG") and len(content) > 10_000
    assert len(re.findall(r"10 of 10", done.stdout)) == 4
    assert len(re.findall(r"^  step ", done.stdout, re.MULTILINE)) == 8
    assert len(re.findall(r"^  (?:before|after) training", done.stdout, re.MULTILINE)) == 2 * 3 * 5


def test_the_bound_holds_on_random_draws_of_every_kind(example):
    draws = example.random_draws(60, np.random.default_rng(3))
    assert len(draws) == 120 and all(draw.holds for draw in draws)
    assert {(draw.weighted, draw.leaning) for draw in draws} == {(a, b) for a in (True, False) for b in (True, False)}


def test_a_draw_below_its_bound_would_be_counted(example):
    draw = example.random_draws(1, np.random.default_rng(3))[0]
    below = draw.bound._replace(loss=draw.bound.bound * (1 - 1e-9))
    assert not example.Draw(bound=below, weighted=False, leaning=False, size=1.0).holds


def test_the_bound_holds_all_through_a_training_that_learns(example):
    random = np.random.default_rng(0)
    example.torch.manual_seed(0)
    *sides, labels = example.people(12, 5, random)
    snapshots = example.train(sides, labels, 30, random)
    assert [snapshots[0].step, snapshots[-1].step] == [0, 30]
    bounds = [example.implicit_bound(s.voices, s.faces, labels, s.classifier) for s in snapshots]
    assert all(each.loss >= each.jensen >= each.bound for each in bounds)
    assert bounds[-1].loss < 0.5 * bounds[0].loss
