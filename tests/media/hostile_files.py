"""Files as an archive should not have them, each with the reason that must be given; and odd ones that are fine."""

import os
import socket
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
from containers import noise, write_pictures, write_sound
from PIL import Image

RATE = 16_000
AUDIO_SECONDS, PIXELS = 60.0, 2_000_000
Make = Callable[[Path], object]


def cut(path: Path, part: float = 0.6) -> None:
    """Leave only the first part of a file."""
    os.truncate(path, round(path.stat().st_size * part))


def _wav(path: Path, samples=None, rate=RATE, **how) -> None:
    samples = noise(1.0, rate) if samples is None else samples
    # as bytes: soundfile takes no name that is not UTF-8
    soundfile.write(os.fsencode(path), samples, rate, **{"format": "WAV", **how})


def _cut_sound(**how) -> Make:
    return lambda path: (_wav(path, **how), cut(path))


def _cut_container(codec: str, kind: str, part: float = 0.6) -> Make:
    return lambda path: (write_sound(path, noise(1.0, 48_000), codec, 48_000, format=kind), cut(path, part))


def _bytes(data: bytes) -> Make:
    return lambda path: path.write_bytes(data)


def _socket(path: Path) -> None:
    # an address may have 107 bytes, a folder of tests more
    here, name = os.open(path.parent, os.O_RDONLY), path.name
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(f"/proc/self/fd/{here}/{name}")
    finally:
        os.close(here)


def _sparse(head: bytes) -> Make:
    return lambda path: (path.write_bytes(head), os.truncate(path, 2**40))


def _locked(path: Path) -> None:
    _wav(path)
    path.chmod(0)


def _png_bomb(path: Path) -> None:
    rows = zlib.compress(bytes(20_001) * 20_000, 9)
    head = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", rows), (b"IEND", b""))
    chunks = (struct.pack(">I", len(b)) + n + b + struct.pack(">I", zlib.crc32(n + b)) for n, b in parts)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))


def _photo(path: Path, **how) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (80, 80, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(path, **how)


def _cut_photo(kind: str) -> Make:
    return lambda path: (_photo(path, format=kind), cut(path))


def _video(path: Path, pixels: int = 64) -> None:
    write_pictures(path, [np.zeros((pixels, pixels, 3), np.uint8)] * 5, format="mp4")


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _with(samples: float) -> Make:
    def make(path: Path) -> None:
        values = noise(1.0, RATE)
        values[700] = samples
        _wav(path, values, subtype="FLOAT")

    return make


ANYWHERE = {
    "missing": (lambda path: None, "no such file"),
    "directory": (Path.mkdir, "is a directory, not a file"),
    "broken-link": (lambda path: path.symlink_to("nowhere"), "no such file"),
    "link-loop": (lambda path: path.symlink_to(path.name), "cannot be opened: "),
    "pipe": (_fifo, "is a pipe, a socket or a device, not a regular file"),
    "socket": (_socket, "is a pipe, a socket or a device, not a regular file"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "is a pipe, a socket or a device, not a regular file"),
    "empty": (Path.touch, "is empty (0 bytes)"),
    "missing\nnewline": (lambda path: None, "no such file"),
    os.fsdecode(b"missing-\xff\xfe"): (lambda path: None, "no such file"),
}
"""Name -> how it is made, and how the reason begins; of clips and photos alike."""

VOICES = {
    **{f"{name}.wav": each for name, each in ANYWHERE.items()},
    "text.wav": (_bytes(b"path,modality,identity\n" * 50), "not audio that can be decoded: "),
    "random.wav": (_bytes(np.random.default_rng(0).bytes(5000)), "not audio that can be decoded: "),
    "list.m4a": (_bytes(b"#EXTM3U\n/etc/passwd\n" * 9), "not audio that can be decoded: "),
    "photo.wav": (lambda path: _photo(path, format="PNG"), "not audio that can be decoded: "),
    "sparse.wav": (_sparse(b""), "not audio that can be decoded: "),
    "sparse.m4a": (_sparse(b"\0\0\0\x18ftypM4A " + bytes(12)), "truncated or never finished: it has no index (moov)"),
    "header.wav": (lambda path: _wav(path, np.zeros(0)), "has no samples"),
    "silence.wav": (lambda path: _wav(path, np.zeros(9000)), "silent: every sample is zero"),
    "nan.wav": (_with(np.nan), "has samples that are NaN or infinite"),
    "infinite.wav": (_with(np.inf), "has samples that are NaN or infinite"),
    "cut.wav": (_cut_sound(), "truncated: 19,226 bytes of 32,044"),
    "cut.flac": (_cut_sound(format="FLAC"), "not audio that can be decoded: "),
    "cut.ogg": (_cut_sound(format="OGG"), "truncated: the last page of the Ogg stream"),
    "cut.mp3": (_cut_sound(format="MP3"), "truncated: "),
    "cut.m4a": (_cut_container("aac", "ipod"), "truncated: "),
    "cut.webm": (_cut_container("libopus", "webm"), "truncated: "),
    "cut.aac": (_cut_container("aac", "adts", 0.777), "truncated: "),
    "few-bytes.m4a": (_cut_container("aac", "ipod", 0.002), "truncated: "),
    "bomb.flac": (lambda path: _wav(path, np.zeros(8000 * 300), 8000, format="FLAC"), "300 s of audio, more than the"),
    "bomb.m4a": (lambda path: write_sound(path, np.zeros(8000 * 300), rate=8000), "more audio than the limit of 60 s"),
    "mute.mp4": (_video, "has no sound: there is no audio stream in it"),
}
FACES = {
    **{f"{name}.jpg": each for name, each in ANYWHERE.items()},
    "text.jpg": (_bytes(b"path,modality,identity\n" * 50), "not a photo that can be decoded"),
    "clip.jpg": (_wav, "not a photo that can be decoded"),
    "sparse.jpg": (_sparse(b""), "not a photo that can be decoded"),
    "program.eps": (
        _bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n"),
        "not a photo that can be decoded",
    ),
    "cut.jpg": (_cut_photo("JPEG"), "the photo cannot be decoded: image file is truncated"),
    "cut.png": (_cut_photo("PNG"), "the photo cannot be decoded: "),
    "cut.gif": (_cut_photo("GIF"), "the photo cannot be decoded: "),
    "cut.webp": (_cut_photo("WEBP"), "the photo cannot be decoded: "),
    "bomb.png": (_png_bomb, "more pixels than Pillow opens"),
    "large.png": (lambda path: Image.new("L", (2000, 1001)).save(path), "2000 x 1001 pixels, more than the limit of"),
    "large.mp4": (lambda path: _video(path, 1500), "1500 x 1500 pixels, more than the limit of 2,000,000"),
    "cut.mp4": (lambda path: (_video(path), cut(path)), "truncated"),
    "sound.m4a": (lambda path: write_sound(path, noise(1.0)), "has no pictures: there is no video stream in it"),
}
NO_FACE = {"no-face.png": (_photo, "no face found")}

ODD_VOICES: dict[str, Make] = {
    "bytes.wav": lambda path: _wav(path, rate=8000, subtype="PCM_U8"),
    "six.wav": lambda path: _wav(path, np.repeat(noise(1.0, 96_000)[:, None], 6, axis=1), 96_000),
    "really.mp3": lambda path: _wav(path, format="FLAC"),
    "apple.wav": lambda path: write_sound(path, noise(1.0), format="ipod"),
    "a.mkv": lambda path: write_sound(path, noise(1.0)),
    "a.webm": lambda path: write_sound(path, noise(1.0, 48_000), "libopus", 48_000),
    "good\nnewline.wav": _wav,
    os.fsdecode(b"good-\xff\xfe.wav"): _wav,
}


def odd_faces(face: Image.Image) -> dict[str, Make]:
    """Photos, and a video, of a face that a detector finds."""
    picture = np.asarray(face.resize((256, 256)))
    turned = Image.Exif()
    turned[0x0112] = 6
    five = Image.new("RGB", (1200, 250), "grey")
    for number in range(5):
        five.paste(face.resize((200 - 10 * number,) * 2), (240 * number, 20))
    return {
        "cmyk.jpg": lambda path: face.convert("CMYK").save(path),
        "palette.gif": lambda path: face.convert("P", palette=Image.Palette.ADAPTIVE).save(path),
        "moving.webp": lambda path: face.save(path, save_all=True, append_images=[face]),
        "really.jpg": lambda path: face.save(path, format="PNG"),
        "deep.png": lambda path: Image.fromarray(np.asarray(face.convert("L")).astype(np.uint16) * 257).save(path),
        "turned.jpg": lambda path: face.transpose(Image.Transpose.ROTATE_90).save(path, exif=turned),
        "five.png": five.save,
        "frame.mp4": lambda path: write_pictures(path, [picture] * 12),
        "frame.png": lambda path: write_pictures(path, [picture] * 12, format="matroska", codec="libx264"),
        os.fsdecode(b"good-\xff.png"): face.save,
    }
