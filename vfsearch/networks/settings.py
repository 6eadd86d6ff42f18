"""Shapes of the trainable networks; nothing here needs torch."""

from dataclasses import dataclass

from vfsearch.errors import SettingsError

SQUEEZE_REDUCTION = 16
THIN_SQUEEZE_REDUCTION = 8


@dataclass(frozen=True, kw_only=True)
class IRSettings:
    """Shape of a face network of the IR family; the defaults are IR-50.

    Args:
        depths: residual units in each stage; every stage halves height and width.
        widths: channels of each stage.
        pixels: height and width of the input, a multiple of 2 to the number of stages.
        squeeze: squeeze-and-excitation in every unit.
        dimension: columns of the output.
        dropout: share of the last feature maps' values dropped in training.
    """

    depths: tuple[int, ...] = (3, 4, 14, 3)
    widths: tuple[int, ...] = (64, 128, 256, 512)
    pixels: int = 112
    squeeze: bool = False
    dimension: int = 512
    dropout: float = 0.4

    def __post_init__(self) -> None:
        _check_stages(self, SQUEEZE_REDUCTION if self.squeeze else 1)
        _require_whole("dimension", self.dimension)
        _require_whole("pixels", self.pixels)
        if type(self.squeeze) is not bool:
            raise SettingsError(f"squeeze: got {self.squeeze!r}, wanted true or false")
        if self.pixels % 2 ** len(self.depths):
            raise SettingsError(
                f"pixels: got {self.pixels}, wanted a multiple of {2 ** len(self.depths)}, "
                f"because each of the {len(self.depths)} stages halves the photo"
            )
        if not 0.0 <= self.dropout < 1.0:
            raise SettingsError(f"dropout: got {self.dropout}, wanted 0 or more, and less than 1")


@dataclass(frozen=True, kw_only=True)
class ThinResNetSettings:
    """Shape of a voice network; the defaults are Thin-ResNet-34.

    Args:
        widths: channels of each stage, multiples of 8; all stages but the first and the last halve bands and frames.
        depths: residual units in each stage.
        seconds: of a clip that the network looks at in evaluation; any length goes through it.
        dimension: columns of the output.
    """

    widths: tuple[int, ...] = (16, 32, 64, 128)
    depths: tuple[int, ...] = (3, 4, 6, 3)
    seconds: float = 10.0
    dimension: int = 512

    def __post_init__(self) -> None:
        _check_stages(self, THIN_SQUEEZE_REDUCTION)
        _require_whole("dimension", self.dimension)
        if isinstance(self.seconds, bool) or not isinstance(self.seconds, int | float) or not 0.1 <= self.seconds <= 60:
            raise SettingsError(f"seconds: got {self.seconds!r}, wanted 0.1 to 60")


def _check_stages(settings: IRSettings | ThinResNetSettings, multiple: int) -> None:
    for name in ("depths", "widths"):
        # JSON has no tuples
        object.__setattr__(settings, name, _whole_numbers(name, getattr(settings, name)))
    if len(settings.depths) != len(settings.widths):
        raise SettingsError(
            f"depths {settings.depths} and widths {settings.widths}: wanted one of each for every stage"
        )
    if any(width % multiple for width in settings.widths):
        raise SettingsError(
            f"widths: got {settings.widths}, wanted multiples of {multiple}, which squeeze-and-excitation divides by"
        )


def _whole_numbers(name: str, values: object) -> tuple[int, ...]:
    if not isinstance(values, list | tuple) or not values:
        raise SettingsError(f"{name}: got {values!r}, wanted a list with one number for every stage")
    for value in values:
        _require_whole(name, value)
    return tuple(values)


def _require_whole(name: str, value: object) -> None:
    if type(value) is not int or value < 1:
        raise SettingsError(f"{name}: got {value!r}, wanted a whole number above 0")
