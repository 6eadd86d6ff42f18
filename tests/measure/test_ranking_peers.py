"""Every ranking measure against other people's implementations, where they define the same."""

import numpy as np
import pytest
from random_lists import NAMES, figure, random_lists

from vfsearch.measure.tie_order import scores_in_order_of_names

TREC = {
    "mAP": "AP", "MRR": "RR", "R-precision": "Rprec", "R@1": "Success@1", "R@5": "Success@5", "recall@5": "R@5",
    "recall@100": "R@100", "P@1": "P@1", "P@5": "P@5", "P@100": "P@100", "nDCG@1": "nDCG@1", "nDCG@5": "nDCG@5",
    "nDCG@100": "nDCG@100",
}  # fmt: skip
RANX = {
    "mAP": "map", "MRR": "mrr", "R-precision": "r-precision", "R@1": "hit_rate@1", "R@5": "hit_rate@5",
    "recall@5": "recall@5", "P@1": "precision@1", "P@5": "precision@5", "nDCG@1": "ndcg@1", "nDCG@5": "ndcg@5",
}  # fmt: skip
TORCHMETRICS = {
    "mAP": ("retrieval_average_precision", None), "MRR": ("retrieval_reciprocal_rank", None),
    "R-precision": ("retrieval_r_precision", None), "R@1": ("retrieval_hit_rate", 1), "R@5": ("retrieval_hit_rate", 5),
    "recall@5": ("retrieval_recall", 5), "P@1": ("retrieval_precision", 1), "P@5": ("retrieval_precision", 5),
    "nDCG@5": ("retrieval_normalized_dcg", 5),
}  # fmt: skip


def compared(found, wanted, lists, tolerance=1e-12):
    """Both agree on every probe that has mates and candidates."""
    rows = [probe for probe in range(len(lists.mates)) if lists.mates[probe] and f"q{probe}" in wanted]
    assert len(rows) > 100
    np.testing.assert_allclose(found[rows], [wanted[f"q{row}"] for row in rows], rtol=0, atol=tolerance)


@pytest.mark.parametrize("levels", [0, 3], ids=["no ties", "ties by name"])
def test_partly_retrieved_lists_are_those_of_trec_eval(levels):
    ir_measures = pytest.importorskip("ir_measures")
    pytest.importorskip("pytrec_eval")
    lists = random_lists(seed=4, count=300, longest=12, levels=levels)
    strict = scores_in_order_of_names(lists.probes, lists.scores, lists.items, NAMES)
    measures = {ir_measures.parse_measure(theirs): ours for ours, theirs in TREC.items()}
    wanted = {ours: {} for ours in TREC}
    for entry in ir_measures.pytrec_eval.iter_calc(list(measures), lists.qrels(), lists.run()):
        wanted[measures[entry.measure]][entry.query_id] = entry.value
    for ours, by_query in wanted.items():
        compared(figure(ours, lists.ranks(strict)), by_query, lists)


def test_scores_that_single_precision_rounds_together_tie_as_in_trec_eval():
    pytrec_eval = pytest.importorskip("pytrec_eval")
    names, scores = ["a", "b"], np.array([1.0 + 1e-9, 1.0])
    wanted = pytrec_eval.RelevanceEvaluator({"q": {"a": 1, "b": 0}}, {"recip_rank"}).evaluate(
        {"q": dict(zip(names, scores.tolist(), strict=True))}
    )["q"]["recip_rank"]
    both = np.array([0, 1])
    strict = scores_in_order_of_names(np.zeros(2, int), scores, both, names)
    assert wanted == 0.5 and strict.tolist() == [-2.0, -1.0]
    assert scores_in_order_of_names(np.zeros(2, int), scores, both, names, single=False).tolist() == [-1.0, -2.0]


def test_partly_retrieved_lists_are_those_of_ranx(monkeypatch):
    # Compiling it takes longer than all it computes here.
    numba = pytest.importorskip("numba")
    monkeypatch.setattr(numba.config, "DISABLE_JIT", True)
    ranx = pytest.importorskip("ranx")
    lists = random_lists(seed=5, count=300, longest=12, levels=0)
    qrels, run = lists.qrels(), lists.run()
    shared = sorted(query for query in run if lists.mates[int(query[1:])])
    qrels = {query: {name: 1 for name, grade in qrels[query].items() if grade} for query in shared}
    values = ranx.evaluate(
        ranx.Qrels(qrels), ranx.Run({query: run[query] for query in shared}), list(RANX.values()), return_mean=False
    )
    for ours, theirs in RANX.items():
        compared(figure(ours, lists.ranks()), dict(zip(shared, values[theirs], strict=True)), lists)


@pytest.mark.parametrize("ours", TORCHMETRICS)
def test_whole_lists_are_those_of_torchmetrics(ours):
    torch = pytest.importorskip("torch")
    retrieval = pytest.importorskip("torchmetrics.functional.retrieval")
    name, k = TORCHMETRICS[ours]
    # Its nDCG averages over ties, its other figures take them in any order.
    lists = random_lists(seed=6, count=300, longest=12, levels=3 if "dcg" in name else 0, partly=False)
    wanted = {}
    for probe in range(len(lists.mates)):
        scores, relevant = map(torch.tensor, lists.of(probe))
        wanted[f"q{probe}"] = float(getattr(retrieval, name)(scores, relevant, **({"top_k": k} if k else {})))
    compared(figure(ours, lists.ranks()), wanted, lists, tolerance=1e-6)


@pytest.mark.parametrize("k", [1, 3, 100])
def test_gain_with_ties_is_that_of_scikit_learn(k):
    metrics = pytest.importorskip("sklearn.metrics")
    lists = random_lists(seed=7, count=300, longest=12, partly=False)
    wanted = {}
    for probe in np.flatnonzero(np.bincount(lists.probes) > 1):
        scores, relevant = lists.of(probe)
        wanted[f"q{probe}"] = metrics.ndcg_score([np.array(relevant, float)], [scores], k=k)
    compared(figure(f"nDCG@{k}", lists.ranks()), wanted, lists)


def test_precision_without_ties_is_that_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    lists = random_lists(seed=8, count=300, longest=12, levels=0, partly=False)
    wanted = {}
    for probe in np.flatnonzero(lists.mates):
        scores, relevant = lists.of(probe)
        wanted[f"q{probe}"] = metrics.average_precision_score(relevant, scores)
    compared(figure("mAP", lists.ranks()), wanted, lists)
