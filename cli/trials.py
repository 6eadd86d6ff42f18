"""`vfsearch trials`: lists of trials."""

import importlib
from collections.abc import Iterator, Mapping

import click

COMMANDS = {
    "make": "trials_make:make",
    "convert": "trials_convert:convert",
    "info": "trials_info:info",
    "formats": "trials_formats:formats",
    "audit": "trials_audit:audit",
}


class _Loaded(Mapping):
    """The commands by name; one is loaded when it is asked for."""

    def __getitem__(self, name: str) -> click.Command:
        module, _, attribute = COMMANDS[name].partition(":")
        return getattr(importlib.import_module(f"vfsearch_cli.{module}"), attribute)

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class _Trials(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of use."""
        return list(COMMANDS)


@click.group(cls=_Trials, commands=_Loaded())
def trials() -> None:
    """Lists of trials: make them, convert them between the formats of the field, look at them, audit them."""
