import torch
from train import ranks as script

from vfsearch.train.objective import Objective


def test_alone_it_is_the_loss_of_the_joint_embeddings():
    objective = script.make_objective(torch.float64).eval()
    voices, faces, labels, weights = script.make_batch(torch.float64, 0)
    embeddings = [objective.networks("voice", voices), objective.networks("face", faces)]
    for given in (weights, None):
        wanted = objective.loss(*embeddings, labels, given)
        for name, value in objective(voices, faces, labels, given)._asdict().items():
            assert torch.equal(value, getattr(wanted, name)), name


def test_features_are_gathered_and_heads_see_the_whole_batch():
    objective = script.make_objective(torch.float64, frozen=True).eval()
    voices, faces, labels, weights = script.make_batch(torch.float64, 0, frozen=True)
    wanted = objective(voices, faces, labels, weights)
    calls = []

    def gather(rows, n):
        calls.append((rows, n))
        return [voices, faces][len(calls) - 1]

    share = slice(2, 5)
    objective = Objective(objective.networks, objective.loss, gather)
    assert torch.equal(objective(voices[share], faces[share], labels, weights).total, wanted.total)
    assert [n for _, n in calls] == [len(labels)] * 2
    assert torch.equal(calls[0][0], voices[share]) and torch.equal(calls[1][0], faces[share])


def test_names_in_its_state():
    names = script.make_objective(torch.float32).state_dict()
    assert {"networks.heads.voice.0.weight", "networks.backbones.face.input_layer.0.weight"} < set(names)
    assert "loss.implicit.classifier.weight" in names
