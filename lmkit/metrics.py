"""Measures that Keras does not have.

Accuracy, precision, recall and F1 are Keras's own: `keras.metrics.BinaryAccuracy`,
`Precision`, `Recall` and `F1Score`.
"""

import keras
import numpy as np
from keras import ops

from lmkit.checks import as_array, check_labels, check_real


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
    check_real("tolerance", tolerance, least=0)
    with np.errstate(invalid="ignore"):
        difference = positive - negative
    # Two that are equally infinite are a tie as well; their difference is not a number.
    tie = (positive == negative) | (np.abs(difference) <= tolerance)
    return float(np.mean((difference > tolerance) + 0.5 * tie))


def _scores(scores):
    scores = as_array("scores", scores, "float64")
    if scores.ndim != 1 or scores.size == 0:
        raise ValueError(f"scores must be one row of at least one number, got {scores.shape}")
    if np.isnan(scores).any():
        raise ValueError(f"score {int(np.argmax(np.isnan(scores)))} is not a number")
    return scores


def token_losses(logits, targets, ignore_class=0):
    """How surprised a model is by every token: -log p(target), in float64.

    Args:
        logits: a model's output, `(..., vocab)`.
        targets: the ids that came, `(...)`.
        ignore_class: the id that counts nothing (padding), or None.

    Returns:
        A float64 array `(...)` in nats, 0 where the target is `ignore_class`. Infinite
        where the model held the target for impossible.

    Raises:
        TypeError: if the targets are not whole numbers.
        ValueError: if the shapes do not fit or a target is not among the logits.

    Example:
        >>> token_losses([[[0.0, 0.0], [5.0, 5.0]]], [[1, 0]]).round(4).tolist()  # ln 2
        [[0.6931, 0.0]]

    Source: the chain rule. Built by hand in: chapters/02_lstm_language_model.ipynb
    """
    logits, targets = as_array("logits", logits, "float64"), _targets(targets)
    if logits.shape[:-1] != targets.shape or not logits.ndim:
        raise ValueError(f"logits {logits.shape} need one target a row, got {targets.shape}")
    if targets.size and targets.max() >= logits.shape[-1]:
        raise ValueError(f"target {targets.max()} has no logit: there are {logits.shape[-1]}")
    logits = logits - logits.max(axis=-1, keepdims=True)  # so that exp cannot overflow
    chosen = np.take_along_axis(logits, targets[..., None], axis=-1)[..., 0]
    losses = np.log(np.exp(logits).sum(axis=-1)) - chosen
    return losses if ignore_class is None else np.where(targets == ignore_class, 0.0, losses)


def _targets(targets):
    targets = as_array("targets", targets)
    if targets.dtype.kind not in "iu":
        raise TypeError(f"targets must be whole numbers, got {targets.dtype}")
    if targets.size and targets.min() < 0:
        raise ValueError(f"target {targets.min()} has no logit: ids run from 0")
    return targets


class _Counted(keras.losses.Loss):
    """How much each position counts: Keras multiplies the ones by its mask and weights."""

    def __init__(self, ignore_class):
        super().__init__(name="counted", reduction=None)
        self.ignore_class = ignore_class

    def call(self, y_true, y_pred):
        if self.ignore_class is None:
            return ops.ones_like(y_true, dtype=y_pred.dtype)
        return ops.cast(ops.not_equal(y_true, self.ignore_class), y_pred.dtype)


class _MeanLoss(keras.metrics.Metric):
    """The mean -log p of all positions that count, over all batches together."""

    def __init__(self, ignore_class=0, name=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.ignore_class = ignore_class
        self._counted = _Counted(ignore_class)
        self.total = self.add_weight(name="total", initializer="zeros")
        self.count = self.add_weight(name="count", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds a batch.

        Args:
            y_true: targets `(batch, time)`.
            y_pred: logits `(batch, time, vocab)`.
            sample_weight: `(batch, time)`, or `(batch,)` for one a row, or None.

        Raises:
            ValueError: if targets or weights do not fit the logits.
        """
        y_true = ops.convert_to_tensor(y_true)
        if not hasattr(y_pred, "shape"):  # else untouched: it can carry Keras's mask
            y_pred = ops.convert_to_tensor(y_pred)
        if len(y_true.shape) == len(y_pred.shape) > 0:  # (B, T, 1), as Keras also allows
            y_true = ops.squeeze(y_true, axis=-1)  # (B, T)
        _check_fit("targets", y_true, y_pred)
        if sample_weight is not None:
            sample_weight = ops.convert_to_tensor(sample_weight)
            _check_fit("weights", sample_weight, y_pred)
            if len(sample_weight.shape) < len(y_true.shape):
                sample_weight = ops.expand_dims(sample_weight, -1)  # one weight a row
        weights = ops.cast(self._counted(y_true, y_pred, sample_weight), self.dtype)  # (B, T)
        counts = ops.not_equal(weights, 0)
        # Where nothing counts any valid class will do; the result is not used.
        labels = ops.where(counts, y_true, ops.zeros_like(y_true))
        logits = ops.convert_to_tensor(y_pred, self.dtype)
        # Looked up, not multiplied with 0 and 1 as on JAX: an impossible word elsewhere is fine.
        labels = ops.cast(labels, "int32")[..., None]
        nats = -ops.take_along_axis(ops.log_softmax(logits), labels, axis=-1)[..., 0]
        # Chosen, not multiplied by 0: an infinite loss times 0 is not a number.
        self.total.assign_add(ops.sum(ops.where(counts, nats * weights, 0)))
        self.count.assign_add(ops.sum(weights))

    def _mean(self):
        total, count = (ops.convert_to_tensor(sum_) for sum_ in (self.total, self.count))
        return total / ops.where(count > 0, count, 1)

    def get_config(self):
        """What is needed to build the metric again."""
        return {**super().get_config(), "ignore_class": self.ignore_class}


def _check_fit(what, values, logits):
    """Targets `(batch, time)` fit logits with one axis more, weights can also be one a row."""
    shape, wanted = tuple(values.shape), tuple(logits.shape)
    ranks = (len(wanted) - 1,) if what == "targets" else range(len(wanted))
    # Sizes that are unknown while a model is compiled are None; a size of 1 serves all.
    known = [pair for pair in zip(shape, wanted, strict=False) if None not in pair]
    if len(shape) not in ranks or any(one not in (1, other) for one, other in known):
        raise ValueError(f"{what} {shape} do not fit logits {wanted}, (batch, time, vocab)")


@keras.saving.register_keras_serializable("lmkit")
class Perplexity(_MeanLoss):
    """How many equally likely next tokens would surprise as much: e to the mean loss.

    1 is a model that is certain and right, the size of the vocabulary one that guesses,
    and infinity one that held a token for impossible that came.

    A position counts if its target is not `ignore_class`, Keras's mask keeps it and its
    sample weight is not 0; the mean runs over the positions of all batches together, so
    a short story does not weigh as much as a long one. Where no position has counted the
    result is 0, which no real perplexity is. Above 3e38, float32's limit, it is infinite.

    Args:
        ignore_class: the target that counts nothing (0, padding), or None.
        name: the name in logs and history.
        dtype: the type of the sums, Keras's default if None.

    Call arguments:
        y_true: ids `(batch, time)`.
        y_pred: LOGITS `(batch, time, vocab)`, not probabilities.
        sample_weight: `(batch, time)`, or `(batch,)` for one a row, or None.

    Returns:
        `result()` is one number.

    Example:
        >>> metric = Perplexity()
        >>> metric.update_state([[3, 1, 0]], ops.zeros((1, 3, 4)))  # knows nothing of four ids
        >>> round(float(metric.result()), 4)
        4.0

    Source: Jelinek, Mercer, Bahl and Baker, 1977.
    Built by hand in: chapters/02_lstm_language_model.ipynb
    """

    def __init__(self, ignore_class=0, name="perplexity", dtype=None):
        super().__init__(ignore_class, name, dtype)

    def result(self):
        """The perplexity of everything since the last reset."""
        return ops.where(self.count > 0, ops.exp(self._mean()), 0)


@keras.saving.register_keras_serializable("lmkit")
class BitsPerCharacter(_MeanLoss):
    """The mean loss of a model of characters, in bits: what a compressor would need.

    Counts the same positions as `Perplexity`. Where no position has counted the result
    is 0, as for Keras's own mean.

    Args:
        ignore_class: the target that counts nothing (0, padding), or None.
        name: the name in logs and history.
        dtype: the type of the sums, Keras's default if None.

    Call arguments:
        y_true: ids of characters, `(batch, time)`.
        y_pred: LOGITS `(batch, time, vocab)`, not probabilities.
        sample_weight: `(batch, time)`, or `(batch,)` for one a row, or None.

    Returns:
        `result()` is one number.

    Example:
        >>> metric = BitsPerCharacter()
        >>> metric.update_state([[3, 1, 0]], ops.zeros((1, 3, 4)))
        >>> round(float(metric.result()), 4)  # two bits tell four characters apart
        2.0

    Source: Shannon, 1951. Built by hand in: chapters/02b_real_prose.ipynb
    """

    def __init__(self, ignore_class=0, name="bits_per_character", dtype=None):
        super().__init__(ignore_class, name, dtype)

    def result(self):
        """The bits of everything since the last reset."""
        return self._mean() / np.log(2)
