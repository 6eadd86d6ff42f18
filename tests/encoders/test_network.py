import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from small_networks import SMALL, small_network, weights_file, weights_folder

from vfsearch.encoders.catalog import make_encoder
from vfsearch.encoders.network import network_preparation, parse_network_settings
from vfsearch.errors import MismatchError, SettingsError, UnknownNameError
from vfsearch.networks.catalog import make_network

NAMES = sorted(SMALL)


def samples(name: str, n: int = 3) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    if name == "thin-resnet34":
        return [random.normal(0, 2000, 3000 + 1000 * k).astype(np.float32) for k in range(n)]
    return [random.integers(0, 256, (16, 16 + k, 3)).astype(np.uint8) for k in range(n)]


def encoder(name: str, weights: str, **settings):
    aligned = {} if name == "thin-resnet34" else {"aligned": True}
    return make_encoder(name, weights=weights, **{**SMALL[name], **aligned, **settings})


@pytest.mark.parametrize("name", NAMES)
def test_rows_are_the_features_of_the_network_made_unit_length(name, tmp_path):
    network = small_network(name)
    found = encoder(name, weights_file(tmp_path / "w", name)).encode(samples(name))
    with torch.no_grad():
        wanted = network(network.inputs.evaluation(samples(name))).double().numpy()
    assert found.shape == (3, 8) and found.dtype == np.float32
    np.testing.assert_allclose(found, wanted / np.linalg.norm(wanted, axis=1, keepdims=True), atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_rows_do_not_depend_on_the_batch(name, tmp_path):
    one = encoder(name, weights_file(tmp_path / "w", name))
    together = one.encode(samples(name, 11))
    alone = np.concatenate([one.encode([sample]) for sample in samples(name, 11)])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert one.encode([]).shape == (0, 8)


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_says_the_settings_and_gives_the_same_space(name, tmp_path):
    folder = weights_folder(tmp_path / "folder", name)
    aligned = {} if name == "thin-resnet34" else {"aligned": True}
    found = make_encoder(name, weights=folder, **aligned)
    by_file = encoder(name, weights_file(tmp_path / "w", name))
    assert found.dimension == 8
    assert found.space == by_file.space
    np.testing.assert_array_equal(found.encode(samples(name)), by_file.encode(samples(name)))


def test_weights_settings_and_preparation_count_in_the_space(tmp_path):
    first, second = (weights_file(tmp_path / str(seed), "ir50", seed) for seed in (0, 1))
    space = encoder("ir50", first).space
    assert space == encoder("ir50", first).space
    assert space != encoder("ir50", second).space
    assert space != encoder("ir50", first, on_no_face="fail").space
    voice = weights_file(tmp_path / "voice", "thin-resnet34")
    assert encoder("thin-resnet34", voice).space != encoder("thin-resnet34", voice, seconds=1.0).space


def test_dropout_does_not_count(tmp_path):
    folder = weights_folder(tmp_path / "folder", "ir50", {**SMALL["ir50"], "dropout": 0.1})
    by_file = encoder("ir50", weights_file(tmp_path / "w", "ir50"))
    assert make_encoder("ir50", weights=folder, aligned=True).space == by_file.space


@pytest.mark.usefixtures("needs_dlib")
def test_looking_for_faces_counts_in_the_weights(tmp_path):
    weights = weights_file(tmp_path / "w", "ir50")
    looking, aligned = (encoder("ir50", weights, aligned=aligned) for aligned in (False, True))
    assert looking.weights_digest() != aligned.weights_digest()


@pytest.mark.parametrize("name", NAMES)
def test_without_weights_it_says_what_to_do(name):
    modality = "voice" if name == "thin-resnet34" else "face"
    bare = make_encoder(name)
    message = f"{name!r} has no weights of its own: give --{modality}-setting weights=FOLDER.*train --end-to-end"
    with pytest.raises(SettingsError, match=message):
        _ = bare.space
    with pytest.raises(SettingsError, match=message):
        bare.encode([])


def test_making_one_does_not_disturb_who_draws_next(tmp_path):
    weights = weights_file(tmp_path / "w", "ir50")
    torch.manual_seed(3)
    wanted = torch.rand(2)
    torch.manual_seed(3)
    encoder("ir50", weights).weights_digest()
    assert torch.equal(torch.rand(2), wanted)


@pytest.mark.parametrize("name", NAMES)
def test_settings_are_taken_apart_and_completed(name):
    network, preparation, weights = parse_network_settings(name, SMALL[name])
    assert weights == "" and SMALL[name].items() <= network.items()
    assert json.loads(json.dumps([network, preparation])) == [network, preparation]
    assert parse_network_settings(name, {**network, **preparation}) == (network, preparation, "")
    assert network_preparation(name, SMALL[name]) == network_preparation(name, preparation)
    assert make_network(name, network).dimension == 8


def test_the_size_of_the_network_is_that_of_its_preparation():
    assert network_preparation("ir50", {"pixels": 64}).pixels == 64
    assert network_preparation("ir_se50", {}).pixels == 112
    assert network_preparation("thin-resnet34", {"seconds": 3}).seconds == 3


def test_what_is_given_goes_before_what_the_folder_says(tmp_path):
    folder = weights_folder(tmp_path / "folder", "thin-resnet34")
    network, preparation, weights = parse_network_settings("thin-resnet34", {"weights": folder, "seconds": 2})
    assert (network["seconds"], network["widths"], preparation, weights) == (2, [8, 16], {"seconds": 2}, folder)


def test_a_folder_for_another_network_is_refused(tmp_path):
    folder = weights_folder(tmp_path / "folder", "ir_se50", {**SMALL["ir_se50"], "squeeze": True})
    assert parse_network_settings("ir_se50", {"weights": folder})[0] == {**SMALL["ir_se50"], "dropout": 0.4}
    with pytest.raises(MismatchError, match="folder are for the network 'ir_se50', not for 'ir50'"):
        make_encoder("ir50", weights=folder)


@pytest.mark.parametrize(
    "name, settings, error, message",
    [
        ("ir50", {"squeeze": True}, SettingsError, "'ir50' does not take squeeze; its settings are depths, widths"),
        ("ir50", {"seconds": 1}, SettingsError, "does not take seconds; .*aligned.*weights"),
        ("thin-resnet34", {"aligned": True}, SettingsError, "does not take aligned; its settings are widths"),
        ("ir50", {"on_no_face": "skip"}, SettingsError, "on_no_face: got 'skip', wanted one of crop, fail"),
        ("ir50", {"pixels": 100}, SettingsError, "pixels: got 100, wanted a multiple of 16"),
        ("resemblyzer", {}, UnknownNameError, "no network is named 'resemblyzer'; known: ir50, ir_se50, thin-resnet34"),
    ],
)
def test_settings_that_do_not_fit_are_refused(name, settings, error, message):
    with pytest.raises(error, match=message):
        parse_network_settings(name, settings)


def test_importing_it_loads_no_torch():
    program = "import sys, vfsearch.encoders.network; sys.exit(bool({'torch', 'dlib'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": ":".join(sys.path)}).returncode == 0
