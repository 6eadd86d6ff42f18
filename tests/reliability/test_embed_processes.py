"""Embedding with decoding processes of its own: killed, interrupted, its processes killed, each time the same bytes.

VFSEARCH_LONG_TESTS=1 makes it 200 kills.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from builders import contents, rounds, write_manifest
from text_encoder import OPTIONS, write_media

from vfsearch.pipeline.decoding import Decoding
from vfsearch.pipeline.embed import embed_manifest
from vfsearch.pipeline.encoders import Encoders
from vfsearch.pipeline.workspace import Workspace

EMBED = ["embed", "--frozen", *OPTIONS, "--shard-rows", "20", "--workers", "3"]
MADE = ("features", "embeddings")


def start(place: Path) -> subprocess.Popen:
    """The command in a process of its own, which finds the encoder beside the tests."""
    path = os.pathsep.join([str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen(
        [sys.executable, "-m", "vfsearch_cli.main", *EMBED, "--workspace", str(place)],
        env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A workspace with 400 files, embedded, and how long that took."""
    folder = tmp_path_factory.mktemp("undisturbed")
    write_manifest(folder, identities=40, items=5)
    write_media(folder, Workspace(folder=folder).read_manifest())
    begun = time.perf_counter()
    process = start(folder)
    assert process.wait() == 0, process.stderr.read()
    return folder, time.perf_counter() - begun


@pytest.fixture
def place(undisturbed, tmp_path):
    """The same files and list, nothing embedded."""
    shutil.copytree(undisturbed[0], tmp_path / "w", ignore=shutil.ignore_patterns(*MADE))
    return tmp_path / "w"


def same(place, undisturbed):
    return contents(*(place / name for name in MADE)) == contents(*(undisturbed[0] / name for name in MADE))


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_killed_at_random_moments(undisturbed, place):
    random_, kills = random.Random(1), 0
    while kills < rounds(12, 200):
        for made in MADE:
            shutil.rmtree(place / made, ignore_errors=True)
        for _ in range(4):
            process = start(place)
            time.sleep(random_.uniform(0.2 * undisturbed[1], undisturbed[1]))
            process.kill()
            process.communicate()
            kills += 1
        process = start(place)
        assert process.wait() == 0, process.stderr.read()
        assert same(place, undisturbed)


def test_interrupted(undisturbed, place):
    for share in (0.4, 0.6, 0.8):
        process = start(place)
        time.sleep(share * undisturbed[1])
        process.send_signal(signal.SIGINT)
        said = process.communicate()[1]
        assert process.returncode in (0, 130) and "Traceback" not in said, said
    process = start(place)
    assert process.wait() == 0 and same(place, undisturbed)


def test_processes_that_decode_are_killed_at_random(undisturbed, place):
    random_, killed = random.Random(2), []
    encoders = Encoders(voice="text_encoder:TextVoice", face="text_encoder:TextFace")
    for _ in range(rounds(4, 100)):
        for made in MADE:
            shutil.rmtree(place / made, ignore_errors=True)
        with _two_kills(random_, killed):
            report = embed_manifest(Workspace(folder=place), encoders, Decoding(workers=3), rows_per_part=20)
        assert report.failures == {"voice": 0, "face": 0}
        assert same(place, undisturbed)
    assert len(killed) >= rounds(4, 100)


@contextmanager
def _two_kills(random_: random.Random, killed: list[int]):
    """Kill two of this process's children at random moments: whichever they are, three starts are enough."""
    stop = threading.Event()

    def kill_some():
        left = 2
        while left and not stop.wait(random_.uniform(0.02, 0.3)):
            found = [pid for task in Path("/proc/self/task").iterdir() for pid in _children_of_thread(task)]
            if found:
                killed.append(random_.choice(found))
                os.kill(killed[-1], signal.SIGKILL)
                left -= 1

    killer = threading.Thread(target=kill_some)
    killer.start()
    try:
        yield
    finally:
        stop.set()
        killer.join()


def _children_of_thread(task: Path) -> list[int]:
    try:
        return [int(pid) for pid in (task / "children").read_text().split()]
    except FileNotFoundError:
        return []


def test_two_at_once(undisturbed, place):
    both = [start(place), start(place)]
    codes = sorted(process.wait() for process in both)
    said = [process.stderr.read() for process in both]
    assert codes in ([0, 75], [0, 0]), said
    assert codes == [0, 0] or any("is being written by process" in text for text in said)
    assert same(place, undisturbed)
