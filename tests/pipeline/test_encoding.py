from types import SimpleNamespace

import pytest

from vfsearch.devices import threads
from vfsearch.errors import SettingsError
from vfsearch.pipeline.encoding import USUAL_BATCH_CPU, USUAL_BATCH_GPU, Encoding


def encoder(concurrent=True, precisions=("fp32", "bf16")):
    return SimpleNamespace(name="toy", concurrent=concurrent, precisions=precisions, precision="fp32")


@pytest.mark.parametrize(("device", "size"), [("cpu", USUAL_BATCH_CPU), ("cuda:1", USUAL_BATCH_GPU)])
def test_a_batch_size_of_its_own_choice_may_be_halved(device, size):
    assert (Encoding(device=device).batching.size, Encoding(device=device).batching.halve) == (size, True)
    asked = Encoding(device=device, batch_size=7).batching
    assert (asked.size, asked.halve) == (7, False)


def test_a_batch_for_each_thread_where_the_encoder_can(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    for one, device, lanes in ((encoder(), "cpu", 3), (encoder(concurrent=False), "cpu", 1), (encoder(), "cuda", 1)):
        with Encoding(device=device).running(one) as running:
            assert running.lanes == lanes
    assert threads() == 3


def test_an_encoder_that_does_not_know_the_precision_computes_in_fp32():
    both = [encoder(), encoder(precisions=("fp32",))]
    asked = Encoding(precision="bf16")
    asked.require_known(both)
    for one in both:
        with asked.running(one):
            pass
    assert [one.precision for one in both] == ["bf16", "fp32"]
    with pytest.raises(SettingsError, match="toy compute in fp32 alone: leave --precision bf16 away"):
        asked.require_known(both[1:])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"precision": "int8"}, "the precision is 'int8', wanted one of fp32, bf16, fp16"),
        ({"precision": "fp16"}, "fp16 is for GPUs; on a CPU use --precision bf16 or fp32"),
        ({"changed_by": "x"}, "changed_by is 'x', wanted one of size, time, digest"),
        ({"batch_size": 0}, "a batch has 0 samples"),
    ],
)
def test_settings_that_mean_nothing(wrong, said):
    with pytest.raises(SettingsError, match=said):
        _ = Encoding(**wrong).batching
