"""What a user does wrong, and what is said: exit code and message, never a traceback."""

import pytest
from hashed import HASHED
from vfsearch_cli import main as door


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nothing"], 2, "No such command 'nothing'"),
        (["train", "--nothing"], 2, "No such option"),
        (["train", "--voice-encoder", "nobody"], 2, "known: constant-face"),
        (["train", "--voice-encoder", "no_module:X"], 2, "cannot be loaded"),
        (["train", "--voice-encoder", "id-hash-face", "--face-encoder", "id-hash-face"], 2, "asked for as --voice"),
        (["train", *HASHED, "--steps", "0"], 2, "steps is 0, it must be at least 1"),
        (["train", *HASHED, "--dropout", "1"], 2, "dropout"),
        (["train", *HASHED, "--aligned"], 2, "does not take aligned"),
        (["train", *HASHED, "--split", "dev"], 3, "has no item with split=dev: its splits are 'test', 'train'"),
        (["train", *HASHED, "--device", "abacus"], 2, "it must be auto, cpu, cuda or cuda:N"),
        (["train", *HASHED, "--device", "cuda:99"], 2, "is not here"),
        (["train", *HASHED, "--threads", "0"], 2, "threads is 0"),
        (["train", *HASHED, "--learning-rate", "1e9"], 1, "the training diverged at step"),
        (["embed", "--on-no-face", "fail"], 2, "--on-no-face: the model decides that"),
        (["embed"], 3, "train one with `vfsearch train`"),
        (["index", "build"], 3, "make it with `vfsearch embed`"),
        (["query"], 3, "make it with `vfsearch embed`"),
        (["query", "--n", "two"], 2, "whole numbers"),
        (["query", "--n", "1"], 2, "N of at least 2"),
        (["query", "--name", "../x"], 2, "plain name"),
        (["query", "--max-memory", "much"], 2, "'much' is no size; wanted a number with a unit"),
        (["query", "--file", "no.wav"], 3, "no model"),
        (["store", "info"], 3, "make it with `vfsearch embed`"),
        (["store", "verify", "--store", "nowhere"], 3, "nowhere"),
        (["embed", "--workspace", "nowhere"], 3, "no manifest at nowhere/manifest.csv"),
        (["corpus", "generate", "--people", "0"], 2, "people"),
        (["corpus", "generate", "--sharing", "2"], 2, "sharing"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_said_plainly(workspace, vf, arguments, code, said):
    found, out, err = vf(*arguments)
    assert (found, out) == (code, "")
    assert said in " ".join(err.split())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("path,modality\na,voice\n", "no column identity"),
        ("path,modality,identity\n", "has no rows"),
        ("path,modality,identity\na,smell,x\n", "line 2: the modality is 'smell'"),
        ("path,modality,identity\na,voice,x\na,voice,x\n", "have the same id 'a'"),
        ("path,modality,identity\na,voice,x\n", "no face item to train on"),
        ("path,modality,identity\na,voice,x\nb,face,y\n", "at least 2 identities"),
    ],
)
def test_bad_manifests(workspace, vf, text, said):
    (workspace / "manifest.csv").write_text(text)
    code, _, err = vf("train", *HASHED)
    assert code == 3 and said in " ".join(err.split())


def test_different_spaces_are_not_compared(workspace, vf):
    assert vf("embed", "--frozen", *HASHED)[0] == 0
    assert vf("index", "build")[0] == 0
    code, _, err = vf("query", "--probe", "voice", "--gallery", "face")
    assert code == 6 and "id-hash-voice:" in err and "id-hash-face:" in err and "vfsearch embed" in err
    assert vf("query", "--probe", "voice", "--gallery", "voice")[0] == 0


def test_n_above_the_gallery(measured, vf):
    code, _, err = vf("query", "--n", "40")
    assert code == 2 and "ask for a smaller N" in err


def test_unreadable_media_are_named_and_counted(workspace, vf):
    spectrum = ["--voice-encoder", "own_encoder:SpectrumEncoder", "--face-encoder", "id-hash-face"]
    code, _, err = vf("embed", "--frozen", *spectrum, "--workers", "1")
    assert code == 4 and "48 items could not be embedded" in err
    listed = (workspace / "embeddings/failures.csv").read_text().splitlines()
    assert len(listed) == 49 and listed[1].startswith("voice/p0/2,voice/p0/2,voice,p0,decode,")


def test_an_interrupt_is_no_error_of_ours(workspace, vf, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("vfsearch.store.inspect.describe", interrupted)
    code, _, err = vf("store", "info")
    assert code == 130 and "go on" in err


def test_a_fault_of_ours_is_said_without_a_traceback(workspace, vf, monkeypatch):
    def broken(*arguments):
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("vfsearch.store.inspect.describe", broken)
    code, _, err = vf("store", "info")
    assert code == 1 and "ZeroDivisionError: by zero" in err


@pytest.mark.parametrize("name", door.COMMANDS)
def test_every_command_has_help_with_an_example(vf, name):
    code, out, _ = vf(name, "--help")
    assert code == 0
    group = door.cli.get_command(None, name)
    for word in getattr(group, "commands", {}):
        code, out, _ = vf(name, word, "--help")
        assert code == 0 and "Example" in out and "--json" in out
    if not hasattr(group, "commands"):
        assert "Example" in out and "--json" in out
