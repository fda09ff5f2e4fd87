"""lmkit.metrics.labels: by hand, against scikit-learn, invariants."""

import numpy as np
import pytest

from lmkit.metrics import confusion_matrix, pair_accuracy


def test_confusion_by_hand():
    labels, predictions = [0, 0, 0, 1, 1, 1, 1], [0, 0, 1, 0, 1, 1, 1]
    assert confusion_matrix(labels, predictions).tolist() == [[2, 1], [1, 3]]


def test_confusion_against_scikit_learn(rng):
    theirs = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")
    labels, predictions = rng.integers(0, 2, (2, 500))
    ours = confusion_matrix(labels, predictions)
    np.testing.assert_array_equal(ours, theirs.confusion_matrix(labels, predictions))


def test_confusion_rows_count_the_labels(rng):
    labels, predictions = rng.integers(0, 2, (2, 100))
    matrix = confusion_matrix(labels, predictions)
    assert matrix.sum(axis=1).tolist() == np.bincount(labels, minlength=2).tolist()
    swapped = confusion_matrix(predictions, labels)
    np.testing.assert_array_equal(swapped, matrix.T)


def test_confusion_has_room_for_a_class_that_never_occurs():
    assert confusion_matrix([1, 1], [1, 1]).tolist() == [[0, 0], [0, 2]]


@pytest.mark.parametrize(
    ("labels", "predictions", "message"),
    [
        ([0, 2], [0, 1], "labels must be 0 or 1, got 2 at position 1"),
        ([0, 1], [0.3, 1], "predictions must be 0 or 1, got 0.3 at position 0"),
        ([0, 1], [0, 1, 1], "2 labels, but 3 predictions"),
        ([], [], "not empty"),
        ([[0], [1]], [0, 1], r"labels must be one row \(n,\)"),
        (np.array(["pos", "neg"], object), [0, 1], "labels must be numbers in rows of one length"),
        (["pos", "neg"], [0, 1], "labels must be numbers in rows of one length"),
    ],
)
def test_confusion_refuses(labels, predictions, message):
    with pytest.raises(ValueError, match=message):
        confusion_matrix(labels, predictions)


def test_pairs_by_hand():
    assert pair_accuracy([0.9, 0.8, 0.1, 0.5], [0.1, 0.9, 0.0, 0.5]) == (1 + 0 + 1 + 0.5) / 4


def test_pairs_closer_than_the_tolerance_are_ties():
    positive, negative = [0.5 + 1e-8, 0.5, 0.9], [0.5, 0.5 + 1e-8, 0.1]
    assert pair_accuracy(positive, negative) == 2 / 3
    assert pair_accuracy(positive, negative, tolerance=1e-6) == (0.5 + 0.5 + 1) / 3
    assert pair_accuracy([0.2], [0.9], tolerance=0.1) == 0.0
    with pytest.raises(ValueError, match="tolerance must be at least 0, got -1"):
        pair_accuracy(positive, negative, tolerance=-1)


def test_infinite_scores():
    inf = float("inf")
    assert pair_accuracy([inf, inf, -inf, 0.0], [inf, 0.0, inf, -inf]) == (0.5 + 1 + 0 + 1) / 4
    assert pair_accuracy([inf], [inf], tolerance=1e9) == 0.5


def test_pairs_against_the_area_under_the_curve(rng):
    theirs = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")
    # Over ALL pairs of a positive and a negative text, this is the area under the ROC curve.
    positive, negative = rng.integers(0, 9, 30), rng.integers(0, 9, 40)
    every = np.repeat(positive, 40), np.tile(negative, 30)
    labels = np.repeat([1, 0], [30, 40])
    expected = theirs.roc_auc_score(labels, np.concatenate([positive, negative]))
    assert pair_accuracy(*every) == pytest.approx(expected, abs=1e-12)


def test_pairs_swapped_give_the_rest(rng):
    positive, negative = rng.integers(0, 3, (2, 50))
    assert pair_accuracy(positive, negative) + pair_accuracy(negative, positive) == 1
    assert pair_accuracy(positive, positive) == 0.5


@pytest.mark.parametrize(
    ("positive", "negative", "message"),
    [
        ([0.1, 0.2], [0.1], "2 positive scores, but 1 negative"),
        ([], [], r"positive_scores must be one row \(n,\), not empty"),
        ([0.1], [[0.2]], r"negative_scores must be one row \(n,\)"),
        ([0.1, 0.3], [0.1, float("nan")], "negative_scores must be numbers, got NaN at 1"),
        (["high"], [0.2], "positive_scores must be numbers in rows of one length"),
    ],
)
def test_pairs_refuse(positive, negative, message):
    with pytest.raises(ValueError, match=message):
        pair_accuracy(positive, negative)
