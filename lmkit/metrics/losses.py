"""How well a language model predicts: -log p of every token, and what is made of it."""

import keras
import numpy as np
from keras import ops

from lmkit import _arguments
from lmkit.backend import compiled_for
from lmkit.batches import IGNORE

# So many logits are there at once in `score_tokens`: 128 MiB in float32.
LOGITS = 2**25


def token_losses(logits, targets, ignore_class=IGNORE):
    """Computes -log p(target) of every token in float64, from logits that are there.

    Args:
        logits: a model's output, `(..., vocab)`.
        targets: the ids that came, `(...)`.
        ignore_class: the target that is not scored, or None.

    Returns:
        A float64 array `(...)` in nats, 0 where the target is not scored.

    Example:
        >>> token_losses([[[0.0, 0.0], [5.0, 5.0]]], [[1, IGNORE]]).round(4).tolist()  # ln 2
        [[0.6931, 0.0]]
    """
    if ops.is_tensor(logits):
        logits = ops.convert_to_numpy(logits)
    logits = _arguments.array("logits", logits, "float64")
    if not logits.ndim:
        raise ValueError(f"logits must be (..., vocab), got {logits}")
    targets = _arguments.targets(targets, logits.shape[:-1], logits.shape[-1])
    ignored = targets == _check(ignore_class)
    if ((targets == IGNORE) & ~ignored).any():
        raise ValueError(f"targets hold IGNORE (-1), but ignore_class is {ignore_class}")
    logits = logits - logits.max(axis=-1, keepdims=True)  # so that exp cannot overflow
    chosen = np.take_along_axis(logits, targets[..., None], axis=-1)[..., 0]
    return np.where(ignored, 0.0, np.log(np.exp(logits).sum(axis=-1)) - chosen)


def score_tokens(model, inputs, targets, batch_size=None):
    """Computes -log p(target) of every token, slice by slice: all logits never exist at once.

    Args:
        model: a Keras model from ids `(batch, time)` to logits `(batch, time, vocab)`, or
            any function of arrays that does the same.
        inputs: ids `(rows, time)`.
        targets: ids `(rows, time)`, IGNORE where a position is not scored.
        batch_size: how many rows to compute at once; None for as many as memory likes.

    Returns:
        A float64 array `(rows, time)` in nats, 0 where the target is IGNORE.

    Example:
        >>> scores = score_tokens(lambda ids: ops.zeros((*ids.shape, 4)), [[3, 1]], [[1, IGNORE]])
        >>> scores.round(4).tolist()  # ln 4: guessing among four
        [[1.3863, 0.0]]
    """
    known = getattr(model, "vocab_size", None)
    inputs = _arguments.ids("inputs", inputs, 2, known)
    # One row tells what no attribute does. It also makes weights that are not there yet.
    size = known if known and getattr(model, "built", True) else model(inputs[:1]).shape[-1]
    targets = _arguments.targets(targets, inputs.shape, size)
    count, time = inputs.shape
    rows = min(count, max(1, LOGITS // (time * size)))
    if batch_size is not None:
        rows = min(count, _arguments.whole("batch_size", batch_size))

    def score(ids, wanted):
        return _losses(model(ids), wanted)

    # A function may be NumPy's, which no compiler reads.
    compiled = isinstance(model, keras.Model)
    score = compiled_for(model, "score_tokens", score) if compiled else score
    losses = np.zeros(inputs.shape)
    for start in range(0, count, rows):
        part = slice(start, start + rows)
        # The last slice is filled up with its own rows: another shape is compiled again.
        full = [np.resize(array[part], (rows, time)) for array in (inputs, targets)]
        found = ops.convert_to_numpy(score(*full))
        losses[part] = found[: count - start]
    return losses


def _losses(logits, targets):
    """Computes losses `(B, T)` of logits `(B, T, V)`, with nothing larger than the logits."""
    # float16 and bfloat16 have too few digits to add up a vocabulary.
    dtype = keras.backend.result_type(logits.dtype, "float32")
    logits = ops.cast(logits, dtype)
    logits = logits - ops.max(logits, axis=-1, keepdims=True)
    labels = ops.where(targets == IGNORE, 0, targets)
    chosen = ops.take_along_axis(logits, labels[..., None], axis=-1)[..., 0]  # (B, T)
    losses = ops.log(ops.sum(ops.exp(logits), axis=-1)) - chosen
    return ops.where(targets == IGNORE, 0.0, losses)


class _Counted(keras.losses.Loss):
    """How much each position counts: Keras multiplies the ones by its mask and the weights."""

    def __init__(self, ignore_class):
        super().__init__(name="counted", reduction=None)
        self.ignore_class = ignore_class

    def call(self, y_true, y_pred):
        if self.ignore_class is None:
            return ops.ones_like(y_true, dtype=y_pred.dtype)
        return ops.cast(ops.not_equal(y_true, self.ignore_class), y_pred.dtype)


class _MeanLoss(keras.metrics.Metric):
    """The mean -log p of all positions that count, over all batches together."""

    def __init__(self, ignore_class=IGNORE, name=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.ignore_class = _check(ignore_class)
        self._counted = _Counted(ignore_class)
        self.total = self.add_weight(name="total", initializer="zeros")
        self.count = self.add_weight(name="count", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds a batch.

        Args:
            y_true: targets `(batch, time)`.
            y_pred: logits `(batch, time, vocab)`.
            sample_weight: `(batch, time)`, or `(batch,)` for one per row, or None.
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
                sample_weight = ops.expand_dims(sample_weight, -1)  # one per row
        weights = ops.cast(self._counted(y_true, y_pred, sample_weight), self.dtype)  # (B, T)
        counts = ops.not_equal(weights, 0)
        nats = _class_losses(ops.convert_to_tensor(y_pred, self.dtype), y_true)
        # Chosen, not multiplied by 0: an infinite loss times 0 is NaN.
        self.total.assign_add(ops.sum(ops.where(counts, nats * weights, 0)))
        self.count.assign_add(ops.sum(weights))

    def _mean(self):
        total, count = (ops.convert_to_tensor(sum_) for sum_ in (self.total, self.count))
        return total / ops.where(count > 0, count, 1)

    def get_config(self):
        """Tells what is needed to build the metric again."""
        return {**super().get_config(), "ignore_class": self.ignore_class}
