"""How often a classifier is right, and where it is wrong."""

import numpy as np

from lmkit import _arguments


def confusion_matrix(labels, predictions):
    """Counts every pair of a true label and a predicted one.

    Args:
        labels: the true labels, `(n,)`, each 0 or 1.
        predictions: the predicted labels, `(n,)`, each 0 or 1.

    Returns:
        An int array `(2, 2)`, row = true label, column = predicted label.

    Example:
        >>> confusion_matrix([0, 0, 1, 1], [0, 1, 1, 1]).tolist()
        [[1, 1], [0, 2]]
    """
    labels = _arguments.labels("labels", labels)
    predictions = _arguments.labels("predictions", predictions)
    if len(labels) != len(predictions):
        raise ValueError(f"{len(labels)} labels, but {len(predictions)} predictions")
    # The pair as one number of two bits; the minimum makes room for pairs that never occur.
    return np.bincount(2 * labels + predictions, minlength=4).reshape(2, 2)


def pair_accuracy(positive_scores, negative_scores, tolerance=0.0):
    """Computes the share of minimal pairs in which the positive text has the higher score.

    Args:
        positive_scores: the scores of the positive texts, `(n,)`.
        negative_scores: the scores of their partners, `(n,)`, in the same order.
        tolerance: scores that differ by no more are a tie. Rounding moves the last digits
            of float32, so 0 is rarely right.

    Returns:
        A float from 0 to 1. A tie counts one half, as a coin would be right.

    Example:
        >>> pair_accuracy([0.9, 0.4, 0.5], [0.1, 0.6, 0.5])  # right, wrong, tie
        0.5

    Source: Linzen, Dupoux and Goldberg, 2016 (minimal pairs).
    """
    positive = _scores("positive_scores", positive_scores)
    negative = _scores("negative_scores", negative_scores)
    if len(positive) != len(negative):
        raise ValueError(f"{len(positive)} positive scores, but {len(negative)} negative ones")
    tolerance = _arguments.real("tolerance", tolerance, least=0)
    # Two scores that are equally infinite are a tie, but their difference is NaN.
    with np.errstate(invalid="ignore"):
        difference = np.where(positive == negative, 0.0, positive - negative)
    tie = np.abs(difference) <= tolerance
    # A model that cannot tell the two apart is right as often as a coin.
    return float(np.mean((difference > tolerance) + 0.5 * tie))


def _scores(name, values):
    scores = _arguments.array(name, values, "float64")
    if scores.ndim != 1 or scores.size == 0:
        raise ValueError(f"{name} must be one row (n,), not empty, got shape {scores.shape}")
    if np.isnan(scores).any():
        raise ValueError(f"{name} must be numbers, got NaN at {np.argmax(np.isnan(scores))}")
    return scores
