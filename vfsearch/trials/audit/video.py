"""The video that a clip or a photo was cut from, where its path tells."""

import re

# A video id of YouTube: 11 characters, which may hold "-" and "_" themselves.
_VIDEO = r"([\w-]{11})"
_LAYOUTS = [
    re.compile(pattern, re.ASCII)
    for pattern in (
        rf"(?:^|/)id\d{{5}}/{_VIDEO}/[^/]+$",
        rf"/1\.6/{_VIDEO}/[^/]+$",
        rf"[^/]/{_VIDEO}_\d{{7}}\.\w+$",
        rf"[^/]/{_VIDEO}/\d{{7}}\.\w+$",
    )
]


def video_of(name: str) -> str | None:
    """The video of an item named as in VoxCeleb, in VGGFace's frames of VoxCeleb, or in Learnable PINs.

    Args:
        name: idXXXXX/VIDEO/U.wav, NAME/1.6/VIDEO/F.jpg, NAME/VIDEO_UUUUUUU.wav or NAME/VIDEO/FFFFFFF.jpg.
    Returns:
        None for a name of any other make.
    Source: Nagrani et al., VoxCeleb, Interspeech 2017; Nagrani et al., Learnable PINs, ECCV 2018 (lists).
    Example:
        >>> video_of("id10002/w9H-ZMvdE9M/00001.wav"), video_of("A.R._Rahman/1.6/w9H-ZMvdE9M/0005575.jpg")
        ('w9H-ZMvdE9M', 'w9H-ZMvdE9M')
        >>> video_of("A.R._Rahman/gaQqIoV_aLY_0000001.wav"), video_of("CCH_Pounder/00000657.jpg")
        ('gaQqIoV_aLY', None)
    """
    for layout in _LAYOUTS:
        if found := layout.search(name):
            return found[1]
    return None
