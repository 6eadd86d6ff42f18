"""How long work tells its caller how far it is: a callback, never a bar of its own."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called as progress(what, done, total), as often as the work likes."""


def silent(what: str, done: int, total: int) -> None:
    """The callback that shows nothing."""


def detail(progress: Progress, what: str, text: str) -> None:
    """Say more of some work (how fast it goes, what limits it) to a callback that has a method `detail(what, text)`."""
    say = getattr(progress, "detail", None)
    if say is not None:
        say(what, text)
