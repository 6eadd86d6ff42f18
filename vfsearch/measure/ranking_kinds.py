"""The measures of ranked lists, of 1:N matching and of identification, by name."""

from vfsearch.measure.kind import IDENTIFICATION, MATCHING, RANKING, Kind

TREC = "Buckley & Voorhees, TREC, 2005, chapter 3 (as in trec_eval)"
TIES = "McSherry & Najork, ECIR 2008, for ties"
ISO = "ISO/IEC 19795-1:2021"
FIVE = "Grother, Ngan & Quinn, NIST IR 8173 (FIVE), 2017"

_MATCHING = "vfsearch.measure.matching"
_RANKING = "vfsearch.measure.ranking"
_BEST = "vfsearch.measure.ranking_best"
_CUTOFFS = "vfsearch.measure.ranking_cutoffs"
_IDENTIFICATION = "vfsearch.measure.identification"

MATCHING_KINDS: tuple[Kind, ...] = (
    Kind(
        template="accuracy",
        family=MATCHING,
        title="1:N matching accuracy",
        formula="mean over trials of 1/t, t candidates being tied at the top and the mate among them; else 0",
        source=f"Wen et al., CVPR 2021, supplement, section 3; {TIES}",
        target=f"{_MATCHING}:matching_accuracy",
    ),
    Kind(
        template="rank-{}",
        family=MATCHING,
        title="cumulative match characteristic at rank k",
        formula="mean over trials of the chance that the mate is among the first k of N",
        source=f"{ISO}, closed-set identification; {TIES}",
        target=f"{_MATCHING}:mate_within",
        parameter="count",
    ),
)

RANKING_KINDS: tuple[Kind, ...] = (
    Kind(
        template="mAP",
        family=RANKING,
        title="mean average precision",
        formula="mean over probes of (1/M) sum of the precision at the place of each of the M mates",
        source=f"{TREC}; {TIES}",
        target=f"{_RANKING}:average_precision",
    ),
    Kind(
        template="mAP(grouped)",
        family=RANKING,
        title="mean average precision, ties as one place",
        formula="as mAP, every mate of a tie having the precision behind the tie",
        source="scikit-learn, average_precision_score",
        target=f"{_RANKING}:grouped_average_precision",
    ),
    Kind(
        template="R@{}",
        family=RANKING,
        title="hit rate at k, called recall at k in cross-modal retrieval",
        formula="share of probes with at least one mate among the first k",
        source=f"Wen et al., CVPR 2021, supplement; {TIES}",
        target=f"{_RANKING}:hit_at",
        parameter="count",
    ),
    Kind(
        template="recall@{}",
        family=RANKING,
        title="recall at k",
        formula="mean over probes of (mates among the first k) / M",
        source=f"{TREC}; {TIES}",
        target=f"{_CUTOFFS}:recall_at",
        parameter="count",
    ),
    Kind(
        template="P@{}",
        family=RANKING,
        title="precision at k",
        formula="mean over probes of (mates among the first k) / k, a shorter list being filled with non-mates",
        source=f"{TREC}; {TIES}",
        target=f"{_CUTOFFS}:precision_at",
        parameter="count",
    ),
    Kind(
        template="R-precision",
        family=RANKING,
        title="precision at the number of mates",
        formula="mean over probes of (mates among the first M) / M",
        source=f"{TREC}; {TIES}",
        target=f"{_CUTOFFS}:r_precision",
    ),
    Kind(
        template="nDCG@{}",
        family=RANKING,
        title="normalised discounted cumulative gain at k",
        formula="mean over probes of sum over mates at places i <= k of 1/log2(i + 1), over its value for mates first",
        source=f"Järvelin & Kekäläinen, ACM TOIS 2002, with gain 1 for a mate and 0 else; {TIES}",
        target=f"{_CUTOFFS}:ndcg_at",
        parameter="count",
    ),
    Kind(
        template="MRR",
        family=RANKING,
        title="mean reciprocal rank",
        formula="mean over probes of 1 / place of the best mate; 0 where no mate was retrieved",
        source=f"{TREC}; {TIES}",
        target=f"{_BEST}:reciprocal_rank",
    ),
    Kind(
        template="MedR",
        family=RANKING,
        title="median rank",
        formula="median over probes of the place of the best mate, infinite where no mate was retrieved",
        source=f"Karpathy & Fei-Fei, CVPR 2015, section 4.1; {TIES}",
        target=f"{_BEST}:best_rank",
        higher_is_better=False,
        percent=False,
        aggregate="median",
    ),
)


def _detection(name: str, rank: int) -> Kind:
    return Kind(
        template=f"{name}@FPIR={{}}",
        family=IDENTIFICATION,
        title=f"detection and identification rate at rank {rank}",
        formula=f"1 - FNIR(T, {rank}, N), T the smallest threshold with FPIR(T, N) <= the number",
        source=f"Phillips, Grother & Micheals, Handbook of Face Recognition, 2011, chapter 21; {ISO}",
        target=f"{_IDENTIFICATION}:detection_at_fpir" + (f"_{rank}" if rank > 1 else ""),
        parameter="rate",
    )


IDENTIFICATION_KINDS: tuple[Kind, ...] = (
    _detection("DIR", 1),
    _detection("DIR-5", 5),
    _detection("DIR-10", 10),
    _detection("DIR-20", 20),
    Kind(
        template="FNIR@FPIR={}",
        family=IDENTIFICATION,
        title="false negative identification rate at a false positive one, whatever the rank",
        formula="share of mated searches with a mate below T, T the smallest threshold with FPIR(T, N) <= the number",
        source=f"{ISO}; {FIVE}",
        target=f"{_IDENTIFICATION}:misses_at_fpir",
        higher_is_better=False,
        parameter="rate",
    ),
    Kind(
        template="FPIR@T={}",
        family=IDENTIFICATION,
        title="false positive identification rate at a threshold",
        formula="share of non-mated searches that return a candidate at or above T",
        source=f"{ISO}; {FIVE}",
        target=f"{_IDENTIFICATION}:false_positive_rate",
        higher_is_better=False,
        parameter="score",
    ),
    Kind(
        template="FNIR@T={}",
        family=IDENTIFICATION,
        title="false negative identification rate at a threshold, whatever the rank",
        formula="share of mated searches with a mate below T",
        source=f"{ISO}; {FIVE}",
        target=f"{_IDENTIFICATION}:false_negative_rate",
        higher_is_better=False,
        parameter="score",
    ),
    Kind(
        template="mated-rank-{}",
        family=IDENTIFICATION,
        title="closed-set identification rate: the cumulative match characteristic of the mated searches",
        formula="share of mated searches with the mate among the first k, whatever its score: 1 - FNIR(-inf, k, N)",
        source=f"{ISO}, closed-set identification; {TIES}",
        target=f"{_IDENTIFICATION}:mated_within",
        parameter="count",
    ),
)
