"""Peers whose published figures one may want to compare with, and where their arithmetic differs from ours.

Ours: scores are similarities, ties count in expectation over random order, the EER is interpolated linearly between
operating points of distinct scores. What a peer does otherwise and we reproduce is in the fields; what it does
otherwise and we do not reproduce is said in its notes.
"""

from dataclasses import dataclass

from vfsearch.errors import SettingsError
from vfsearch.measure.kind import Kind
from vfsearch.measure.ranking_kinds import RANKING_KINDS
from vfsearch.measure.tie_order import EXPECTED, ID_DESCENDING, MATE_FIRST, MATE_LAST, POLICIES
from vfsearch.measure.verification_kinds import VERIFICATION_KINDS

SIMILARITY, DISTANCE = "similarity", "distance"


@dataclass(frozen=True, kw_only=True)
class Compat:
    """One peer.

    Args:
        name: what it is called here.
        peer: whose arithmetic it is.
        eer: name of the measure that is its equal error rate.
        ties: how it orders equal scores in 1:N matching, one of `vfsearch.measure.tie_order.POLICIES`.
        ranking_ties: how it orders them in ranked lists.
        average_precision: name of the measure that is its mean average precision.
        scores: "similarity" or "distance": what its score files hold; a format that holds distances negates them.
        notes: what else differs.
        source: where that is known from.
    """

    name: str
    peer: str
    notes: str
    source: str
    eer: str = "EER"
    ties: str = EXPECTED
    ranking_ties: str = EXPECTED
    average_precision: str = "mAP"
    scores: str = SIMILARITY

    def __post_init__(self) -> None:
        if not {self.ties, self.ranking_ties} <= set(POLICIES) or self.scores not in (SIMILARITY, DISTANCE):
            raise SettingsError(f"the peer {self.name!r} orders ties, or scores, in a way that is not known: {self}")
        if self.average_precision not in map(_name, RANKING_KINDS):
            raise SettingsError(f"the peer {self.name!r} has a precision that is not known: {self.average_precision!r}")
        if self.eer not in map(_name, VERIFICATION_KINDS):
            raise SettingsError(f"the peer {self.name!r} has an equal error rate that is not known: {self.eer!r}")


def _name(kind: Kind) -> str:
    return kind.template


_PEERS = (
    Compat(
        name="wen2021",
        peer="Seeking the Shape of Sound (Wen et al., CVPR 2021), released evaluation",
        ties=MATE_FIRST,
        notes="1:N matching takes the first maximum with the mate in front: ties are successes, a constant embedding "
        "gets 100 %. AUC as here. mAP sorts by an unstable argsort, so ties fall anyhow: their expectation is shown.",
        source="its evaluation code, as described in this entry",
    ),
    Compat(
        name="cmpc",
        peer="CMPC (cross-modal prototype contrastive learning), evaluation",
        ties=MATE_FIRST,
        average_precision="mAP(grouped)",
        notes="1:N matching takes the first maximum. AP is scikit-learn's average_precision_score, which gives every "
        "mate of a tie the precision behind the tie.",
        source="its evaluation code, as described in this entry",
    ),
    Compat(
        name="vfal-eva",
        peer="vfal-eva / sl_icmr2022, 1:N matching",
        ties=MATE_FIRST,
        notes="1:N matching takes the first maximum: a constant embedding gets 100 %. 1:2 matching is another entry.",
        source="its evaluation code, as described in this entry",
    ),
    Compat(
        name="vfal-eva-1-2",
        peer="vfal-eva / sl_icmr2022, 1:2 matching",
        ties=MATE_LAST,
        notes="1:2 matching asks for a strictly better mate: a constant embedding gets 0 %.",
        source="its evaluation code, as described in this entry",
    ),
    Compat(
        name="fop",
        peer="FOP (fusion and orthogonal projection), online_evaluation.py",
        scores=DISTANCE,
        notes="Squared L2 distances: on unit rows a falling function of the cosine, so that EER and AUC are the same. "
        "Thresholds from a grid, and labels from the parity of the row (right for the random unseen-unheard list "
        "alone): neither is reproduced.",
        source="its evaluation code, as described in this entry",
    ),
    Compat(
        name="fame",
        peer="FAME challenge (MAV-Celeb), scorer",
        eer="EER(roc-brentq)",
        scores=DISTANCE,
        notes="L2 distances, negated. In percent; the overall figure is the mean of the EERs of two languages, heard "
        "and unheard. The root finder stops within 2e-12.",
        source="release of the challenge's scorer",
    ),
    Compat(
        name="voxceleb-trainer",
        peer="clovaai/voxceleb_trainer, tuneThreshold.py",
        eer="EER(nearest-max)",
        notes="The larger of both rates at the nearest corner of scikit-learn's ROC curve, in percent. Its minDCF is "
        "normalised as here but takes trials of one score apart, in the order of the list: not reproduced.",
        source="tuneThreshold.py: tuneThresholdfromScore, ComputeErrorRates, ComputeMinDcf",
    ),
    Compat(
        name="voxsrc",
        peer="VoxSRC development toolkit",
        eer="EER(roc-brentq)",
        notes="minDCF at a prior of 0.05, normalised: minDCF(0.05).",
        source="VoxSRC2020 compute_EER.py, compute_min_dcf.py",
    ),
    Compat(
        name="kaldi",
        peer="Kaldi, compute-eer",
        eer="EER(kaldi)",
        notes="A rate of mated trials, so a multiple of 1/n. Reads scores as float32: scores that differ by less tie "
        "there, which is not reproduced.",
        source="src/ivectorbin/compute-eer.cc, ComputeEer",
    ),
    Compat(
        name="speechbrain",
        peer="SpeechBrain, utils/metric_stats.py",
        eer="EER(speechbrain)",
        notes="Accepts scores above a threshold, never everything. Rates are float32 (an error below 1e-7). Its minDCF "
        "is not normalised: min(P, 1 - P) times ours.",
        source="metric_stats.py: EER, minDCF",
    ),
    Compat(
        name="wespeaker",
        peer="WeSpeaker, compute_metrics.py",
        notes="EER interpolated as here and minDCF normalised as here, but trials of one score are taken apart, in the "
        "order that an unstable sort leaves them: not reproduced. Without ties the figures agree.",
        source="utils/score_metrics.py: compute_pmiss_pfa_rbst, compute_eer, compute_c_norm",
    ),
    Compat(
        name="nist",
        peer="NIST speaker recognition evaluations (SRE16 and later), scoring software",
        notes="EER as in WeSpeaker, whose functions come from there. minDCF and actDCF normalised as here; the primary "
        "cost averages several priors, and partitions of the trials may be weighted: not reproduced.",
        source="SRE16 to SRE24 evaluation plans",
    ),
    Compat(
        name="bosaris",
        peer="BOSARIS Toolkit, pyllr",
        eer="EER(convex-hull)",
        notes="EER of the ROC convex hull, never above that of the curve. Cllr and minCllr as here.",
        source="rocch2eer; Brümmer & de Villiers 2013",
    ),
    Compat(
        name="torchmetrics",
        peer="TorchMetrics, binary_eer",
        eer="EER(nearest)",
        notes="The mean of both rates at the nearest operating point. Rates are float32; scores outside of [0, 1] are "
        "put through a sigmoid first, which can make scores equal: not reproduced.",
        source="torchmetrics/functional/classification/eer.py",
    ),
    Compat(
        name="bob",
        peer="bob.measure",
        eer="EER(nearest)",
        notes="The mean of FAR and FRR at the threshold, midway between scores, where they differ least; of two "
        "equally near thresholds it takes the lower, we the higher.",
        source="bob.measure: eer_threshold, farfrr",
    ),
    Compat(
        name="trec_eval",
        peer="trec_eval",
        ties=ID_DESCENDING,
        ranking_ties=ID_DESCENDING,
        notes="Ranked lists: the rank column is ignored; equal scores, compared as float32, are ordered by document "
        "id, the later first. Grades above 1 count as 1, and a query that the run leaves out counts 0, as with its "
        "option -c: neither its graded nDCG nor its mean over the answered queries is reproduced.",
        source="trec_eval 9, form_res_rels.c",
    ),
)
COMPAT: dict[str, Compat] = {each.name: each for each in _PEERS}
