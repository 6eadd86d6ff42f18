import subprocess
import sys

import numpy as np
import pytest
import soundfile
import soxr

from vfsearch.encoders.resemblyzer import Resemblyzer, ResemblyzerPreparation, _windows, mel_frames
from vfsearch.errors import MediaError
from vfsearch.media.limits import Limits

RATE = 16_000


@pytest.fixture(scope="module")
def encoder():
    return Resemblyzer()


def prepared(path):
    return ResemblyzerPreparation()(path, None, None, Limits()).sample


def speech_like() -> np.ndarray:
    """Five seconds that the detector takes for speech: harmonics under one formant, with pauses."""
    t = np.arange(RATE * 5) / RATE
    phase = 2 * np.pi * np.cumsum(120 + 20 * np.sin(2 * np.pi * 0.7 * t)) / RATE
    voice = sum(np.sin(k * phase) / (1 + ((k * 120 - 600) / 300) ** 2) for k in range(1, 30))
    return 0.05 * voice * (np.sin(2 * np.pi * 2 * t) > -0.5) * (np.abs(t - 2.5) > 0.6)


def plain_window_starts(length):
    """The starts, in frames, of the windows of a clip: as many as begin early enough, the last only if 3/4 full."""
    frames = int(np.ceil((length + 1) / 160))
    starts = list(range(0, max(1, frames - 160 + 77 + 1), 77))
    if len(starts) > 1 and (length - starts[-1] * 160) / (160 * 160) < 0.75:
        starts.pop()
    return starts


def test_windows_against_a_plain_loop():
    for length in [480, 25_440, 25_600, 25_920, *range(30_000, 80_000, 480)]:
        mel = mel_frames(np.ones(length, np.float32))
        starts = plain_window_starts(length)
        assert len(mel) == starts[-1] + 160, length
        windows = _windows(mel)
        assert windows.shape == (len(starts), 160, 40)
        for window, start in zip(windows, starts, strict=True):
            np.testing.assert_array_equal(window, mel[start : start + 160])


@pytest.mark.usefixtures("needs_resemblyzer")
def test_the_row_that_the_package_gives(encoder, tmp_path):
    soundfile.write(tmp_path / "a.wav", speech_like(), RATE, subtype="FLOAT")
    (row,) = encoder.encode([prepared(tmp_path / "a.wav")])
    # VoiceEncoder().embed_utterance(preprocess_wav("a.wav")), Resemblyzer 0.1.4, librosa 0.11.0
    assert np.argsort(-row)[:8].tolist() == [246, 42, 169, 122, 78, 151, 120, 211]
    wanted = [0.318626, 0.222918, 0.203649, 0.194880, 0.188970, 0.170540, 0.166574, 0.157854]
    np.testing.assert_allclose(np.sort(row)[:-9:-1], wanted, atol=2e-5)


@pytest.mark.usefixtures("needs_resemblyzer")
def test_the_rows_of_the_package_itself(encoder, chimera24, tmp_path):
    package = pytest.importorskip("resemblyzer", exc_type=ImportError, reason="needs librosa and setuptools<81")
    paths = sorted((chimera24 / "voice").glob("*/*.flac"))[::8]
    for rate in (8_000, 44_100, 48_000):
        samples = soxr.resample(soundfile.read(paths[0])[0], RATE, rate)
        paths.append(tmp_path / f"{rate}.wav")
        soundfile.write(paths[-1], np.stack([samples, 0.3 * samples], axis=1), rate)
    theirs = package.VoiceEncoder("cpu", verbose=False)
    wanted = np.stack([theirs.embed_utterance(package.preprocess_wav(path)) for path in paths])
    rows = encoder.encode([prepared(path) for path in paths])
    assert (rows * wanted).sum(axis=1).min() >= 0.9999


@pytest.mark.usefixtures("needs_resemblyzer")
def test_rows_do_not_depend_on_the_batch(encoder):
    rng = np.random.default_rng(0)
    samples = [rng.exponential(0.1, (160 + 77 * (i % 4), 40)).astype(np.float32) for i in range(12)]
    alone = np.concatenate([encoder.encode([sample]) for sample in samples])
    together = encoder.encode(samples)
    assert together.dtype == np.float32 and together.shape == (12, 256)
    np.testing.assert_allclose(together, alone, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
    assert encoder.encode([]).shape == (0, 256)


@pytest.mark.usefixtures("needs_resemblyzer")
def test_one_speaker_is_closer_than_another(encoder, chimera24):
    paths = [path for folder in sorted((chimera24 / "voice").iterdir())[:6] for path in sorted(folder.iterdir())[:4]]
    rows = encoder.encode([prepared(path) for path in paths])
    scores = rows @ rows.T - 2 * np.eye(len(rows))
    names = np.array([path.parent.name for path in paths])
    assert (names[scores.argmax(axis=1)] == names).mean() >= 0.9


@pytest.mark.usefixtures("needs_resemblyzer")
@pytest.mark.parametrize(
    "samples, reason",
    [(np.zeros(RATE), "silent"), (np.full(300, 0.1), "only 0.019 s"), (np.full(RATE, 1e-3), "no speech found")],
)
def test_a_clip_without_a_voice_is_refused(tmp_path, samples, reason):
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype="FLOAT")
    with pytest.raises(MediaError, match=reason):
        prepared(tmp_path / "a.wav")


@pytest.mark.usefixtures("needs_resemblyzer")
def test_the_space_is_that_of_the_weights(encoder):
    assert encoder.space == Resemblyzer().space
    assert encoder.weights_digest().startswith("39373b86598f")  # sha256sum pretrained.pt


def test_importing_it_loads_no_torch():
    program = "import sys, vfsearch.encoders.resemblyzer; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": ":".join(sys.path)}).returncode == 0
