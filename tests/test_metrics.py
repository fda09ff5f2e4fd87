"""lmkit.metrics: by hand, against scikit-learn and NumPy in float64, invariants."""

import keras
import numpy as np
import pytest
from keras import ops

from lmkit.metrics import (
    BitsPerCharacter,
    Perplexity,
    confusion_matrix,
    pair_accuracy,
    token_losses,
)
from lmkit.models import lstm_lm

# A float32 sum of n losses is off by n x 6e-8 of itself at worst; n is some hundreds here,
# and e to a loss multiplies the relative error of the loss by the loss, below 5.
RELATIVE = 1e-4


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
        ([0, 2], [0, 1], "at position 1 is not 0 or 1"),
        ([0, 1], [0.3, 1], "at position 0 is not 0 or 1"),
        ([0, 1], [0, 1, 1], "2 labels, but 3 predictions"),
        ([], [], "not empty"),
        ([[0], [1]], [0, 1], r"one row \(n,\)"),
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
        ([], [], "at least one number"),
        ([[0.1]], [[0.2]], "one row"),
        ([0.1, float("nan")], [0.1, 0.2], "score 1 is not a number"),
    ],
)
def test_pairs_refuse(positive, negative, message):
    with pytest.raises(ValueError, match=message):
        pair_accuracy(positive, negative)


def reference(logits, targets, keep):
    """The mean -log p of the kept positions in float64, one position after the other."""
    losses = []
    for place in np.argwhere(keep):
        row = np.exp(logits[tuple(place)].astype("float64"))
        losses.append(-np.log(row[targets[tuple(place)]] / row.sum()))
    return np.mean(losses)


def result_of(metric, *batches):
    for batch in batches:
        metric.update_state(*batch)
    return float(metric.result())


def logits_of(probabilities):
    return np.log(np.array(probabilities, dtype="float32"))


def test_token_losses_by_hand():
    logits = np.log([[[1, 3, 4], [2, 2, 4]], [[8, 4, 4], [1, 1, 1]]])  # any factor cancels
    losses = token_losses(logits, [[2, 1], [1, 0]])
    np.testing.assert_allclose(losses, [[np.log(2), np.log(4)], [np.log(4), 0]], atol=1e-15)
    every = token_losses(logits, [[2, 1], [1, 0]], ignore_class=None)
    np.testing.assert_allclose(every[1, 1], np.log(3), atol=1e-15)


def test_token_losses_at_the_edges():
    big = [[1e4, -1e4, 0.0], [0.0, -np.inf, -np.inf], [0.0, -np.inf, 0.0], [np.nan, 0.0, 0.0]]
    losses = token_losses(big, [1, 1, 2, 2])
    assert losses[:2].tolist() == [2e4, np.inf]
    assert losses[2] == pytest.approx(np.log(2))
    assert np.isnan(losses[3])  # of logits that are no numbers


@pytest.mark.parametrize(
    ("logits", "targets", "error", "message"),
    [
        (np.zeros((2, 3, 4)), np.ones((2, 2), int), ValueError, "need one target a row, got"),
        (np.zeros((2, 4)), [1, 4], ValueError, "target 4 has no logit: there are 4"),
        (np.zeros((2, 4)), [1, -1], ValueError, "target -1 has no logit"),
        (np.zeros((2, 4)), [1.0, 2.0], TypeError, "whole numbers, got float64"),
        (np.float64(3), np.int64(1), ValueError, "need one target a row"),
    ],
)
def test_token_losses_refuse(logits, targets, error, message):
    with pytest.raises(error, match=message):
        token_losses(logits, targets)


def test_perplexity_and_bits_by_hand():
    # Two stories of 3 and 1 scored tokens: -log2 p = 1, 2, 3 and 6, twelve bits in all.
    p = [1 / 2, 1 / 4, 1 / 8], [1 / 64, 1 / 2, 1 / 2]
    logits = logits_of([[[0.1, q, 0.9 - q] for q in row] for row in p])
    targets = np.array([[1, 1, 1], [1, 0, 0]])
    assert result_of(Perplexity(), (targets, logits)) == pytest.approx(8, rel=RELATIVE)
    assert result_of(BitsPerCharacter(), (targets, logits)) == pytest.approx(3, rel=RELATIVE)
    # Batch by batch the same: not the mean of the means, 2 and 6.
    rows = [(targets[i : i + 1], logits[i : i + 1]) for i in range(2)]
    assert result_of(BitsPerCharacter(), *rows) == pytest.approx(3, rel=RELATIVE)


def test_perplexity_at_best_worst_and_uniform():
    targets = np.array([[3, 1, 2]])
    certain = np.where(np.eye(5)[targets], 0, -np.inf).astype("float32")
    assert result_of(Perplexity(), (targets, certain)) == 1
    assert result_of(Perplexity(), (targets, np.full((1, 3, 5), -7.0))) == pytest.approx(5)
    for metric in (Perplexity(), BitsPerCharacter()):
        assert result_of(metric, (targets, np.roll(certain, 1, axis=-1))) == np.inf
    wrong = np.where(np.eye(5)[targets], -200.0, 0.0)  # e to 200 is beyond float32
    assert result_of(Perplexity(), (targets, wrong)) == np.inf


@pytest.mark.filterwarnings("ignore:invalid value")
def test_what_is_left_out_cannot_matter(rng):
    logits = rng.normal(size=(3, 5, 7)).astype("float32")
    targets, weights = rng.integers(1, 7, size=(3, 5)), np.ones((3, 5), "float32")
    targets[0, 3:] = weights[1, 2:] = 0
    keep = (targets != 0) & (weights != 0)
    expected = reference(logits, targets, keep)
    for bad in (0.0, 1e4, -np.inf, np.nan):
        logits[~keep] = bad
        perplexity = result_of(Perplexity(), (targets, logits, weights))
        assert perplexity == pytest.approx(np.exp(expected), rel=RELATIVE)
        bits = result_of(BitsPerCharacter(), (targets, logits, weights))
        assert bits == pytest.approx(expected / np.log(2), rel=RELATIVE)


def test_keras_mask_is_kept(rng):
    # Padding on the left: Keras's mask drops the position whose input is padding, though
    # its target is a word. Keras's loss does not count it either.
    model = lstm_lm(7, 3, 4)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    ids = rng.integers(1, 7, size=(4, 9))
    ids[1, 5:] = ids[2, :3] = 0
    inputs, targets = ids[:, :-1], ids[:, 1:]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    model.compile("sgd", loss, metrics=[Perplexity(), BitsPerCharacter()])
    logs = model.evaluate(inputs, targets, batch_size=4, verbose=0, return_dict=True)
    keep = (inputs != 0) & (targets != 0)
    expected = reference(model.predict(inputs, verbose=0), targets, keep)
    assert logs["perplexity"] == pytest.approx(np.exp(expected), rel=RELATIVE)
    assert logs["bits_per_character"] == pytest.approx(expected / np.log(2), rel=RELATIVE)
    assert logs["loss"] == pytest.approx(expected, rel=RELATIVE)


def test_every_token_counts_once_over_batches_of_unequal_size(rng):
    model = lstm_lm(7, 3, 4)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    ids = rng.integers(1, 7, size=(7, 9))
    ids[5:, 3:] = 0
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(True), metrics=[Perplexity()])
    expected = reference(model.predict(ids[:, :-1], verbose=0), ids[:, 1:], ids[:, 1:] != 0)
    for size in (1, 2, 7):
        logs = model.evaluate(ids[:, :-1], ids[:, 1:], size, verbose=0, return_dict=True)
        assert logs["perplexity"] == pytest.approx(np.exp(expected), rel=RELATIVE)


def test_weights_of_rows_and_of_positions(rng):
    logits, targets = rng.normal(size=(2, 2, 5)), rng.integers(1, 5, size=(2, 2))
    losses = token_losses(logits, targets)
    by_row = result_of(BitsPerCharacter(), (targets, logits, np.array([3.0, 1.0])))
    expected = (3 * losses[0] + losses[1]).sum() / 8 / np.log(2)
    assert by_row == pytest.approx(expected, rel=RELATIVE)
    weights = np.array([[3.0, 1.0], [0.0, 2.0]])
    by_position = result_of(BitsPerCharacter(), (targets, logits, weights))
    assert by_position == pytest.approx((weights * losses).sum() / 6 / np.log(2), rel=RELATIVE)


def test_weights_in_compiled_training(rng):
    model = lstm_lm(7, 3, 4)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    ids = rng.integers(1, 7, size=(4, 6))
    loss = keras.losses.SparseCategoricalCrossentropy(True, ignore_class=0)
    model.compile(keras.optimizers.SGD(0.0), loss, weighted_metrics=[Perplexity()])
    # One for every token: on PyTorch Keras multiplies them with the mask in place.
    weights = np.repeat([[1.0], [1.0], [0.0], [0.0]], 5, axis=1)
    data = dict(x=ids[:, :-1], y=ids[:, 1:], sample_weight=weights, batch_size=4)
    before = reference(model.predict(ids[:2, :-1], verbose=0), ids[:2, 1:], np.ones((2, 5)))
    history = model.fit(**data, verbose=0).history
    assert history["perplexity"][0] == pytest.approx(np.exp(before), rel=RELATIVE)


@pytest.mark.parametrize("kind", [Perplexity, BitsPerCharacter])
def test_a_batch_without_a_token_changes_nothing(kind, rng):
    logits, targets = rng.normal(size=(2, 3, 5)), rng.integers(1, 5, size=(2, 3))
    nothing = np.zeros((2, 3), int), logits
    assert result_of(kind()) == result_of(kind(), nothing) == 0  # documented, never NaN
    alone = result_of(kind(), (targets, logits))
    assert result_of(kind(), nothing, (targets, logits), nothing) == alone
    assert result_of(kind(), (targets, logits, np.zeros((2, 3)))) == 0


def test_one_target_a_window(rng):
    # Article C's model has one prediction a window, so no time axis.
    logits, targets = rng.normal(size=(6, 5)), rng.integers(1, 5, size=6)
    expected = np.exp(reference(logits, targets, targets != 0))
    for shape in ((6,), (6, 1)):
        actual = result_of(Perplexity(), (targets.reshape(shape), logits))
        assert actual == pytest.approx(expected, rel=RELATIVE)


def test_another_class_or_none_is_ignored(rng):
    logits, targets = rng.normal(size=(2, 8, 4)), rng.integers(0, 4, size=(2, 8))
    for ignored, keep in ((2, targets != 2), (None, np.ones((2, 8)))):
        actual = result_of(Perplexity(ignore_class=ignored), (targets, logits))
        assert actual == pytest.approx(np.exp(reference(logits, targets, keep)), rel=RELATIVE)


@pytest.mark.parametrize("kind", [Perplexity, BitsPerCharacter])
def test_metrics_are_reset_and_built_again(kind, rng, tmp_path):
    logits, targets = rng.normal(size=(2, 3, 5)), rng.integers(1, 5, size=(2, 3))
    metric = kind.from_config(kind(ignore_class=3, name="mine").get_config())
    assert (metric.name, metric.ignore_class) == ("mine", 3)
    first = result_of(metric, (targets, logits))
    metric.reset_state()
    assert result_of(metric, (targets, logits)) == first
    model = lstm_lm(9, 2, 3)
    model.compile("sgd", "mse", metrics=[kind()])
    model.save(tmp_path / "model.keras")
    keras.models.load_model(tmp_path / "model.keras")


def test_targets_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"targets \(2, 4\) do not fit logits \(2, 3, 5\)"):
        Perplexity().update_state(np.ones((2, 4), int), ops.zeros((2, 3, 5)))
    with pytest.raises(ValueError, match=r"weights \(3,\) do not fit logits \(2, 3, 5\)"):
        Perplexity().update_state(np.ones((2, 3), int), ops.zeros((2, 3, 5)), np.ones(3))
