import contextlib
import dataclasses
import threading
from concurrent.futures import CancelledError
from pathlib import Path

import misbehaving
import numpy as np
import pytest
import torch
from training_media import InProcess, Inputs, ShortClip, SmallPhoto, Workers, tasks

from vfsearch.data.space import MODALITIES
from vfsearch.errors import MediaError, SettingsError, VfsearchError
from vfsearch.media.limits import Limits
from vfsearch.media.preparation import Task
from vfsearch.media.workers import PreparationWorkers
from vfsearch.train.media_pairs import MediaPairs
from vfsearch.train.sample_source import MediaSource
from vfsearch.train.sampling import PairSampler

NAMES = [f"p{row % 7}" for row in range(21)]
STEPS = [(0, 0), (0, 1), (0, 2), (0, 7), (1, 0), (1, 7)]


def make(bad=(), seed: int = 1, batch_size: int = 4, source=MediaSource, inputs=None, **more) -> MediaPairs:
    """Items are their row numbers; see the stand-ins."""
    workers = {"voice": Workers(bad), "face": Workers()}
    sources = {modality: source(tasks(len(NAMES)), workers[modality]) for modality in MODALITIES}
    sampler = PairSampler(NAMES, NAMES[::-1], batch_size, seed)
    return MediaPairs(sampler, sources, inputs or dict.fromkeys(MODALITIES, Inputs()), seed, **more)


def drawn(steps=STEPS, **more) -> list:
    with make(**more) as pairs:
        return [pairs.batch(*each) for each in steps]


def same(first, second) -> bool:
    return (
        torch.equal(first.voices, second.voices)
        and torch.equal(first.faces, second.faces)
        and np.array_equal(first.labels, second.labels)
    )


def drain(pairs: MediaPairs) -> None:
    """Wait until all that is ahead has been made."""
    for lane in pairs._lanes.values():
        lane.submit(int).result(10)


def test_a_batch_is_the_items_that_the_sampler_drew():
    sampler = PairSampler(NAMES, NAMES[::-1], 4, 1)
    for (run, step), batch in zip(STEPS, drawn(), strict=True):
        voices, faces, labels = sampler.batch(step, run)
        np.testing.assert_array_equal(batch.voices[:, 0], voices)
        np.testing.assert_array_equal(batch.faces[:, 0], faces)
        np.testing.assert_array_equal(batch.labels, labels)
        assert (batch.size, batch.share) == (len(labels), slice(0, len(labels)))


@pytest.mark.parametrize("ahead", [0, 1, 5])
def test_a_batch_depends_on_run_and_step_alone(ahead):
    wanted = dict(zip(STEPS, drawn(), strict=True))
    for steps in (STEPS, STEPS[::-1], STEPS[2:], [STEPS[4], STEPS[1], STEPS[4], STEPS[1]]):
        for each, batch in zip(steps, drawn(steps, ahead=ahead), strict=True):
            assert same(batch, wanted[each])


def test_the_augmentation_is_drawn_anew_for_each_run_step_modality_place_and_seed():
    batches = [*drawn(), *drawn(seed=2)]
    draws = torch.cat([side[:, 1] for batch in batches for side in (batch.voices, batch.faces)])
    assert len(draws.unique()) > 0.95 * len(draws)
    common = [(batch.voices[:, 2].unique().tolist(), batch.faces[:, 2].unique().tolist()) for batch in batches]
    assert all(len(voice) == 1 and voice == face for voice, face in common)
    assert len({voice[0] for voice, _ in common}) == len(batches)


@pytest.mark.parametrize("processes", [2, 3])
def test_the_shares_of_several_processes_make_the_batch(processes):
    def share_of(rank):
        return lambda n: slice(rank * n // processes, (rank + 1) * n // processes)

    bad = [3, 10]
    shares = [drawn(bad=bad, share=share_of(rank)) for rank in range(processes)]
    for number, alone in enumerate(drawn(bad=bad)):
        parts = [share[number] for share in shares]
        assert torch.equal(torch.cat([part.voices for part in parts]), alone.voices)
        assert torch.equal(torch.cat([part.faces for part in parts]), alone.faces)
        assert all(np.array_equal(part.labels, alone.labels) and part.size == alone.size for part in parts)
        assert [part.share for part in parts] == [share_of(rank)(alone.size) for rank in range(processes)]


def test_a_process_decodes_its_share_alone():
    with make(share=lambda n: slice(0, 1), ahead=0) as pairs:
        pairs.batch(0, 0)
        assert [len(source._workers.asked) for source in pairs._sources.values()] == [1, 1]


@pytest.mark.parametrize("ahead", [0, 1, 3])
def test_a_bounded_number_of_batches_is_made_ahead(ahead):
    asked = []

    class Watched(MediaSource):
        def samples(self, rows, stopped):
            asked.append(tuple(rows))
            return super().samples(rows, stopped)

    with make(source=Watched, ahead=ahead) as pairs:
        for step in range(3):
            pairs.batch(0, step)
            drain(pairs)
            assert len(asked) == 2 * (step + 1 + ahead)
        pairs.batch(1, 0)  # what was ahead of the other run is given up
        drain(pairs)
        assert len(asked) == 2 * (3 + ahead + 1 + ahead)
        assert len(pairs._coming) == ahead


def test_the_next_batch_is_made_while_the_caller_has_this_one():
    begun = threading.Semaphore(0)

    class Watched(MediaSource):
        def samples(self, rows, stopped):
            begun.release()
            return super().samples(rows, stopped)

    with make(source=Watched) as pairs:
        pairs.batch(0, 0)
        assert all(begun.acquire(timeout=10) for _ in range(2 * 3))


def test_an_error_comes_with_its_own_batch():
    class Broken(Inputs):
        def training(self, samples, length_random, randoms):
            made = super().training(samples, length_random, randoms)
            if made[0, 2] == third:
                raise RuntimeError("no such input")
            return made

    third = drawn()[2].voices[0, 2]
    with make(inputs={"voice": Broken(), "face": Inputs()}) as pairs:
        for step in (0, 1):
            pairs.batch(0, step)
        for _ in range(2):  # and again, not a batch of before or after
            with pytest.raises(RuntimeError, match="no such input"):
                pairs.batch(0, 2)
        assert same(pairs.batch(0, 3), drawn([(0, 3)])[0])


def test_an_item_that_cannot_be_decoded_costs_that_item():
    whole, fewer = drawn(), drawn(bad=range(7))  # of three clips of each identity the first
    assert any((batch.voices[:, 0] < 7).any() for batch in whole)
    for before, after in zip(whole, fewer, strict=True):
        clips, others = before.voices[:, 0], after.voices[:, 0]
        assert torch.equal(others, torch.where(clips < 7, clips + 7, clips))
        assert torch.equal(after.voices[:, 1:], before.voices[:, 1:]) and torch.equal(after.faces, before.faces)
        np.testing.assert_array_equal(after.labels, before.labels)


def test_failures_are_told_by_modality():
    with make(bad=range(7), batch_size=7, ahead=0) as pairs:
        for step in range(20):
            pairs.batch(0, step)
        assert pairs.failures["face"] == {}
        assert {row: failure.reason for row, failure in pairs.failures["voice"].items()} == {
            row: f"broken {row}" for row in range(7)
        }


def test_an_identity_with_nothing_left_is_an_error_that_names_it():
    with (
        make(bad=[2, 9, 16], batch_size=7) as pairs,
        pytest.raises(MediaError, match=r"none of the 3 voice items of the identity 'p2' can be decoded, (2|9|16) for"),
    ):
        pairs.batch(0, 0)


def test_an_interrupted_caller_leaves_at_once_and_no_thread_behind():
    begun = threading.Event()

    class Slow(MediaSource):
        def samples(self, rows, stopped):
            begun.set()
            for _ in range(2000):
                if stopped():
                    raise CancelledError
                threading.Event().wait(0.01)

    pairs = make(source=Slow)

    class Interrupted:
        def result(self):
            assert begun.wait(10)
            raise KeyboardInterrupt

    pairs._begin([(0, 0)])
    threads = [thread for lane in pairs._lanes.values() for thread in lane._threads]
    pairs._coming[0, 0] = {"voice": Interrupted()}
    with pytest.raises(KeyboardInterrupt), pairs:
        pairs.batch(0, 0)
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def test_batches_that_were_closed_say_so():
    with make() as pairs:
        pairs.batch(0, 0)
    with pytest.raises(VfsearchError, match="these batches were closed"):
        pairs.batch(0, 1)
    pairs.close()


def test_a_negative_number_ahead_is_refused():
    with pytest.raises(SettingsError, match="batches made ahead: got -1, wanted 0 or more"):
        make(ahead=-1)


def orders(folder: Path, text) -> list[Task]:
    folder.mkdir()
    for row in range(len(NAMES)):
        (folder / f"{row}.txt").write_text(text(row))
    return [Task(path=folder / f"{row}.txt") for row in range(len(NAMES))]


class Corner(Inputs):
    """For samples of `misbehaving`, which have rows and columns."""

    def training(self, samples, length_random, randoms):
        return super().training([sample[0] for sample in samples], length_random, randoms)


@contextlib.contextmanager
def with_processes(clips: list[Task], photos: list[Task]):
    sampler = PairSampler(NAMES, NAMES[::-1], 4, 1)
    with contextlib.ExitStack() as stack:
        pools = [stack.enter_context(PreparationWorkers(misbehaving.Obedient(), Limits(), 1)) for _ in MODALITIES]
        sources = {"voice": MediaSource(clips, pools[0]), "face": MediaSource(photos, pools[1])}
        yield stack.enter_context(MediaPairs(sampler, sources, dict.fromkeys(MODALITIES, Corner()), 1))


def test_processes_that_die_give_the_same_batches_as_files_that_are_refused(tmp_path):
    clips = orders(tmp_path / "clips", lambda row: "kill" if row < 7 else f"number {row}")
    photos = orders(tmp_path / "photos", lambda row: f"number {row}")
    with with_processes(clips, photos) as pairs:
        for each, wanted in zip(STEPS, drawn(bad=range(7)), strict=True):
            assert same(pairs.batch(*each), wanted)
        assert {failure.reason for failure in pairs.failures["voice"].values()} == {
            "the decoder process died (signal 9)"
        }


def test_leaving_ends_decoders_that_hang_and_blames_no_file(tmp_path):
    clips = orders(tmp_path / "clips", lambda row: "sleep 50")
    photos = orders(tmp_path / "photos", lambda row: f"number {row}")
    with with_processes(clips, photos) as pairs:
        pairs._begin([(0, 0)])
        pairs._coming[0, 0]["face"].result(60)
        threads = [thread for lane in pairs._lanes.values() for thread in lane._threads]
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    assert pairs.failures == {"voice": {}, "face": {}}


@pytest.fixture
def media(tmp_path) -> dict[str, tuple[list[Task], list[str]]]:
    """Two people with two clips and two photos each: tasks and identities by modality."""
    import soundfile
    from PIL import Image

    random, names = np.random.default_rng(0), ["a", "a", "b", "b"]
    endings = {"voice": "wav", "face": "png"}
    made = {modality: [tmp_path / f"{row}.{endings[modality]}" for row in range(4)] for modality in MODALITIES}
    for row, path in enumerate(made["voice"]):
        soundfile.write(path, random.uniform(-0.5, 0.5, 4000 + 5000 * row), 16_000)
    for row, path in enumerate(made["face"]):
        Image.fromarray(random.integers(0, 256, (20 + 4 * row, 24, 3), dtype=np.uint8)).save(path)
    return {modality: ([Task(path=path) for path in paths], names) for modality, paths in made.items()}


def from_files(media, **more) -> MediaPairs:
    from vfsearch.networks.inputs import ClipInputs, PhotoInputs

    inputs = {
        "voice": ClipInputs(seconds=1.0, shortest_seconds=0.3, longest_seconds=0.7),
        "face": PhotoInputs(pixels=16),
    }
    preparations = {"voice": ShortClip(), "face": SmallPhoto(pixels=16)}
    sources = {m: MediaSource(media[m][0], InProcess(preparations[m])) for m in MODALITIES}
    return MediaPairs(PairSampler(media["voice"][1], media["face"][1], 2, 1), sources, inputs, 1, **more)


def test_photos_and_clips_from_files(media):
    with from_files(media) as pairs:
        batches = [pairs.batch(0, step) for step in range(8)]
    for batch in batches:
        assert batch.faces.shape == (2, 3, 16, 16) and batch.faces.dtype == torch.float32
        assert batch.voices.shape[0] == 2 and 4800 <= batch.voices.shape[1] <= 11_200
        assert batch.faces.abs().max() <= 1 < batch.voices.abs().max() <= 2**14
    assert len({batch.voices.shape[1] for batch in batches}) == 8
    for source in pairs._sources.values():
        assert sorted(source._workers.asked) == sorted({task.path for task in source._tasks}), "each is decoded once"
    with from_files(media, ahead=0) as again:
        assert all(same(again.batch(0, step), batches[step]) for step in (5, 2))


def test_a_broken_photo_is_told_with_its_reason(media):
    media["face"][0][1].path.write_text("no photo")
    with from_files(media) as pairs:
        for step in range(8):
            assert torch.isfinite(pairs.batch(0, step).faces).all()
        assert {row: dataclasses.astuple(failure) for row, failure in pairs.failures["face"].items()} == {
            1: ("decode", "not a photo that can be decoded")
        }
