"""`vfsearch`: the group of commands, and how errors become exit codes."""

import contextlib
import importlib
import io
import logging
import os
import sys
from pathlib import Path

import click

import vfsearch
from vfsearch.errors import VfsearchError

COMMANDS = {
    "corpus": "corpus:corpus",
    "train": "train:train",
    "embed": "embed:embed",
    "index": "index:index",
    "trials": "trials:trials",
    "query": "query:query",
    "score": "score:score",
    "compare": "compare:compare",
    "curve": "curve:curve",
    "report": "report:report",
    "store": "store:store",
    "measures": "measures:measures",
    "model": "model:model",
    "encoders": "encoders:encoders",
    "bench": "bench:bench",
}
INTERRUPTED = 130


class Commands(click.Group):
    """The commands by name; one is loaded when it is asked for, so that help and completion stay quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command of a name, or None."""
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name].partition(":")
        return getattr(importlib.import_module(f"vfsearch_cli.{module}"), attribute)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Exit codes: 0 done; 1 failure; 2 usage; 3 input missing or unreadable; 4 done, but some items failed; "
    "5 does not fit a limit; 6 artefacts that do not go together; 75 locked by another writer; 130 interrupted.",
)
@click.version_option(vfsearch.__version__, prog_name="vfsearch")
def cli() -> None:
    """Find the face that belongs to a voice, and the voice that belongs to a face, and say how well and how fast.

    Every command works in the current folder, the workspace, which starts from a manifest.csv with the columns path,
    modality (voice or face) and identity.

    \b
    Example, on generated people:
      vfsearch corpus generate --people 64 --seed 1
      vfsearch train
      vfsearch embed
      vfsearch index build
      vfsearch query --probe voice --gallery face
    """


def main(arguments: list[str] | None = None) -> None:
    """Run one command and exit with its code."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A file name may hold bytes that are no text: shown escaped, they are no error.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    # A user's own encoder may be a module in the current folder; at the end of the path it can shadow nothing.
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    try:
        code = cli.main(args=arguments, prog_name="vfsearch", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except VfsearchError as error:
        return _failed(str(error), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return _failed("interrupted; run the same command again to go on", INTERRUPTED)
    except BrokenPipeError:
        # The reader of a pipe has gone: nothing is left to say, also not when Python closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        from vfsearch.remote_files import raised_by_storage

        logging.getLogger(__name__).debug("unexpected error", exc_info=True)
        said = f"{type(error).__name__}: {error}"
        if raised_by_storage(error):
            return _failed(f"the storage failed, run the same command again to go on: {said}", 1)
        return _failed(f"{said} (a fault of vfsearch; -v shows where)", 1)


def _failed(message: str, code: int) -> int:
    with contextlib.suppress(OSError):
        click.echo(f"{click.style('error:', fg='red')} {message}", err=True, color=_color())
    return code


def _color() -> bool | None:
    return False if os.environ.get("NO_COLOR") else None


if __name__ == "__main__":
    main()
