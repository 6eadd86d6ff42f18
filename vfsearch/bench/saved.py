"""The tables as a file."""

from pathlib import Path

from vfsearch.bench.report import KernelReport
from vfsearch.bench.tables import markdown
from vfsearch.errors import SettingsError
from vfsearch.files import make_folder, write_file


def require_writable(path: Path | None) -> None:
    """Make the folder of a file that will be written: what takes an hour must not be lost at its end.

    Args:
        path: None: nothing will be written.
    Raises:
        SettingsError: it is a folder.
        VfsearchError: its folder cannot be made.
    """
    if path is None:
        return
    if path.is_dir():
        raise SettingsError(f"{path} is a folder: name the file that the tables shall be written to")
    make_folder(path.parent)


def save(report: KernelReport, path: Path | None) -> None:
    """Write a report as Markdown; None: nowhere."""
    if path is not None:
        write_file(path, markdown(report).encode("utf-8"))
