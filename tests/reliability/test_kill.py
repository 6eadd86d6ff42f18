"""Killed at random moments, then run again: nothing lost, nothing doubled, the same bytes as undisturbed.

Most processes are forks of one that has loaded the modules already: it is in the working phases that a kill can do
harm, and loading takes longer than they do. VFSEARCH_LONG_TESTS=1 makes it 1,000 kills of `embed` (a fifth of them of
processes of their own) and 100 of `train`, 200 of a training end to end and of `index build`.
"""

import json
import random
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from builders import ID_HASH_OPTIONS, contents, rounds, start_cli, write_manifest

from vfsearch.corpus.generated import GeneratedCorpus, generate
from vfsearch.store.store import open_store

KILLS_IN_A_ROW = 5
EMBED = ["embed", "--frozen", *ID_HASH_OPTIONS, "--shard-rows", "30"]
TRAIN = ["train", *ID_HASH_OPTIONS, "--steps", "20", "--weights-steps", "15", "--batch-size", "8", "--hidden", "8",
         "--dimension", "16", "--threads", "1", "--checkpoint-steps", "2"]  # fmt: skip
END_TO_END = ["train", "--end-to-end", "--aligned", "--face-setting", "pixels=16", "--face-setting", "depths=1,1",
              "--face-setting", "widths=8,8", "--voice-setting", "depths=1,1", "--voice-setting", "widths=8,8",
              "--voice-setting", "seconds=0.5", "--shortest-seconds", "0.2", "--longest-seconds", "0.4", "--steps", "8",
              "--weights-steps", "8", "--batch-size", "4", "--validation", "test", "--validate-steps", "4", "--device",
              "cpu", "--threads", "1", "--workers", "1", "--checkpoint-steps", "1", "-q"]  # fmt: skip
INDEX = ["index", "build", "--preset", "exact,ivf-pq", "--threads", "1", "--device", "cpu", "-q"]


def own_process(arguments, kill_after=None) -> int:
    """The exit code of a command in a process of its own."""
    process = start_cli(arguments)
    if kill_after is not None:
        time.sleep(kill_after)
        process.kill()
    process.communicate()
    return process.returncode


class Forks:
    """Commands in forks of one process, one at a time; called like `own_process`."""

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("forking.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip

    def __call__(self, arguments, kill_after=None) -> int:
        self._process.stdin.write(json.dumps([arguments, kill_after]) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self):
        self._process.communicate()


@pytest.fixture(scope="module")
def forks():
    """Two of them, to work at the same time."""
    both = Forks(), Forks()
    yield both
    for each in both:
        each.close()


def finish(run, arguments) -> float:
    """Run to the end; the seconds that it took."""
    begun = time.perf_counter()
    assert run(arguments) == 0
    return time.perf_counter() - begun


def kill_often(run, arguments, seconds: float, random_: random.Random) -> int:
    """Kill a command at random moments, up to five times in a row, then let it end; how often it was killed."""
    for kills in range(KILLS_IN_A_ROW):
        code = run(arguments, random_.uniform(0.0, seconds))
        assert code in (0, -9)
        if code == 0:
            return kills
    finish(run, arguments)
    return KILLS_IN_A_ROW


def disturb(runs, command, before, made, seconds, tmp_path, kills) -> None:
    """In copies of a workspace: kill the command often, let it end, compare what it made."""
    wanted = contents(*(before / name for name in made))

    def one(number: int) -> None:
        random_, done = random.Random(number), 0
        while done < kills // len(runs):
            place = tmp_path / f"{command[0]}-{number}"
            shutil.copytree(before, place, ignore=shutil.ignore_patterns(*made))
            done += kill_often(runs[number], [*command, "--workspace", str(place)], seconds, random_)
            assert contents(*(place / name for name in made)) == wanted
            shutil.rmtree(place)

    with ThreadPoolExecutor(len(runs)) as pool:
        list(pool.map(one, range(len(runs))))


@pytest.fixture(scope="module")
def undisturbed(forks, tmp_path_factory):
    """A workspace with features, embeddings, model and indices, and how long a fork took for each."""
    folder = tmp_path_factory.mktemp("undisturbed")
    write_manifest(folder, identities=48, items=5)
    finish(forks[0], ["--version"])
    commands = {"embed": EMBED, "train": TRAIN, "index": INDEX}
    return folder, {
        name: finish(forks[0], [*command, "--workspace", str(folder)]) for name, command in commands.items()
    }


def begun_alone(run, command, before, folder) -> float:
    """Run a command in a new workspace with the same list and media; the seconds that it took."""
    shutil.copytree(before, folder, ignore=shutil.ignore_patterns("features", "embeddings", "model", "index"))
    return finish(run, [*command, "--workspace", str(folder)])


def test_embed_in_its_own_process(undisturbed, tmp_path):
    seconds = begun_alone(own_process, EMBED, undisturbed[0], tmp_path / "timed")
    made = ("features", "embeddings")
    disturb([own_process] * 2, EMBED, undisturbed[0], made, seconds, tmp_path, rounds(10, 200))


def test_embed(forks, undisturbed, tmp_path):
    folder, seconds = undisturbed
    disturb(forks, EMBED, folder, ("features", "embeddings"), seconds["embed"], tmp_path, rounds(40, 800))


def test_train_with_its_features(forks, undisturbed, tmp_path):
    seconds = begun_alone(forks[0], TRAIN, undisturbed[0], tmp_path / "whole")
    disturb(forks, TRAIN, tmp_path / "whole", ("features", "model"), seconds, tmp_path, rounds(10, 100))


def test_train_end_to_end(forks, tmp_path):
    folder = tmp_path / "whole"
    generate(folder, GeneratedCorpus(people=8, seed=1, clips=2, photos=2, clip_seconds=0.5))
    finish(forks[0], [*END_TO_END, "--workspace", str(folder)])
    seconds = begun_alone(forks[0], END_TO_END, folder, tmp_path / "timed")
    disturb(forks, END_TO_END, folder, ("model",), seconds, tmp_path, rounds(20, 200))


def test_index_build(forks, undisturbed, tmp_path):
    folder, seconds = undisturbed
    disturb(forks, INDEX, folder, ("index",), seconds["index"], tmp_path, rounds(20, 200))


def test_the_undisturbed_store_is_the_whole_list(undisturbed):
    store = open_store(undisturbed[0] / "embeddings")
    for modality in ("voice", "face"):
        rows = store.load(modality)
        assert len(rows) == len(set(rows.ids)) == 240
        assert all(id_.startswith(modality[0]) for id_ in rows.ids)
