"""Which kind of medium a file is, by its name: enough to list it; who reads it looks at its content."""

from pathlib import PurePath

AUDIO, PHOTO, VIDEO = "audio", "photo", "video"
_SUFFIXES = {
    AUDIO: "wav flac ogg oga opus mp3 m4a aac aif aiff aifc au caf w64 rf64 sph",
    PHOTO: "jpg jpeg jpe png bmp webp tif tiff pgm ppm pbm gif jp2",
    VIDEO: "mp4 m4v mkv mov webm avi",
}
_KINDS = {f".{suffix}": kind for kind, suffixes in _SUFFIXES.items() for suffix in suffixes.split()}


def media_kind(name: str) -> str:
    """ "audio", "photo" or "video"; "" for another.

    Example:
        >>> media_kind("a/B.WAV"), media_kind("notes.txt")
        ('audio', '')
    """
    return _KINDS.get(PurePath(name).suffix.lower(), "")
