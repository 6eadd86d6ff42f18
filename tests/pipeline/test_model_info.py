import math

import pytest

from vfsearch.errors import ArtefactError, SettingsError
from vfsearch.pipeline.model import IdentityRow, Model
from vfsearch.pipeline.model_info import describe_identities, describe_model


def test_a_trained_model(built):
    found = describe_model(built.model_folder)
    assert not found["end_to_end"] and found["encoders"]["voice"]["name"] == "id-hash-voice"
    assert found["space"]["dimension"] == 16 and found["feature_spaces"]["face"]["dimension"] == 64
    assert found["identities"] == 6 and found["split"] == "train" and set(found["final"]) >= {"implicit", "explicit"}
    assert "weights.safetensors" in found["files"] and found["size_bytes"] == sum(found["files"].values())
    assert "imported" not in found


def test_identities_by_hardness(built, monkeypatch):
    table = [("a", 1.0, 3.0), ("b", 0.0, 9.0), ("c", 0.5, math.nan), ("d", 0.0, 7.0), ("e", 1.0, 3.0)]
    rows = [IdentityRow(identity=name, weight=weight, hardness=hardness) for name, weight, hardness in table]
    monkeypatch.setattr(Model, "identity_table", lambda self: rows)
    found = describe_identities(built.model_folder, 2)
    assert [each["identity"] for each in found["hardest"]] == ["b", "d"]
    assert found["left_out_identities"] == ["b", "d"]
    every = describe_identities(built.model_folder, 0)["hardest"]
    assert [each["identity"] for each in every] == ["b", "d", "a", "e", "c"]
    assert every[-1] == {"identity": "c", "weight": 0.5, "hardness": None}


def test_a_count_below_zero(built):
    with pytest.raises(SettingsError, match="count is -1, it must be at least 0"):
        describe_identities(built.model_folder, -1)


def test_no_model(tmp_path):
    with pytest.raises(ArtefactError, match="no model at"):
        describe_model(tmp_path)
