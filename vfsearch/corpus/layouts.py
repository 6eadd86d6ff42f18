"""How the corpora of the field lay out their folders: which part of a path says whose a file is."""

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass

from vfsearch.errors import UnknownNameError


@dataclass(frozen=True, kw_only=True)
class Layout:
    """One way to lay out a corpus.

    Args:
        name: of it.
        person: regular expression of a person's folder; None: the first folder, whatever its name.
        after: columns that the folders after the person's say.
        modalities: folders of this name are passed over on the way to the person.
        description: for people.
        source: where the layout is described.
    """

    name: str
    person: str | None
    after: tuple[str, ...] = ()
    description: str
    source: str = ""

    def place(self, parts: Sequence[str], known: Container[str]) -> tuple[str, dict[str, str]] | None:
        """Whose a file is, by its path.

        Args:
            parts: folders and name, below the root.
            known: names of people that a table gives, which count as well.
        Returns:
            The person's folder and the columns that the path says; None where no folder is a person's.

        Example:
            >>> LAYOUTS["voxceleb1"].place(["wav", "id10001", "1zcIwhmdeo4", "00001.wav"], ())
            ('id10001', {'source': '1zcIwhmdeo4'})
        """
        folders = list(parts[:-1])
        at = next((place for place, folder in enumerate(folders) if self._is_person(folder, known)), None)
        if at is None:
            return None
        # VGGFace's frames of VoxCeleb1 lie one folder deeper, named by the rate of their detection.
        left = [folder for folder in folders[at + 1 :] if not re.fullmatch(r"\d+\.\d+", folder)]
        return folders[at], dict(zip(self.after, left, strict=False))

    def _is_person(self, folder: str, known: Container[str]) -> bool:
        if self.person is None:
            return folder.lower() not in ("voice", "voices", "face", "faces")
        return re.fullmatch(self.person, folder) is not None or folder in known


LAYOUTS = {
    each.name: each
    for each in (
        Layout(
            name="folders",
            person=None,
            description="a folder for each person, media anywhere below it; the folders voice and face may stand above",
        ),
        Layout(
            name="voxceleb1",
            person=r"id1\d{4}",
            after=("source",),
            description="wav/id10001/VIDEO/00001.wav, vox1_meta.csv; faces by VGGFace's names, or frames by id",
            source="Nagrani, Chung and Zisserman, Interspeech 2017; Parkhi, Vedaldi and Zisserman, BMVC 2015",
        ),
        Layout(
            name="voxceleb2",
            person=r"id\d{5}",
            after=("source",),
            description="aac/id00012/VIDEO/00001.m4a, vox2_meta.csv; faces or videos by id",
            source="Chung, Nagrani and Zisserman, Interspeech 2018",
        ),
        Layout(
            name="mav-celeb",
            person=r"id\d{4,5}",
            after=("language", "source"),
            description="voices/id0001/LANGUAGE/VIDEO/00001.wav and faces/id0001/LANGUAGE/VIDEO/00001.jpg",
            source="Nawaz et al., CVPR workshops 2021",
        ),
    )
}


def layout(name: str) -> Layout:
    """A layout by its name.

    Raises:
        UnknownNameError: there is none; the message names those that there are.
    """
    if name not in LAYOUTS:
        raise UnknownNameError(f"no layout is named {name!r}; known: {', '.join(LAYOUTS)}")
    return LAYOUTS[name]
