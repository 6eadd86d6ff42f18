"""Names for classes: listing loads nothing, an unknown name lists the known ones."""

import importlib
import importlib.util
import inspect
from dataclasses import dataclass, field
from importlib.metadata import entry_points

from vfsearch.errors import MissingExtraError, UnknownNameError


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One registered class.

    Args:
        target: "package.module:Class".
        facts: what can be told without loading it (dimension, licence, ...).
        requires: modules that must be importable.
        pip_line: how to install them.
    """

    target: str
    facts: dict = field(default_factory=dict)
    requires: tuple[str, ...] = ()
    pip_line: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        """The required modules that are not installed; nothing is imported to find out."""
        return tuple(name for name in self.requires if importlib.util.find_spec(name) is None)


class Registry:
    """Names -> classes of one kind, open to other packages through an entry-point group.

    Args:
        kind: what they are, for messages.
        group: of the entry points.
        entries: those known from the start.
        base: what each must be a subclass of.

    Example:
        >>> shapes = Registry("shape", "example.shapes", {"list": Entry(target="builtins:list")})
        >>> shapes.load("list")
        <class 'list'>
    """

    def __init__(self, kind: str, group: str, entries: dict[str, Entry], base: type = object) -> None:
        self.kind = kind
        self.group = group
        self.base = base
        self._entries = dict(entries)

    def register(self, name: str, entry: Entry) -> None:
        """Add a class under a name, for this process."""
        self._entries[name] = entry

    def entries(self) -> dict[str, Entry]:
        """Every known name, those of other installed packages included."""
        found = {point.name: Entry(target=point.value) for point in entry_points(group=self.group)}
        return {**found, **self._entries}

    def entry(self, name: str) -> Entry:
        """What is known of a name; "module:Class" needs no registration.

        Raises:
            UnknownNameError: neither registered nor of that form.
        """
        known = self.entries()
        if name in known:
            return known[name]
        if ":" in name:
            return Entry(target=name)
        raise UnknownNameError(f"no {self.kind} is named {name!r}; known: {', '.join(sorted(known))}, or module:Class")

    def load(self, name: str) -> type:
        """The class of a name.

        Raises:
            UnknownNameError: no such name, module or class, or what it names is no class of this kind.
            MissingExtraError: a package that it needs is not installed.
        """
        entry = self.entry(name)
        if entry.missing:
            raise MissingExtraError(
                f"the {self.kind} {name!r} needs {', '.join(entry.missing)}; install with: {entry.pip_line}"
            )
        return self._checked(load_target(entry.target, self.kind), name)

    def _checked(self, found: object, name: str) -> type:
        if not (isinstance(found, type) and issubclass(found, self.base)):
            wanted = f"{self.base.__module__}.{self.base.__qualname__}"
            raise UnknownNameError(f"{name!r} is no {self.kind}: wanted a subclass of {wanted}")
        if inspect.isabstract(found):
            raise UnknownNameError(f"the {self.kind} {name!r} lacks {', '.join(sorted(found.__abstractmethods__))}")
        return found


def load_target(target: str, kind: str) -> type:
    """The class that "package.module:Class" names.

    Raises:
        UnknownNameError: no such module or class.
    """
    module_name, _, class_name = target.partition(":")
    if not module_name or module_name.startswith("."):
        raise UnknownNameError(f"the {kind} {target!r} cannot be loaded: wanted package.module:Class")
    try:
        return getattr(importlib.import_module(module_name), class_name)
    except ImportError as error:
        raise UnknownNameError(f"the {kind} {target!r} cannot be loaded: {error}; is it installed?") from error
    except AttributeError as error:
        raise UnknownNameError(f"the {kind} {target!r} cannot be loaded: no {class_name} in {module_name}") from error
