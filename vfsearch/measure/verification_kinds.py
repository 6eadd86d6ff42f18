"""The verification measures, by name."""

from vfsearch.measure.kind import VERIFICATION, Kind

_HERE = "vfsearch.measure"


def _error(name: str, title: str, formula: str, source: str, target: str, **more: object) -> Kind:
    return Kind(
        template=name, family=VERIFICATION, title=title, formula=formula, source=source, target=f"{_HERE}.{target}",
        higher_is_better=False, **more,
    )  # fmt: skip


_AREA = Kind(
    template="AUC",
    family=VERIFICATION,
    title="area under the ROC curve",
    formula="P(mated score > non-mated score) + P(equal) / 2",
    source="Hanley & McNeil, Radiology 1982",
    target=f"{_HERE}.verification:auc",
)
_EQUAL_ERROR = (
    _error(
        "EER", "equal error rate", "the rate at which FMR = FNMR, linear between the operating points on either side",
        "ISO/IEC 19795-1; interpolation as in NIST's scoring of SRE16", "equal_error:equal_error_rate",
    ),
    _error(
        "EER(roc-brentq)", "equal error rate, root of 1 - x - ROC(x)",
        "x with 1 - x = TMR interpolated at FMR x: the number that EER is",
        "brentq over interp1d of a ROC curve, as in VoxSRC and FAME scoring", "equal_error:equal_error_rate",
    ),
    _error(
        "EER(nearest)", "equal error rate, mean at the nearest point",
        "(FMR + FNMR) / 2 at the operating point with the least |FMR - FNMR|", "torchmetrics, binary_eer",
        "equal_error:eer_nearest",
    ),
    _error(
        "EER(nearest-max)", "equal error rate, maximum at the nearest corner",
        "max(FMR, FNMR) at the corner of the ROC curve with the least |FMR - FNMR|",
        "clovaai/voxceleb_trainer, tuneThreshold.py", "equal_error:eer_nearest_max",
    ),
    _error(
        "EER(convex-hull)", "equal error rate of the ROC convex hull", "FMR = FNMR on the convex hull of the ROC curve",
        "Brümmer & de Villiers, BOSARIS Toolkit, 2013", "equal_error:eer_convex_hull",
    ),
    _error(
        "EER(speechbrain)", "equal error rate as in SpeechBrain",
        "(FMR + FNMR) / 2 at the lowest threshold with the least |FMR - FNMR|, scores above it accepted",
        "speechbrain/utils/metric_stats.py", "equal_error:eer_speechbrain",
    ),
    _error(
        "EER(kaldi)", "equal error rate as in Kaldi",
        "least k/n with FMR at the k-th lowest of n mated scores <= k/n", "Kaldi, ivectorbin/compute-eer.cc",
        "equal_error:eer_kaldi",
    ),
    _error(
        "EER(midpoint)", "equal error rate, middle of its bounds",
        "half the smaller FMR + FNMR of the operating points on either side of FMR = FNMR",
        "Maio et al., FVC2000, PAMI 2002", "equal_error:eer_midpoint",
    ),
)  # fmt: skip
_COSTS = (
    _error(
        "minDCF({})", "minimum detection cost at a prior",
        "min over thresholds of (P FNMR + (1 - P) FMR) / min(P, 1 - P)", "NIST SRE evaluation plans, normalised",
        "detection_cost:min_dcf", parameter="rate", percent=False, most=1.0,
    ),
    _error(
        "actDCF({})", "actual detection cost at a prior",
        "(P FNMR + (1 - P) FMR) / min(P, 1 - P) at the threshold log((1 - P) / P)",
        "NIST SRE evaluation plans, normalised", "detection_cost:act_dcf", parameter="rate", percent=False,
    ),
)  # fmt: skip
_POINTS = (
    _error(
        "FMR@T={}", "false match rate at a threshold", "share of non-mated trials with score >= T",
        "ISO/IEC 19795-1:2021; FAR where missing sides are counted", "verification:fmr_at_score", parameter="score",
    ),
    _error(
        "FNMR@T={}", "false non-match rate at a threshold", "share of mated trials with score < T",
        "ISO/IEC 19795-1:2021; FRR where missing sides are counted", "verification:fnmr_at_score", parameter="score",
    ),
    _error(
        "FNMR@FMR={}", "false non-match rate at a false match rate",
        "FNMR at the lowest threshold with FMR <= x, not interpolated", "FVC2000, Maio et al., PAMI 2002",
        "verification:fnmr_at_fmr", parameter="rate",
    ),
    Kind(
        template="TAR@FAR={}",
        family=VERIFICATION,
        title="true match rate at a false match rate",
        formula="TMR at the lowest threshold with FMR <= x, not interpolated",
        source="Klare et al., IJB-A, CVPR 2015; TMR and FMR in ISO/IEC 19795-1:2021",
        target=f"{_HERE}.verification:tar_at_far",
        parameter="rate",
    ),
)  # fmt: skip
_CALIBRATION = (
    _error(
        "Cllr", "cost of the log-likelihood ratio",
        "(mean log2(1 + e^-s) over mated + mean log2(1 + e^s) over non-mated trials) / 2",
        "Brümmer & du Preez, Computer Speech & Language 2006", "calibration:cllr", percent=False,
    ),
    _error(
        "minCllr", "cost of the log-likelihood ratio after the best calibration",
        "Cllr of the scores calibrated by pooling adjacent violators",
        "Brümmer & du Preez, Computer Speech & Language 2006", "calibration:min_cllr", percent=False, most=1.0,
    ),
)  # fmt: skip
VERIFICATION_KINDS: tuple[Kind, ...] = (_AREA, *_EQUAL_ERROR, *_COSTS, *_POINTS, *_CALIBRATION)
