"""Every error that vfsearch raises on purpose, as one tree.

A message says what happened, where (path, id), what was got, what was wanted and what to do next. `exit_code` is what
the command line ends with.
"""


class VfsearchError(Exception):
    """Root of the tree: catching it catches every error that vfsearch raises on purpose."""

    exit_code = 1


class SettingsError(VfsearchError):
    """A setting, an option or an argument is out of its range."""

    exit_code = 2


class UnknownNameError(SettingsError):
    """A name is not in its registry; the message lists the known ones."""


class MissingExtraError(VfsearchError):
    """A part needs a package that is not installed; the message gives its pip line."""


class InputError(VfsearchError):
    """Something to be read is missing, unreadable or not what it should be."""

    exit_code = 3


class ManifestError(InputError):
    """A list of media files has a missing column, a bad value or an empty selection."""


class MediaError(InputError):
    """One media file cannot be used: missing, broken, too large, silent, without a face."""


class TrialListError(InputError):
    """A list of trials, or a file of scores, is not what it should be; the message names the line."""


class ArtefactError(InputError):
    """A model, store, index or run is missing, incomplete or of another kind or version."""


class DamagedError(ArtefactError):
    """A file's bytes are not those that were written."""


class VectorError(InputError):
    """Rows are not finite, not of unit length or not of the stated shape."""


class DoesNotFitError(VfsearchError):
    """The work does not fit the stated limit of memory, time or recall."""

    exit_code = 5


class MismatchError(VfsearchError):
    """Two artefacts do not go together, for example a store and an index of another store."""

    exit_code = 6


class SpaceMismatchError(MismatchError):
    """Rows of two different spaces were about to be compared."""


class LockedError(VfsearchError):
    """Another process is writing to the same artefact."""

    exit_code = 75


class PartitionLostError(VfsearchError):
    """A partition of an index went away while it was searched, and could not be opened again."""
