"""Runs commands in forks of itself, the modules they need being loaded; each line of standard input is one.

A line is JSON: arguments, and after how many seconds the fork is killed (null: never). The answer is its exit code.
"""

import importlib
import json
import os
import signal
import sys
import time

LOADED = ("vfsearch_cli.main", "vfsearch_cli.embed", "vfsearch_cli.train", "vfsearch_cli.index",
          "vfsearch.pipeline.embed", "vfsearch.pipeline.index", "vfsearch.pipeline.train", "vfsearch.index.exact",
          "vfsearch.index.faiss_cpu",
          "vfsearch.encoders.id_hash", "vfsearch.train.loop", "safetensors.torch", "torch._dynamo",
          "vfsearch.pipeline.media_training", "vfsearch.networks.ir_resnet", "vfsearch.networks.thin_resnet",
          "vfsearch.train.media_pairs", "vfsearch.report.curves", "vfsearch.report.identities", "matplotlib.figure",
          "matplotlib.backends.backend_agg", "tensorboardX.record_writer")  # fmt: skip


def main():
    for name in LOADED:
        importlib.import_module(name)
    run = sys.modules["vfsearch_cli.main"].run
    for line in sys.stdin:
        arguments, seconds = json.loads(line)
        pid = os.fork()
        if pid == 0:
            os.dup2(2, 1)
            os._exit(run(arguments))
        if seconds is not None:
            time.sleep(seconds)
            # Not waited for yet: the number is still its own.
            os.kill(pid, signal.SIGKILL)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
