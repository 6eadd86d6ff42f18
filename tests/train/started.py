"""What torchrun starts in test_parallel.py, as `started.py FOLDER [fail]`."""

import json
import sys
from pathlib import Path

from vfsearch.errors import VfsearchError
from vfsearch.train.parallel import Processes


def main(folder: str, fails: bool) -> None:
    processes = Processes.from_environment()
    found = {"rank": processes.rank, "ranks": processes.ranks, "device": processes.device("cpu")}
    try:
        with processes.wait_for_first():
            if processes.first and fails:
                raise VfsearchError("the disk is full")
        found["told"] = processes.told(f"from {processes.rank}")
    except VfsearchError as error:
        found["error"] = str(error)
    Path(folder, f"{processes.rank}.json").write_text(json.dumps(found))
    processes.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:] == ["fail"])
