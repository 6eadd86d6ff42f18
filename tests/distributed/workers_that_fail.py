"""Workers for tests of the crew."""

import os
import time


class Adds:
    """Adds one."""

    def ready(self):
        return f"node of {os.getpid()}"

    def do(self, task):
        time.sleep(0.02)
        return task + 1


class Dies(Adds):
    """Dies of every odd task."""

    def do(self, task):
        if task % 2:
            os._exit(1)
        return task + 1


class NeverStarts(Adds):
    """Needs what is not there."""

    def __init__(self):
        raise ModuleNotFoundError("No module named 'something'")


class Refuses(Adds):
    """Says what is wrong."""

    def do(self, task):
        from vfsearch.errors import MediaError

        raise MediaError("voice 'a.wav' cannot be embedded")


class Breaks(Adds):
    """Has a fault."""

    def do(self, task):
        return 1 // 0
