"""Indices by the name of what they are good for: a back end with build settings that suit it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from vfsearch.errors import UnknownNameError
from vfsearch.index.backends import BACKENDS
from vfsearch.index.settings import BuildSettings, Plain


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A kind of index that can be asked for by name.

    Args:
        name: what it is called.
        backend: registered back end.
        parameters: build settings other than the back end's defaults.
        help: one line.
        device: "cpu" or "cuda": where it is searched.
    """

    name: str
    backend: str
    parameters: Mapping[str, Plain] = field(default_factory=dict)
    help: str
    device: str = "cpu"

    @property
    def missing(self) -> tuple[str, ...]:
        """Modules that it needs and that are not installed."""
        return BACKENDS.entry(self.backend).missing

    def settings(self, more: Mapping[str, Plain] | None = None, seed: int = 1) -> BuildSettings:
        """Its build settings.

        Args:
            more: settings that go before its own.
            seed: of every random choice.
        """
        return BuildSettings(backend=self.backend, parameters={**self.parameters, **(more or {})}, seed=seed)


_ALL = (
    Preset(name="exact", backend="exact", help="every row compared, our own kernels; no loss"),
    Preset(name="clustered", backend="clustered",
           help="lists of whole rows around centres, our own kernels; quickest for many probes at a time"),
    Preset(name="flat", backend="faiss", parameters={"factory": "Flat"}, help="every row compared, faiss"),
    Preset(name="sq8", backend="faiss", parameters={"factory": "SQ8"}, help="every row compared, 8 bits a number"),
    Preset(name="ivf", backend="faiss", parameters={"factory": "IVF{lists},Flat"},
           help="lists of whole rows around centres, mapped from disk"),
    Preset(name="ivf-sq8", backend="faiss", parameters={"factory": "IVF{lists},SQ8"},
           help="lists of rows at 8 bits a number, mapped from disk"),
    Preset(name="ivf-pq", backend="faiss", parameters={"factory": "IVF{lists},PQ{half}x4fsr"},
           help="lists of 4-bit product codes scanned in registers, the best rescored exactly; least memory"),
    Preset(name="ivf-pq-disk", backend="faiss", parameters={"factory": "IVF{lists},PQ{quarter}"},
           help="lists of 8-bit product codes mapped from disk, the best rescored exactly"),
    Preset(name="ivf-rabitq", backend="faiss", parameters={"factory": "IVF{lists},RaBitQ"},
           help="lists of 1-bit codes, the best rescored exactly"),
    Preset(name="hnsw", backend="faiss", parameters={"factory": "HNSW32,Flat"}, help="layered graph, faiss"),
    Preset(name="hnsw-sq8", backend="faiss", parameters={"factory": "HNSW32,SQ8"},
           help="layered graph of rows at 8 bits a number, faiss"),
    Preset(name="hnswlib", backend="hnswlib", help="layered graph, hnswlib"),
    Preset(name="svs", backend="svs", help="Vamana graph of whole rows"),
    Preset(name="svs-int8", backend="svs", parameters={"compression": "int8"},
           help="Vamana graph of rows at 8 bits a number, the best rescored exactly"),
    Preset(name="gpu-flat", backend="faiss-gpu", parameters={"kind": "flat"}, device="cuda",
           help="every row compared, faiss on a GPU"),
    Preset(name="gpu-ivf", backend="faiss-gpu", parameters={"kind": "ivf"}, device="cuda",
           help="lists of whole rows on a GPU"),
    Preset(name="gpu-ivf-pq", backend="faiss-gpu", parameters={"kind": "ivf-pq"}, device="cuda",
           help="lists of product codes on a GPU, the best rescored exactly"),
    Preset(name="cagra", backend="faiss-gpu", parameters={"kind": "cagra"}, device="cuda",
           help="graph on a GPU; needs a faiss with cuVS"),
)  # fmt: skip
PRESETS = {preset.name: preset for preset in _ALL}


def find_preset(name: str) -> Preset:
    """The preset of a name; a back end's own name (or module:Class) is one with its defaults.

    Raises:
        UnknownNameError: there is neither.
    """
    if name in PRESETS:
        return PRESETS[name]
    if name in BACKENDS.entries() or ":" in name:
        return Preset(name=name, backend=name, help="defaults of this back end")
    raise UnknownNameError(
        f"no kind of index is named {name!r}; known: {', '.join(PRESETS)}; back ends with their defaults: "
        f"{', '.join(sorted(BACKENDS.entries()))}; or module:Class"
    )


def buildable(device: str = "cpu") -> list[Preset]:
    """The presets whose packages are installed and that this kind of device can search."""
    kind = device.partition(":")[0]
    return [preset for preset in _ALL if not preset.missing and preset.device in ("cpu", kind)]
