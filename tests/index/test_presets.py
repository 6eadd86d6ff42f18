from pathlib import Path

import pytest

from vfsearch.errors import UnknownNameError
from vfsearch.index.backends import BACKENDS
from vfsearch.index.presets import PRESETS, buildable, find_preset
from vfsearch.registry import Entry

README = Path(__file__).parents[2] / "README.md"


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_each_preset_has_a_back_end_that_takes_its_settings(preset):
    if preset.missing:
        pytest.skip(f"{preset.missing[0]} is not installed")
    kind = BACKENDS.load(preset.backend)
    done = kind.prepared(preset.settings(), 100_000, 128)
    assert kind.prepared(done, 100_000, 128) == done and preset.device in kind.devices
    assert done.to_json() == type(done).from_json(done.to_json()).to_json()


def test_a_back_end_is_a_preset_with_its_defaults():
    assert find_preset("faiss").settings({"factory": "Flat"}, seed=4).to_json() == {
        "backend": "faiss", "parameters": {"factory": "Flat"}, "seed": 4,
    }  # fmt: skip
    assert find_preset("lossy_index:LossyIndex").backend == "lossy_index:LossyIndex"


def test_an_unknown_name():
    with pytest.raises(
        UnknownNameError,
        match=r"no kind of index is named 'hsnw'; known: exact, .*hnsw.*defaults: .*, faiss, .*module:Class",
    ):
        find_preset("hsnw")


def test_what_can_be_built_here(monkeypatch):
    names = [preset.name for preset in buildable()]
    assert names[0] == "exact" and "hnsw" in names and not any(PRESETS[name].device == "cuda" for name in names)
    monkeypatch.setitem(BACKENDS._entries, "faiss", Entry(target="no:where", requires=("no_such_module",)))
    assert "hnsw" not in [preset.name for preset in buildable()] and PRESETS["hnsw"].missing == ("no_such_module",)
    assert all(preset.device in ("cpu", "cuda") for preset in buildable("cuda:0"))


def test_the_readme_lists_them():
    rows = [f"| `{preset.name}` | {preset.backend} | {preset.help} |" for preset in PRESETS.values()]
    assert "\n".join(["| preset | back end | what |", "|---|---|---|", *rows, ""]) in README.read_text(encoding="utf-8")
