import pytest

from vfsearch.data.manifest import Item
from vfsearch.trials.voxceleb_table import voxceleb_table


def item(name: str, identity: str, **columns: str) -> Item:
    modality = "voice" if name.endswith("wav") else "face"
    return Item(id=name, path=name, modality=modality, identity=identity, columns=columns)


def test_one_line_a_person():
    table = voxceleb_table(
        [
            item("id2/v/1.wav", "b", gender="m", nationality="Trinidad, Tobago", split="test"),
            item("Bea/1.jpg", "b", gender="m", split="test"),
            item("id1/v/1.wav", "a", gender="f"),
            item("id1/w/1.wav", "a", gender="m"),
            item("Cy/1.jpg", "c"),
        ]
    )
    assert table.decode().split("\r\n") == [
        "VoxCeleb1_ID,VGGFace1_ID,Gender,Nationality,Set",
        "id1,id1,,,",
        'id2,Bea,m,"Trinidad, Tobago",test',
        "Cy,Cy,,,",
        "",
    ]


@pytest.mark.parametrize(
    "items",
    [
        [item("voice/1.wav", "a"), item("voice/2.wav", "b")],
        [item("x/1.wav", "a"), item("x/1.jpg", "b")],
        [item("1.wav", "a"), item("2.wav", "a")],
    ],
    ids=["a folder of two people", "of two people across modalities", "a person with two folders"],
)
def test_names_that_do_not_tell_people_apart(items):
    assert voxceleb_table(items) is None
