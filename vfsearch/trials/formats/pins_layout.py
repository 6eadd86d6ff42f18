"""Names of clips and photos as Learnable PINs lays them out, and as VoxCeleb1 and the cropped VoxCeleb photos do."""

import re

from vfsearch.data.identity_table import IdentityTable
from vfsearch.data.trial_list import TrialList
from vfsearch.errors import TrialListError
from vfsearch.trials.renamed import renamed

# The first 11 characters are the video's id, which may itself have an underscore.
_VOICE = re.compile(r"([^/]+)/([\w-]{11})_(\d+)\.wav")
_FACE = re.compile(r"([^/]+)/([\w-]{11})/([^/]+\.jpg)")
_VOXCELEB_ID = re.compile(r"id\d{5}")


def as_voxceleb(trials: TrialList, table: IdentityTable) -> TrialList:
    """A list with the names that the files have in VoxCeleb1: NAME/VIDEO_0000001.wav -> idXXXXX/VIDEO/00001.wav.

    Photos: NAME/VIDEO/F.jpg -> NAME/1.6/VIDEO/F.jpg. Names in neither layout stay as they are.

    Args:
        trials: the list.
        table: has the id of each person (`vox1_meta.csv`).
    Raises:
        TrialListError: while blocks are read: the table has no id of a person.
    """
    ids = {identity: name for name, identity in table.identities.items() if _VOXCELEB_ID.fullmatch(name)}

    def rename(name: str) -> str:
        if (face := _FACE.fullmatch(name)) and face[2] != "1.6":
            return f"{face[1]}/1.6/{face[2]}/{face[3]}"
        voice = _VOICE.fullmatch(name)
        if voice is None:
            return name
        person = table.identity(voice[1])
        if person not in ids:
            raise TrialListError(
                f"{trials.where}: {name!r} is of {voice[1]!r}, of whom {table.where} has no VoxCeleb1 id"
            )
        return f"{ids[person]}/{voice[2]}/{int(voice[3]):05d}.wav"

    return renamed(trials, rename)


def has_voxceleb_ids(table: IdentityTable) -> bool:
    """Whether a table has any name that is an id of VoxCeleb1."""
    return any(_VOXCELEB_ID.fullmatch(name) for name in table.identities)
