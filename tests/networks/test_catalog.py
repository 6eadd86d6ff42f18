import json
import subprocess
import sys

import pytest

from vfsearch.errors import SettingsError, UnknownNameError
from vfsearch.networks.catalog import NETWORKS, make_network, network_settings, settings_to_json
from vfsearch.networks.ir_resnet import IRNetwork
from vfsearch.networks.thin_resnet import ThinResNet

SMALL_FACE = {"depths": [1, 1], "widths": [16, 32], "pixels": 16, "dimension": 8}
SMALL_VOICE = {"depths": [1, 1], "widths": [8, 16], "seconds": 1, "dimension": 8}


@pytest.mark.parametrize(
    "name, settings, kind",
    [("ir50", SMALL_FACE, IRNetwork), ("ir_se50", SMALL_FACE, IRNetwork), ("thin-resnet34", SMALL_VOICE, ThinResNet)],
)
def test_a_network_by_its_name(name, settings, kind):
    network = make_network(name, settings)
    assert isinstance(network, kind)
    assert network.modality == NETWORKS[name].modality
    assert network.dimension == 8
    assert any(".res_layer.5.fc1." in key for key in network.state_dict()) == (name == "ir_se50")


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_settings_through_json_give_the_same_network(name):
    settings = network_settings(name, {})
    document = json.loads(json.dumps(settings_to_json(name, settings)))
    assert document == settings_to_json(name, settings)
    assert network_settings(name, document) == settings


def test_unknown_names_and_settings_list_the_known():
    with pytest.raises(UnknownNameError, match="no network is named 'vgg'; known: ir50, ir_se50, thin-resnet34"):
        make_network("vgg", {})
    with pytest.raises(SettingsError, match="'ir50' does not take size, squeeze; its settings are depths, widths, pix"):
        make_network("ir50", {"squeeze": True, "size": 1})
    with pytest.raises(SettingsError, match="widths: got 'thin', wanted a list"):
        make_network("thin-resnet34", {"widths": "thin"})


def test_listing_loads_no_torch():
    program = "import sys, vfsearch.networks.catalog; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": ":".join(sys.path)}).returncode == 0
