"""Two writers at once: one wins, the other is told who holds the lock. VFSEARCH_LONG_TESTS=1: 100 pairs."""

import os
import re
import shutil
import subprocess
import sys
import time

import pytest
from builders import ID_HASH_OPTIONS, contents, rounds, run_cli, start_cli, write_manifest

from vfsearch import files
from vfsearch.errors import LockedError, VfsearchError
from vfsearch.files import writer_lock

HOLD = """
import sys, time
from pathlib import Path
from vfsearch.files import writer_lock
with writer_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""
COMMANDS = {
    "features": ["embed", "--frozen", *ID_HASH_OPTIONS],
    "embeddings": ["embed", "--frozen", *ID_HASH_OPTIONS],
    "model": ["train", *ID_HASH_OPTIONS, "--stages", "retrain", "--steps", "1", "--batch-size", "2"],
    "index/voice": ["index", "build"],
    "index/face-ivf": ["index", "build", "--modality", "face", "--preset", "ivf", "--device", "cpu"],
    "runs/mine": ["query", "--name", "mine", "--device", "cpu"],
}


@pytest.mark.parametrize("place", COMMANDS)
def test_the_second_is_told_who_writes(place, built, capsys):
    shutil.rmtree(built.folder / place, ignore_errors=True)
    if place in ("features", "embeddings"):
        shutil.rmtree(built.store_folder, ignore_errors=True)
    holder = subprocess.Popen([sys.executable, "-c", HOLD, built.folder / place], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        assert run_cli([*COMMANDS[place], "--workspace", built.folder]) == 75
        said = capsys.readouterr().err
        assert f"{built.folder / place} is being written by process {holder.pid} on " in said
        assert "wait for it to end, or stop it" in said
    finally:
        holder.kill()
        holder.communicate()
    assert run_cli([*COMMANDS[place], "--workspace", built.folder]) == 0
    assert (built.folder / place / "LOCK").read_bytes() == b""


def test_two_real_runs_at_once(tmp_path):
    write_manifest(tmp_path / "alone", identities=8)
    embed = ["embed", "--frozen", *ID_HASH_OPTIONS, "--shard-rows", "4", "--workspace"]
    assert run_cli([*embed, tmp_path / "alone"]) == 0
    wanted = list(contents(tmp_path / "alone").values())
    for turn in range(rounds(2, 100)):
        folder = tmp_path / str(turn)
        write_manifest(folder, identities=8)
        both = [start_cli([*embed, folder]) for _ in range(2)]
        errors = [process.communicate()[1] for process in both]
        codes = sorted(process.returncode for process in both)
        assert codes in ([0, 75], [0, 0]), errors
        for process, error in zip(both, errors, strict=True):
            if process.returncode == 75:
                assert re.search(r"is being written by (process \d+ on |another process)", error)
        assert list(contents(folder).values()) == wanted


def test_two_real_builds_at_once(built):
    build = ["index", "build", "--modality", "face", "--preset", "ivf", "--device", "cpu", "--workspace", built.folder]
    assert run_cli(build) == 0
    wanted = contents(built.index_folder("face-ivf"))
    for _ in range(rounds(1, 50)):
        shutil.rmtree(built.index_folder("face-ivf"))
        both = [start_cli(build) for _ in range(2)]
        errors = [process.communicate()[1] for process in both]
        assert sorted(process.returncode for process in both) in ([0, 75], [0, 0]), errors
        assert contents(built.index_folder("face-ivf")) == wanted


def test_within_one_process(tmp_path):
    with writer_lock(tmp_path / "store"):
        held = pytest.raises(LockedError, match=f"store is being written by process {os.getpid()} on ")
        with held, writer_lock(tmp_path / "store"):
            pass
        assert (tmp_path / "store" / "LOCK").read_text().startswith("process ")
    assert (tmp_path / "store" / "LOCK").read_bytes() == b""
    with writer_lock(tmp_path / "store"):
        pass


def test_the_lock_is_given_back_when_the_work_fails(tmp_path):
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), writer_lock(tmp_path):
            _ = 1 / 0
    assert (tmp_path / "LOCK").read_bytes() == b""


def test_what_a_killed_writer_left_in_the_lock_does_not_count(tmp_path):
    (tmp_path / "LOCK").write_text("process 1 on elsewhere\n")
    begun = time.monotonic()
    with writer_lock(tmp_path):
        assert f"process {os.getpid()} on " in (tmp_path / "LOCK").read_text()
    assert time.monotonic() - begun < 5


def test_a_file_system_without_locks(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(files.fcntl, "flock", refuse)
    with pytest.raises(VfsearchError, match=r"cannot lock .*LOCK: No locks available"), writer_lock(tmp_path):
        pass


def test_a_folder_in_the_place_of_the_lock(tmp_path):
    (tmp_path / "LOCK").mkdir()
    with pytest.raises(VfsearchError, match=r"cannot lock .*LOCK: Is a directory"), writer_lock(tmp_path):
        pass
