import json
import shutil

import pytest
from builders import ID_HASH, IN_PROCESS

from vfsearch.errors import ArtefactError
from vfsearch.pipeline.embed import embed_manifest
from vfsearch.pipeline.index import IndexRequest, build_indices
from vfsearch.pipeline.index_info import FRESH, OTHER, UNKNOWN, index_infos, verify_indices
from vfsearch.pipeline.update_index import remove_from_index


@pytest.fixture
def place(workspace):
    """A store of 12 people, 5 photos each, and an exact and an IVF index of the photos."""
    embed_manifest(workspace, ID_HASH, IN_PROCESS)
    build_indices(workspace, ["face"], [IndexRequest(), IndexRequest(preset="ivf-sq8", parameters={"lists": 4})])
    return workspace


def test_what_indices_are(place):
    exact, ivf = index_infos(place)
    assert (exact.folder.name, exact.presets, exact.state, exact.problem) == ("face", ("exact",), FRESH, "")
    assert (exact.search, exact.knobs, exact.about["rows"]) == ({}, (), 60)
    assert exact.size_bytes == sum(exact.files.values()) > 60 * 256
    assert ivf.search == {"nprobe": 4, "refine": 2} and [knob.name for knob in ivf.knobs] == ["nprobe", "refine"]
    assert ivf.presets == (), "four lists were asked for"
    document = json.loads(json.dumps(ivf.to_json()))
    assert document["knobs"][0]["high"] == 4 and document["settings"]["parameters"]["factory"] == "IVF4,SQ8"


def test_the_state_of_the_store(place):
    embed_manifest(place, ID_HASH, IN_PROCESS, rows_per_part=7, overwrite=True)
    assert index_infos(place, ["face"])[0].state == OTHER
    shutil.rmtree(place.store_folder)
    assert index_infos(place, ["face"])[0].state == UNKNOWN


def test_an_index_that_cannot_be_opened_is_shown_nevertheless(place):
    (path,) = place.index_folder("face").glob("*.npy")
    path.write_bytes(path.read_bytes()[:-1])
    (info,) = index_infos(place, ["face"])
    assert info.search is None and info.memory_bytes is None and f"{path} is damaged" in info.problem


def test_a_removed_person_is_looked_for_with_what_the_store_knows(place):
    exact, ivf = verify_indices(place, identities=["p4"])
    assert len(exact.faults) == 4 and len(ivf.faults) >= 4
    for name in ("face", "face-ivf-sq8"):
        remove_from_index(place, name, ["p4"])
    for found in verify_indices(place, identities=["p4"], ids=["f/4/2.png"]):
        assert found.faults == ()
        assert "the identity 'p4': no 16 bytes of 5 rows are in any file" in "".join(found.proved)
        assert "the id 'f/4/2.png': no 16 bytes of 1 rows" in "".join(found.proved)


def test_what_cannot_be_proved_is_said(place):
    remove_from_index(place, "face", ["p4"])
    (found,) = verify_indices(place, ["face"], ["nobody-known"])
    assert found.faults == () and "the store has no row of it: only the name was looked for" in found.unproved[0]
    shutil.rmtree(place.store_folder)
    (found,) = verify_indices(place, ["face"], ["p4"])
    assert found.faults == () and "only the name was looked for: no store at" in found.unproved[0]
    assert "16 bytes" not in "".join(found.proved)
    with pytest.raises(ArtefactError, match="no index is named"):
        verify_indices(place, ["foot"])


def test_a_store_of_another_model(place, built):
    remove_from_index(place, "face", ["p4"])
    other = type(place)(folder=built.folder, index=place.indices_folder)
    (found,) = verify_indices(other, ["face"], ["p4"])
    assert found.faults == () and "has only rows of another space: only its names were looked for" in found.unproved[0]
