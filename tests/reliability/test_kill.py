"""Killed at random moments, then run again: nothing lost, nothing doubled, the same bytes as undisturbed.

Most processes are forked from one that has loaded the modules already: it is in the working phases that a kill can do
harm, and loading takes longer than they do. VFSEARCH_LONG_TESTS=1 makes it 1,000 kills of `embed` (a fifth of them of
processes of their own) and 100 of `train` and of `index build`.
"""

import multiprocessing
import random
import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from builders import ID_HASH_OPTIONS, contents, rounds, run_cli, start_cli, write_manifest

from vfsearch.store.store import open_store

KILLS_IN_A_ROW = 5
EMBED = ["embed", "--frozen", *ID_HASH_OPTIONS, "--shard-rows", "30"]
TRAIN = ["train", *ID_HASH_OPTIONS, "--steps", "30", "--batch-size", "8", "--hidden", "8", "--dimension", "16",
         "--threads", "1", "--checkpoint-steps", "2"]  # fmt: skip
INDEX = ["index", "build", "-q"]
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    ["__main__", "vfsearch_cli.main", "vfsearch.pipeline.embed", "vfsearch.pipeline.index", "vfsearch.index.exact",
     "vfsearch.pipeline.train", "vfsearch.train.loop", "safetensors.torch", "torch._dynamo"]
)  # fmt: skip


class Forked:
    """A command in a process that has its modules loaded."""

    def __init__(self, arguments):
        self._process = FORKS.Process(target=_exit_with_code, args=(arguments,))
        self._process.start()

    def kill(self):
        self._process.kill()

    def wait(self) -> int:
        self._process.join()
        return self._process.exitcode


def _exit_with_code(arguments):
    raise SystemExit(run_cli(arguments))


def finish(start, arguments) -> float:
    """Run to the end; the seconds that it took."""
    begun = time.perf_counter()
    assert start(arguments).wait() == 0
    return time.perf_counter() - begun


def kill_often(start, arguments, seconds: float, random_: random.Random) -> int:
    """Kill a command at random moments, up to five times in a row, then let it end; how often it was killed."""
    for kills in range(KILLS_IN_A_ROW):
        process = start(arguments)
        time.sleep(random_.uniform(0.0, seconds))
        process.kill()
        code = process.wait()
        assert code in (0, -9)
        if code == 0:
            return kills
    finish(start, arguments)
    return KILLS_IN_A_ROW


def disturb(start, command, before, made, seconds, tmp_path, kills) -> None:
    """In copies of a workspace: kill the command often, let it end, compare what it made."""
    wanted = contents(*(before / name for name in made))

    def one(number: int) -> None:
        random_, done = random.Random(number), 0
        while done < kills // 2:
            place = tmp_path / f"{command[0]}-{number}"
            shutil.copytree(before, place, ignore=shutil.ignore_patterns(*made))
            done += kill_often(start, [*command, "--workspace", str(place)], seconds, random_)
            assert contents(*(place / name for name in made)) == wanted
            shutil.rmtree(place)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, range(2)))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A workspace with features, embeddings, model and indices, and how long a forked process took for each."""
    folder = tmp_path_factory.mktemp("undisturbed")
    write_manifest(folder, identities=48, items=5)
    commands = {"embed": EMBED, "train": TRAIN, "index": INDEX}
    finish(Forked, ["encoders", "--json", "--workspace", str(folder)])
    return folder, {name: finish(Forked, [*command, "--workspace", str(folder)]) for name, command in commands.items()}


def test_embed_in_its_own_process(undisturbed, tmp_path):
    folder, _ = undisturbed
    (tmp_path / "timed").mkdir()
    shutil.copy(folder / "manifest.csv", tmp_path / "timed")
    seconds = finish(start_cli, [*EMBED, "--workspace", tmp_path / "timed"])
    disturb(start_cli, EMBED, folder, ("features", "embeddings"), seconds, tmp_path, rounds(10, 200))


def test_embed(undisturbed, tmp_path):
    folder, seconds = undisturbed
    disturb(Forked, EMBED, folder, ("features", "embeddings"), seconds["embed"], tmp_path, rounds(40, 800))


def test_train_with_its_features(undisturbed, tmp_path):
    (tmp_path / "whole").mkdir()
    shutil.copy(undisturbed[0] / "manifest.csv", tmp_path / "whole")
    seconds = finish(Forked, [*TRAIN, "--workspace", str(tmp_path / "whole")])
    disturb(Forked, TRAIN, tmp_path / "whole", ("features", "model"), seconds, tmp_path, rounds(10, 100))


def test_index_build(undisturbed, tmp_path):
    folder, seconds = undisturbed
    disturb(Forked, INDEX, folder, ("index",), seconds["index"], tmp_path, rounds(10, 100))


def test_the_undisturbed_store_is_the_whole_list(undisturbed):
    store = open_store(undisturbed[0] / "embeddings")
    for modality, suffix in {"voice": ".wav", "face": ".png"}.items():
        rows = store.load(modality)
        assert len(rows) == len(set(rows.ids)) == 240
        assert all(id_.startswith(modality[0]) and id_.endswith(suffix) for id_ in rows.ids)
