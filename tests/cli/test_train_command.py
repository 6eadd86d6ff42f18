"""`vfsearch train`: its stages, networks and settings as words."""

import json
import subprocess
import sys

import pytest
from hashed import HASHED

from vfsearch.corpus.generated import GeneratedCorpus, generate

SMALL = ["--end-to-end", "--aligned", "--face-setting", "pixels=16", "--face-setting", "depths=1,1",
         "--face-setting", "widths=8,8", "--voice-setting", "depths=1,1", "--voice-setting", "widths=8,8",
         "--voice-setting", "seconds=0.5", "--shortest-seconds", "0.2", "--longest-seconds", "0.4", "--steps", "4",
         "--batch-size", "3", "--validation", "test", "--validate-steps", "2", "--device", "cpu", "--threads", "1",
         "--workers", "1"]  # fmt: skip


@pytest.fixture
def people(tmp_path, monkeypatch):
    """The current folder is a workspace of six generated people."""
    generate(tmp_path, GeneratedCorpus(people=6, seed=1, clips=2, photos=2, clip_seconds=0.5))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def settings(folder) -> dict:
    return json.loads((folder / "MANIFEST.json").read_text())["about"]["settings"]


def test_three_stages_by_default(workspace, document):
    made = document("train", *HASHED, "--steps", "6")
    assert made["left_out"] > 0 and made["best"] == {} and made["steps_per_second"] > 0
    record = (workspace / "model" / "training.csv").read_text().splitlines()
    assert record[0].startswith("run,step,loss,implicit,explicit,learning_rate")
    assert [line.split(",")[0] for line in record[1:]] == ["0"] * 8 + ["1"] * 6
    assert {"training.png", "identities.png", "identities.csv"} <= {p.name for p in (workspace / "model").iterdir()}


def test_the_numbers_of_the_schedule_follow_its_length(workspace, document):
    document("train", *HASHED, "--steps", "6", "--weights-steps", "48")
    found = settings(workspace / "model")["reweighting"]
    assert (found["warm_up_steps"], found["every"]) == (10, 2)


def test_every_number_of_it_can_be_set(workspace, document):
    given = {"--warm-up-steps": 3, "--weights-every": 2, "--weights-first-share": 0.4, "--weights-step-share": 0.1,
             "--weights-decay": 0.9, "--weights-full-share": 0.8, "--hardness-momentum": 0.5,
             "--hardness-start": 9.0}  # fmt: skip
    document("train", *HASHED, "--steps", "2", *[str(word) for pair in given.items() for word in pair])
    assert settings(workspace / "model")["reweighting"] == {
        "warm_up_steps": 3, "every": 2, "first_share": 0.4, "step_share": 0.1, "decay": 0.9, "full_share": 0.8,
        "momentum": 0.5, "initial_hardness": 9.0,
    }  # fmt: skip


def test_some_stages_and_weights_from_another_model(workspace, document, vf):
    assert document("train", *HASHED, "--stages", "warm-up,weights", "--out", "weighed")["left_out"] > 0
    retrain = ["train", *HASHED, "--stages", "retrain", "--steps", "6", "--milestones", "2,4"]
    assert document(*retrain)["left_out"] == 0
    code, out, _ = vf(*retrain, "--identity-weights", "weighed", "--overwrite")
    assert code == 0 and "identities were left out" in out and "no validation" in out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--stages", "weights"], 2, "they must be one of: warm-up; warm-up,weights; retrain; warm-up,weights,retrain"),
        (["--milestones", "2,x"], 2, "--milestones is '2,x', wanted whole numbers, for example 2000,3000"),
        (["--identity-weights", "x"], 2, "give --stages retrain too"),
        (["--identity-weights", "x", "--stages", "retrain"], 3, "table of identity weights"),
        (["--validation", "val"], 3, "has no item with split=val: its splits are 'test', 'train'"),
        (["--cache", "much"], 2, "'much' is no size; wanted a number with a unit, for example 8GiB"),
        (["--face-setting", "pixels"], 2, "--face-setting is 'pixels', wanted NAME=VALUE"),
        (["--face-setting", "pixels=1"], 2, "does not take pixels"),
        (["--end-to-end"], 2, "no network is named 'id-hash-voice'; known: ir50"),
        (["--implicit", "0", "--explicit", "0"], 2, "there is nothing to learn"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_said_plainly(workspace, vf, arguments, code, said):
    found, out, err = vf("train", *HASHED, *arguments)
    assert (found, out) == (code, "") and said in " ".join(err.split())
    assert not (workspace / "model").exists()


def test_a_network_of_the_other_modality(workspace, vf):
    code, _, err = vf("train", "--end-to-end", "--face-encoder", "thin-resnet34")
    assert code == 2 and "'thin-resnet34' is a voice network, asked for as --face-encoder" in err


def test_few_identities_and_a_validation_on_the_training_split_are_pointed_out(workspace, vf):
    code, out, err = vf("train", *HASHED, "--steps", "2", "--validation", "train")
    said = " ".join(err.split())
    assert code == 0 and "identities were left out (weight 0)" in out and "--model model --identities" in out
    assert "with 12 identities" in said and "that it was trained on: the figures flatter" in said


def test_networks_end_to_end(people, document, vf):
    made = document("train", *SMALL, "--cache", "10MB")
    assert made["end_to_end"] and made["best"]["step"] in (1, 3) and made["validation"] == "test"
    about = json.loads((people / "model" / "MANIFEST.json").read_text())["about"]
    assert {side: about["encoders"][side]["name"] for side in ("voice", "face")} == {
        "voice": "thin-resnet34",
        "face": "ir50",
    }
    assert about["settings"]["head"]["hidden"] == 0 and about["settings"]["precision"] == "fp32"
    assert document("embed", "--workers", "1")["added"] == 24
    assert vf("index", "build")[0] == 0
    assert vf("query", "--n", "2")[0] == 0


def test_settings_from_the_environment(people, document, monkeypatch):
    monkeypatch.setenv("VFSEARCH_VOICE_SETTING", "depths=1,1 widths=8,16")
    flags = list(zip(SMALL[2:-1:2], SMALL[3::2], strict=True))
    kept = [word for flag, value in flags if flag != "--voice-setting" for word in (flag, value)]
    document("train", *SMALL[:2], *kept, "--stages", "retrain")
    about = json.loads((people / "model" / "MANIFEST.json").read_text())["about"]
    assert about["encoders"]["voice"]["settings"]["widths"] == [8, 16]


def test_two_processes_train_as_one(people, document):
    """Under torchrun each process takes its share of every batch; the first one writes."""
    settings = [*SMALL, "--weights-steps", "4", "--json"]
    one = document("train", *settings, "--out", "one")
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*torchrun, "-m", "vfsearch_cli.main", "train", *settings, "--out", "two"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    two = json.loads(done.stdout)
    assert two["final"] == pytest.approx(one["final"], rel=1e-3) and two["left_out"] == one["left_out"]


def test_an_error_of_the_first_process_ends_the_others(people):
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*torchrun, "-m", "vfsearch_cli.main", "train", *SMALL, "--batch-size", "2", "--learning-rate", "1e30"],
        capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert done.returncode != 0 and "diverged" in done.stderr
