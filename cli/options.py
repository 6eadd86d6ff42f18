"""Options that several commands have, each from a flag, `VFSEARCH_*` or `vfsearch.toml`, in this order."""

import functools
import json
import logging
import os
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import click

from vfsearch.devices import cores
from vfsearch.errors import InputError, SettingsError
from vfsearch.remote_files import place

CONFIG_NAME = "vfsearch.toml"


class Option(click.Option):
    """An option that `VFSEARCH_<COMMAND>_<NAME>` or `VFSEARCH_<NAME>` can give too; NAME is that of its flag."""

    @property
    def flag_name(self) -> str:
        """The long flag without dashes: what environment and settings file call the option."""
        # The first is the documented one; others are spellings that are taken too.
        return next(name for name in self.opts if name.startswith("--"))[2:].replace("-", "_")

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """The value from the environment, or None."""
        name = self.flag_name.upper()
        for key in (f"{_prefix(ctx)}_{name}", f"VFSEARCH_{name}"):
            if os.environ.get(key):
                return os.environ[key]
        return None

    def value_from_envvar(self, ctx: click.Context) -> object:
        """The value from the environment; several values of one option are parted by commas or blanks."""
        text = self.resolve_envvar_value(ctx)
        if text is not None and self.multiple:
            # A value of NAME=VALUE may be a list, with commas of its own.
            return tuple((text if "=" in text else text.replace(",", " ")).split())
        return text


def _prefix(ctx: click.Context) -> str:
    return "_".join(["VFSEARCH", *_path(ctx)]).upper().replace("-", "_")


def _path(ctx: click.Context) -> list[str]:
    """The command's words, without the program's name."""
    names = []
    while ctx.parent is not None:
        names.append(ctx.info_name or "")
        ctx = ctx.parent
    return names[::-1]


_UNITS = {"": 1, "B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
          "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}  # fmt: skip
LEAST_PLAIN_BYTES = 2**20
"""Fewer bytes want a unit: who gives 4 means GiB or MiB."""
_SECONDS = {"": 1e-3, "us": 1e-6, "ms": 1e-3, "s": 1.0}


class Words(click.ParamType):
    """Words parted by commas, as a tuple."""

    name = "word,word"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """The words of a text, or of a list in a settings file."""
        parts = value.split(",") if isinstance(value, str) else list(value)
        return tuple(str(part).strip() for part in parts)


class Place(click.ParamType):
    """A folder, or its URL where a library of fsspec reaches it (s3://bucket/folder)."""

    name = "FOLDER|URL"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> object:
        """A path, or what has the same methods."""
        return place(value) if isinstance(value, str) else value


class WholeNumbers(click.ParamType):
    """2,5,10 as numbers; a settings file may give a list."""

    name = "N,N,..."

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """The numbers in a text or a list."""
        parts = value if isinstance(value, (list, tuple)) else str(value).replace(",", " ").split()
        try:
            return tuple(int(part) for part in parts)
        except (ValueError, TypeError):
            self.fail(f"{value!r} must be whole numbers with commas between, for example 2,5,10", param, ctx)


class Size(click.ParamType):
    """A number of bytes, with a unit or without."""

    name = "size"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The bytes that a text like 8GiB says."""
        found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", str(value))
        if not found or found[2] not in _UNITS:
            self.fail(f"{value!r} is no size; wanted a number with a unit, for example 8GiB or 500MB", param, ctx)
        if not found[2] and 0 < float(found[1]) < LEAST_PLAIN_BYTES:
            self.fail(f"{value!r} would be bytes: give a unit, for example {found[1]}GiB or {found[1]}MB", param, ctx)
        return int(float(found[1]) * _UNITS[found[2]])


class Seconds(click.ParamType):
    """A time, as seconds."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The seconds that a text like 2ms says; a number alone is of milliseconds."""
        found = re.fullmatch(r"\s*((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([a-z]*)\s*", str(value))
        if not found or found[2] not in _SECONDS or not float(found[1]):
            self.fail(f"{value!r} is no time; wanted a number above 0 with a unit, for example 2ms or 0.5s", param, ctx)
        return float(found[1]) * _SECONDS[found[2]]


option = functools.partial(click.option, cls=Option)
PATH, PLACE = click.Path(path_type=Path), Place()
WORDS, NUMBERS, SIZE, SECONDS = Words(), WholeNumbers(), Size(), Seconds()


shard_rows = option(
    "--shard-rows", "rows_per_part", type=click.IntRange(min=1), default=None,
    help="Most items in a shard; with another number than before, all media are read again.  [default: as the features "
    "were begun, else 512]",
)  # fmt: skip


def _read_config(ctx: click.Context, param: click.Parameter, workspace: Path) -> Path:
    """Take the defaults of this command's options from the workspace's settings file."""
    path = workspace / CONFIG_NAME
    if not path.exists():
        return workspace
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read the settings {path}: {error}") from error
    _refuse_unknown(settings, ctx.find_root(), path)
    ctx.default_map = {**(ctx.default_map or {}), **_defaults(settings, _path(ctx), ctx.command, path)}
    return workspace


def _refuse_unknown(settings: dict, root: click.Context, path: Path) -> None:
    """A mistyped table or setting would otherwise be passed over without a word."""
    commands = {name: root.command.get_command(root, name) for name in root.command.list_commands(root)}
    every = [each for command in commands.values() for each in getattr(command, "commands", {"": command}).values()]
    flags = {param.flag_name for command in every for param in command.params if isinstance(param, Option)}
    unknown = sorted(set(_plain(settings)) - flags - set(commands))
    unknown += sorted(f"[{key}]" for key, value in settings.items() if isinstance(value, dict) and key not in commands)
    if unknown:
        raise SettingsError(f"{path}: no command has the setting {', '.join(unknown)}; see `vfsearch COMMAND --help`")


def _defaults(settings: dict, words: list[str], command: click.Command, path: Path) -> dict:
    """The settings at the top that this command has, then those of its own table."""
    options = {param.flag_name: param for param in command.params if isinstance(param, Option)}
    found = _values(options, {key: value for key, value in _plain(settings).items() if key in options})
    for word in words:
        settings = settings.get(word, {})
        if not isinstance(settings, dict):
            raise SettingsError(f"{path}: {word} must be a table, [{'.'.join(words)}]")
    own = _plain(settings)
    unknown = sorted(set(own) - set(options))
    if unknown:
        raise SettingsError(
            f"{path}: [{'.'.join(words)}] has no setting {', '.join(unknown)}; known: {sorted(options)}"
        )
    return {**found, **_values(options, own)}


def _values(options: dict[str, Option], settings: dict) -> dict:
    """Parameter -> value; an option that may be given more than once may have one value too."""
    return {
        options[key].name: [value] if options[key].multiple and not isinstance(value, list) else value
        for key, value in settings.items()
    }


def _plain(settings: dict) -> dict:
    return {key.replace("-", "_"): value for key, value in settings.items() if not isinstance(value, dict)}


def common(command: Callable) -> Callable:
    """Options of every command: workspace, output and verbosity; the command gets a `Terminal` as `terminal`."""

    @option("--workspace", type=PATH, default=".", is_eager=True, expose_value=True, callback=_read_config,
            help="Folder to work in.  [default: the current one]")  # fmt: skip
    @option("--json", "as_json", is_flag=True, help="Print one JSON document on standard output.")
    @option("-q", "--quiet", is_flag=True, help="No progress, only results and errors.")
    @option("-v", "--verbose", is_flag=True, help="Say more: each failed item, where an error comes from.")
    @functools.wraps(command)
    def wrapped(*args: object, as_json: bool, quiet: bool, verbose: bool, **kwargs: object) -> object:
        from vfsearch_cli.terminal import Terminal

        logging.basicConfig(level=logging.DEBUG if verbose else logging.WARNING, format="%(levelname)s %(message)s")
        for noisy in ("h5py", "matplotlib", "PIL", "torch"):
            logging.getLogger(noisy).setLevel(logging.WARNING)
        with Terminal(as_json=as_json, quiet=quiet) as terminal:
            return command(*args, terminal=terminal, **kwargs)

    return wrapped


def computing(beside_decoders: bool, several: bool = False) -> Callable:
    """--device and --threads; the command gets `device` resolved.

    Args:
        beside_decoders: decoding processes share the cores. A network that waits for a busy core is many times slower
            than one with fewer threads, so it takes half of them.
        several: all GPUs may share the work.
    """
    usual = max(1, cores() // 2) if beside_decoders else cores()
    return functools.partial(_computing, usual_threads=usual, several=several)


def _computing(command: Callable, usual_threads: int, several: bool) -> Callable:
    usual = "one a core" if usual_threads == cores() else "one for every two cores, beside the decoders"

    devices = "auto, cpu, cuda, cuda:N or cuda:all (all GPUs)" if several else "auto, cpu, cuda or cuda:N"

    @option("--device", default="auto", show_default=True, help=f"{devices}.")
    @option("--threads", type=int, default=None, help=f"Threads to compute with.  [default: {usual}]")
    @functools.wraps(command)
    def wrapped(*args: object, device: str, threads: int | None, **kwargs: object) -> object:
        from vfsearch.devices import resolve_device, set_threads

        set_threads(usual_threads if threads is None else threads)
        return command(*args, device=resolve_device(device, several), **kwargs)

    return wrapped


def decoding(command: Callable) -> Callable:
    """How media are read; the command gets a `Decoding` as `decoding`."""

    @option("--workers", type=click.IntRange(min=0), default=None,
            help="Processes that decode; 0: in this one, unprotected.  [default: one a core]")  # fmt: skip
    @option("--max-decode-seconds", type=click.FloatRange(min=0, min_open=True), default=60.0, show_default=True,
            help="A file that takes longer fails.")  # fmt: skip
    @option("--max-audio-seconds", type=click.FloatRange(min=0, min_open=True), default=3600.0, show_default=True,
            help="A longer clip fails.")  # fmt: skip
    @option("--max-pixels", type=click.IntRange(min=1), default=50_000_000, show_default=True,
            help="A larger photo fails.")  # fmt: skip
    @functools.wraps(command)
    def wrapped(
        *args: object,
        workers: int | None,
        max_decode_seconds: float,
        max_audio_seconds: float,
        max_pixels: int,
        **kwargs: object,
    ) -> object:
        from vfsearch.media.limits import Limits
        from vfsearch.pipeline.decoding import Decoding

        limits = Limits(decode_seconds=max_decode_seconds, audio_seconds=max_audio_seconds, pixels=max_pixels)
        workers = cores() if workers is None else workers
        return command(*args, decoding=Decoding(workers=workers, limits=limits), **kwargs)

    return wrapped


def chosen_encoders(command: Callable) -> Callable:
    """Which encoders, and how media are prepared for them; the command gets an `Encoders` as `encoders`."""

    @option("--voice-encoder", default="resemblyzer", show_default=True, help="Name, or module:Class.")
    @option("--face-encoder", default="dlib-resnet", show_default=True, help="Name, or module:Class.")
    @option("--aligned", is_flag=True, help="Photos are face crops already: look for no face in them.")
    @option("--on-no-face", type=click.Choice(["crop", "fail"]), default=None,
            help="What to do with a photo in which no face is found: take its centre square and count it, or let it "
            "fail.  [default: crop]")  # fmt: skip
    @option("--faces", type=click.Choice(["largest", "central", "all"]), default=None,
            help="Of several faces in a photo: the largest, the one nearest to the middle, or a row for each.  "
            "[default: largest]")  # fmt: skip
    @option("--voice-setting", multiple=True, metavar="NAME=VALUE",
            help="Setting of the voice encoder, for example weights=networks/thin-resnet34.")  # fmt: skip
    @option("--face-setting", multiple=True, metavar="NAME=VALUE",
            help="Setting of the face encoder, for example pixels=56, or depths=1,1,1,1.")  # fmt: skip
    @functools.wraps(command)
    def wrapped(
        *args: object,
        voice_encoder: str,
        face_encoder: str,
        aligned: bool,
        on_no_face: str | None,
        faces: str | None,
        voice_setting: tuple[str, ...],
        face_setting: tuple[str, ...],
        **kwargs: object,
    ) -> object:
        from vfsearch.pipeline.encoders import Encoders

        face = {"aligned": True} if aligned else {}
        if on_no_face is not None:
            face["on_no_face"] = on_no_face
        if faces is not None:
            face["faces"] = faces
        encoders = Encoders(
            voice=voice_encoder,
            face=face_encoder,
            voice_settings=named_values("--voice-setting", voice_setting),
            face_settings={**face, **named_values("--face-setting", face_setting)},
        )
        return command(*args, encoders=encoders, **kwargs)

    return wrapped


def named_values(flag: str, texts: tuple[str, ...], example: str = "pixels=56") -> dict:
    """NAME=VALUE: a number, true or false, a list of numbers, else a text.

    Raises:
        SettingsError: a text is not of this form; the message names the flag and an example.
    """
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise SettingsError(f"{flag} is {text!r}, wanted NAME=VALUE, for example {example}")
        found[name.strip().replace("-", "_")] = _plain_value(value.strip())
    return found


def _plain_value(text: str) -> object:
    for candidate in (text, f"[{text}]"):
        try:
            value = json.loads(candidate)
        except ValueError:
            continue
        if not isinstance(value, dict):
            return value
    return text
