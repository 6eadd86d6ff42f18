import pytest
import safetensors.torch
import torch
from small_networks import SMALL, small_network, weights_file, weights_folder

from vfsearch.artefact import Artefact
from vfsearch.encoders.network_weights import load_backbone, settings_beside
from vfsearch.errors import ArtefactError, DamagedError, InputError, MismatchError
from vfsearch.files import sha256
from vfsearch.networks.catalog import make_network


def saved(path, tensors) -> str:
    path.write_bytes(safetensors.torch.save(tensors))
    return str(path)


@pytest.mark.parametrize("name", sorted(SMALL))
def test_weights_are_put_in_place(name, tmp_path):
    wanted, network = small_network(name, seed=0), small_network(name, seed=1)
    found = load_backbone(weights_file(tmp_path / "w", name), network)
    assert found == sha256((tmp_path / "w").read_bytes())
    assert all(torch.equal(tensor, network.state_dict()[key]) for key, tensor in wanted.state_dict().items())


def test_a_folder_holds_the_same(tmp_path):
    name = "ir50"
    folder, path = weights_folder(tmp_path / "folder", name), weights_file(tmp_path / "w", name)
    assert load_backbone(folder, small_network(name)) == load_backbone(path, small_network(name))
    assert settings_beside(folder, name) == SMALL[name]
    assert settings_beside(path, name) == settings_beside("", name) == {}


def test_counters_may_be_missing_and_half_precision_is_widened(tmp_path):
    network = small_network("ir50", seed=1)
    halves = {
        key: tensor.half() for key, tensor in small_network("ir50").state_dict().items() if tensor.is_floating_point()
    }
    load_backbone(saved(tmp_path / "w", halves), network)
    weight = network.state_dict()["input_layer.0.weight"]
    assert weight.dtype == torch.float32 and torch.equal(weight, halves["input_layer.0.weight"].float())


def test_tensors_of_another_network_are_named(tmp_path):
    tensors = small_network("ir50").state_dict()
    tensors["module.fc.weight"] = tensors.pop("input_layer.0.weight")
    wide = make_network("ir50", {**SMALL["ir50"], "dimension": 4})
    message = (
        r"do not fit the network; of its \d+ tensors, 1 missing: input_layer.0.weight; 1 unknown: module.fc.weight; "
        r"6 of another shape: output_layer.3.weight is \(8, 256\), wanted \(4, 256\), .* and 3 more; give the settings"
    )
    with pytest.raises(MismatchError, match=message):
        load_backbone(saved(tmp_path / "w", tensors), wide)


def test_what_is_no_file_of_weights_is_refused(tmp_path):
    network = small_network("ir50")
    with pytest.raises(InputError, match=r"cannot read the weights .*nothing: No such file"):
        load_backbone(tmp_path / "nothing", network)
    (tmp_path / "text").write_text("not tensors, but long enough to hold a length")
    with pytest.raises(
        InputError, match=r"are not a safetensors file .* take over other files with `vfsearch model imp"
    ):
        load_backbone(tmp_path / "text", network)
    with pytest.raises(ArtefactError, match=r"no network at .*make it with `vfsearch model import`"):
        load_backbone(tmp_path, network)


def test_a_folder_of_another_kind_or_damaged_is_refused(tmp_path):
    (tmp_path / "model").mkdir()
    Artefact(folder=tmp_path / "model", kind="model", schema=1, about={}).write()
    with pytest.raises(ArtefactError, match="is a model, not a network"):
        load_backbone(tmp_path / "model", small_network("ir50"))
    folder = weights_folder(tmp_path / "folder", "ir50")
    path = tmp_path / "folder" / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x7f")
    with pytest.raises(DamagedError, match="is damaged"):
        load_backbone(folder, small_network("ir50"))
