"""What the two losses are said to do, as numbers: bounds of the implicit loss, hinge form of the explicit one.

Nothing here is trained with: these functions evaluate, in float64, on any embeddings, what the method's derivations
claim, so that a test or a figure can hold the claim against the loss.

Source: Wen et al., "Seeking the Shape of Sound", CVPR 2021, Proposition 1, Corollary 1 and equation (5).
"""

from typing import NamedTuple

import numpy as np

from vfsearch.errors import SettingsError, VectorError


class ImplicitBound(NamedTuple):
    """The implicit loss of a set of pairs, summed over the pairs, and what it cannot be below.

    Args:
        loss: L, the sum over all pairs of s_{y_i} (ce_face + ce_voice).
        jensen: after the first step of the proof, 2 log M sum_i s_{y_i} - (1/M) sum_j w_j . D_j.
        bound: after the second, 2 log M sum_i s_{y_i} - (C/M) sum_j |D_j|; loss >= jensen >= bound.
        chance: 2 log M sum_i s_{y_i}, the loss of a classifier that says nothing.
    """

    loss: float
    jensen: float
    bound: float
    chance: float


class ExplicitHinge(NamedTuple):
    """The explicit loss of each anchor and two forms of it without exponentials, each (2n,): voices, then faces.

    Args:
        loss: log(g + sum_j exp(t_ij)), with g = 1 + m' and t_ij = s_ij - s_ii; its mean is the loss of the batch.
        hinge: [T_i + m - 1]_+, with T_i = max_j t_ij: equation (5).
        envelope: max(T_i, log g) = log g + [T_i - log g]_+.
        slack: log(1 + K_i), K_i being the number of negatives; envelope <= loss <= envelope + slack.
    """

    loss: np.ndarray
    hinge: np.ndarray
    envelope: np.ndarray
    slack: np.ndarray


def implicit_bound(
    voices: np.ndarray, faces: np.ndarray, labels: np.ndarray, classifier: np.ndarray, weights: np.ndarray | None = None
) -> ImplicitBound:
    """Proposition 1, and with identity weights Corollary 1, on N pairs.

    With u_i = x_i + v_i, and s_i for s_{y_i}, the loss is sum_i s_i (2 lse_i - w_{y_i} . u_i), 2 lse_i being the
    log-sum-exps of W x_i and W v_i together. The proof has two steps:

    1. Jensen: log sum_k exp(a_k) >= log M + (1/M) sum_k a_k, for x_i and for v_i. Together, since s_i >= 0,
       L >= 2 log M sum_i s_i + sum_i s_i ((1/M) sum_k w_k - w_{y_i}) . u_i
         = 2 log M sum_i s_i - (1/M) sum_j w_j . D_j,
       D_j = M sum_{y_i=j} s_i u_i - sum_i s_i u_i = (M-1) sum_{y_i=j} s_i u_i - sum_{y_i!=j} s_i u_i.
    2. Cauchy-Schwarz: w_j . D_j <= C |D_j| with C = max_k |w_k|.

    Both are equalities where W = 0, or where every D_j = 0 and every embedding has the same logit for all identities.
    To first order in the size of the embeddings, W with rows C D_j / |D_j| attains the bound. Read the other way
    round, sum_j |D_j| >= (M/C) (2 log M sum_i s_i - L): a small loss forces each identity's voices and faces away
    from the rest. The bound says nothing more once it is below 0, where every cross-entropy is above it anyway.

    Args:
        voices, faces: (N, d) joint embeddings; row i of both is of identity labels[i].
        labels: (N,) rows of the classifier.
        classifier: (M, d) W.
        weights: (M,) s, not negative (the paper takes them from (0, 1), the proof does not need that); None for 1.
    Returns:
        Sums over the pairs.
    Raises:
        VectorError: the shapes do not go together, or a label has no row in the classifier.
        SettingsError: a weight is negative or not finite.
    Source: Wen et al., CVPR 2021, Proposition 1 and Corollary 1.
    """
    voices, faces, classifier = (np.asarray(each, np.float64) for each in (voices, faces, classifier))
    labels = _checked(voices, faces, labels)
    identities = len(classifier)
    _check_classifier(classifier, voices, labels)
    shares = _shares(weights, identities)[labels]
    each = _cross_entropy(voices @ classifier.T, labels) + _cross_entropy(faces @ classifier.T, labels)
    chance = 2 * np.log(identities) * shares.sum()
    away = _away(shares[:, None] * (voices + faces), labels, identities)
    longest = np.linalg.norm(classifier, axis=1).max()
    return ImplicitBound(
        loss=float(shares @ each),
        jensen=float(chance - (classifier * away).sum() / identities),
        bound=float(chance - longest * np.linalg.norm(away, axis=1).sum() / identities),
        chance=float(chance),
    )


def explicit_hinge(
    voices: np.ndarray, faces: np.ndarray, labels: np.ndarray, margin: float = 4.4, hinge_margin: float | None = None
) -> ExplicitHinge:
    """Equation (5) beside the loss it approximates, and the form that the loss tends to.

    Equation (5) approximates twice: log(1 + e^t) ~ [t]_+ for t = log(m' + sum_j exp(t_ij)), and t ~ T_i + m - 1 for
    a small m'. With one negative in sight, t = T_i + log(1 + m' exp(-T_i)), which is T_i + m' to first order in m' at
    the border T_i = 0; so m = 1 + m' is what we take where no other m is given.

    Exact, for every m' >= 0, K_i negatives and g = 1 + m', is
        max(T_i, log g) <= log(g + sum_j exp(t_ij)) <= max(T_i, log g) + log(1 + K_i):
    one term of the sum below, 1 + K_i times the largest above. So the loss is a hinge over a floor,
    log g + [T_i - log g]_+, up to log(1 + K_i) at any scale, and comes exponentially close to it as the embeddings
    grow, but for ties. Equation (5) has the same slopes, but its border is T_i = 1 - m in place of T_i = log g: for
    m > 1 it keeps pulling where the loss has come to rest. It stays off by a constant, log g where both are flat and
    m - 1 where both rise, which matters less the larger the scores are. With m' = 0 and m = 1 the two forms are one.

    Args:
        voices, faces: (n, d) joint embeddings; row i of both is of identity labels[i].
        labels: (n,) identities; pairs of one identity are no negatives.
        margin: m' of the loss, not negative.
        hinge_margin: m of equation (5); None for 1 + m'.
    Raises:
        VectorError: the shapes do not go together.
        SettingsError: the margin is negative or not finite.
    Source: Wen et al., CVPR 2021, equations (3) to (5).
    """
    voices, faces = np.asarray(voices, np.float64), np.asarray(faces, np.float64)
    labels = _checked(voices, faces, labels)
    if not 0.0 <= margin < np.inf:
        raise SettingsError(f"margin is {margin}, it must be finite and not negative")
    floor, moved = np.log(1 + margin), margin if hinge_margin is None else hinge_margin - 1
    other = labels[:, None] != labels[None, :]
    gaps = np.concatenate([_gaps(voices, faces, other), _gaps(faces, voices, other)])
    hardest = gaps.max(axis=1)
    constant = np.full((len(gaps), 1), floor)
    return ExplicitHinge(
        loss=_log_sum_exp(np.concatenate([constant, gaps], axis=1)),
        hinge=np.maximum(hardest + moved, 0),
        envelope=np.maximum(hardest, floor),
        slack=np.tile(np.log(1 + other.sum(axis=1)), 2),
    )


def _gaps(anchors: np.ndarray, gallery: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(n, n) s_ij - s_ii, -inf where j is no negative of i; a gallery row of length 0 scores 0."""
    lengths = np.linalg.norm(gallery, axis=1, keepdims=True)
    scores = anchors @ (gallery / np.where(lengths > 0, lengths, 1)).T
    return np.where(other, scores - np.diagonal(scores)[:, None], -np.inf)


def _cross_entropy(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return _log_sum_exp(logits) - logits[np.arange(len(labels)), labels]


def _log_sum_exp(rows: np.ndarray) -> np.ndarray:
    most = rows.max(axis=1, keepdims=True)
    return most[:, 0] + np.log(np.exp(rows - most).sum(axis=1))


def _away(sums: np.ndarray, labels: np.ndarray, identities: int) -> np.ndarray:
    """(M, d) D_j of the (N, d) weighted s_i u_i."""
    own = np.zeros((identities, sums.shape[1]))
    np.add.at(own, labels, sums)
    return identities * own - sums.sum(axis=0)


def _shares(weights: np.ndarray | None, identities: int) -> np.ndarray:
    shares = np.ones(identities) if weights is None else np.asarray(weights, np.float64)
    if shares.shape != (identities,):
        raise VectorError(f"the identity weights have shape {shares.shape}, the classifier wants ({identities},)")
    if not (np.isfinite(shares) & (shares >= 0)).all():
        raise SettingsError(f"identity weights must be finite and not negative, the least is {shares.min()}")
    return shares


def _checked(voices: np.ndarray, faces: np.ndarray, labels: np.ndarray) -> np.ndarray:
    labels = np.asarray(labels)
    if voices.ndim != 2 or voices.shape != faces.shape or labels.shape != voices.shape[:1] or not len(labels):
        raise VectorError(
            f"voices {voices.shape}, faces {faces.shape} and labels {labels.shape} do not go together; wanted (n, d), "
            "(n, d) and (n,) with n >= 1"
        )
    return labels


def _check_classifier(classifier: np.ndarray, voices: np.ndarray, labels: np.ndarray) -> None:
    if classifier.ndim != 2 or classifier.shape[1] != voices.shape[1]:
        raise VectorError(f"the classifier has shape {classifier.shape}, wanted (identities, {voices.shape[1]})")
    if labels.min() < 0 or labels.max() >= len(classifier):
        raise VectorError(
            f"labels go from {labels.min()} to {labels.max()}, the classifier has rows 0 to {len(classifier) - 1}"
        )
