"""Measures that Keras does not have.

Accuracy, precision, recall and F1 are Keras's own: `keras.metrics.BinaryAccuracy`,
`Precision`, `Recall` and `F1Score`.
"""

import numpy as np

from lmkit.checks import check_labels


def confusion_matrix(labels, predictions):
    """Counts every pair of a true label and a predicted one.

    Args:
        labels: the true labels, `(n,)`, each 0 or 1.
        predictions: the predicted labels, `(n,)`, each 0 or 1.

    Returns:
        An int array `(2, 2)`, row = true label, column = predicted label:
        `[[true negatives, false positives], [false negatives, true positives]]`.

    Raises:
        ValueError: if a label is not 0 or 1, or the lengths differ.

    Example:
        >>> confusion_matrix([0, 0, 1, 1], [0, 1, 1, 1]).tolist()
        [[1, 1], [0, 2]]

    Source: the usual definition. Counted by hand in: chapters/01_rnn_classifier.ipynb
    """
    labels, predictions = check_labels(labels), check_labels(predictions)
    if len(labels) != len(predictions):
        raise ValueError(f"{len(labels)} labels, but {len(predictions)} predictions")
    return np.bincount(2 * labels + predictions, minlength=4).reshape(2, 2)


def pair_accuracy(positive_scores, negative_scores, tolerance=0.0):
    """The share of minimal pairs whose positive text gets the higher score.

    A tie counts one half: a model that cannot tell the two apart is right as often
    as a coin.

    Args:
        positive_scores: the scores of the positive texts, `(n,)`.
        negative_scores: the scores of their partners, `(n,)`, in the same order.
        tolerance: two scores that differ by no more are a tie. Adding up the same numbers
            in another order moves the last digits, so 0 is rarely right for float32.

    Returns:
        A float from 0 to 1.

    Raises:
        ValueError: if the shapes differ, nothing is there, a score is not a number, or the
            tolerance is negative.

    Example:
        >>> pair_accuracy([0.9, 0.4, 0.5], [0.1, 0.6, 0.5])  # right, wrong, tie
        0.5

    Source: minimal pairs as in Linzen, Dupoux and Goldberg, 2016.
    """
    positive, negative = (_scores(scores) for scores in (positive_scores, negative_scores))
    if positive.shape != negative.shape:
        raise ValueError(f"{len(positive)} positive scores, but {len(negative)} negative ones")
    if not tolerance >= 0:
        raise ValueError(f"tolerance must be at least 0, got {tolerance!r}")
    difference = positive - negative
    return float(np.mean((difference > tolerance) + 0.5 * (np.abs(difference) <= tolerance)))


def _scores(scores):
    scores = np.asarray(scores, dtype="float64")
    if scores.ndim != 1 or scores.size == 0:
        raise ValueError(f"scores must be one row of at least one number, got {scores.shape}")
    if np.isnan(scores).any():
        raise ValueError(f"score {int(np.argmax(np.isnan(scores)))} is not a number")
    return scores
