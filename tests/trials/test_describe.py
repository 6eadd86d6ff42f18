import json

import numpy as np
from trials.rows import pairs, read

from vfsearch.trials.describe import describe

MADE = [("a1", "a2", 1, 0.5), ("a1", "b1", 0, -np.inf), ("b2", "a2", 0, np.nan), ("b2", "b2", -1, 1.0)]


def test_golden():
    found = describe(pairs(MADE, blocks=3, identities=lambda name: "a" if name[0] == "a" else None, about={"seed": 1}))
    assert (found.trials, found.probes, found.items, found.names) == (4, 2, 3, 4)
    assert (found.positives, found.negatives, found.unlabelled, found.labels) == (1, 2, 1, "list")
    assert (found.identities, found.unknown, found.scored, found.unscored) == (1, 2, True, 2)
    assert found.positive_share == 1 / 3
    document = json.loads(json.dumps(found.to_json()))
    assert document["positive_share"] == 1 / 3 and document["about"] == {"seed": 1}


def test_labels_by_identity():
    found = describe(pairs([(*row[:2], -1, None) for row in MADE], identities=lambda name: name[0]))
    assert (found.positives, found.negatives, found.labels, found.scored) == (2, 2, "identities", False)


def test_nothing_is_known():
    found = describe(pairs([("a", "b", -1, None)]))
    assert (found.identities, found.labels, found.positive_share, found.unlabelled) == (None, "", None, 1)


def test_retrieval_counts_every_pair(tmp_path):
    data = (
        b"#vfsearch retrieval 1 {}\nside\titem\tidentity\nprobe\tv1\tA\nprobe\tv2\tB\ngallery\tf1\tA\ngallery\tf2\tA\n"
    )
    found = describe(read(tmp_path, "vfsearch", data + b"gallery\tf3\t\n"))
    assert (found.trials, found.probes, found.items, found.names) == (6, 2, 3, 5)
    assert (found.positives, found.negatives, found.unlabelled, found.unknown) == (2, 2, 2, 1)


def test_an_empty_list(tmp_path):
    found = describe(read(tmp_path, "vfsearch", b"#vfsearch verification 1 {}\nprobe\titem\tmated\n"))
    assert (found.trials, found.names, found.positive_share) == (0, 0, None)
